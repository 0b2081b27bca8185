// Holds a report, or runs, to the golden values of their scale.
//
// Exit status: 0, all equal, or nothing to compare as the golden values are of
// another toolkit than the report, told in a line; 1, something differs, each
// difference in a line; 2, bad input. With --brief a report that differs, or
// has nothing to be held to, is told in a few lines, and is no failure.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/io/flags.h"
#include "engine/io/terminal.h"
#include "reports/golden.h"
#include "reports/golden_input.h"
#include "reports/paper_values.h"

ABSL_FLAG(bool, brief, false,
          "say in a few lines whether the report is equal; exit status 0 also "
          "where it is not");

namespace repro16 {
namespace {

constexpr size_t kShownDifferences = 5;

absl::StatusOr<std::vector<GoldenDifference>> Compare(
    const GoldenInput& input) {
  const auto findings = CheckArithmetic(input.golden);
  if (!findings.ok()) return findings.status();
  return input.report ? CompareWithGolden(input.golden, *input.report)
                      : CompareWithGolden(input.golden, input.runs);
}

int CompareAll(const GoldenInput& input) {
  const auto differences = Compare(input);
  if (absl::IsUnavailable(differences.status())) {
    PrintFormat(stdout, "not compared: %s\n", differences.status().message());
    return 0;
  }
  if (!differences.ok()) {
    PrintFormat(stderr, "error: %s\n", differences.status().message());
    return 2;
  }
  for (const GoldenDifference& difference : *differences) {
    PrintFormat(stderr, "%s\n", ToString(difference));
  }
  return differences->empty() ? 0 : 1;
}

int CompareBriefly(const GoldenInput& input) {
  // Smoke runs are made of such data for ever; elsewhere they stand in.
  if (input.report && input.report->provenance().made_up_data() &&
      input.Scale() != "smoke") {
    PrintFormat(stdout, "golden: not compared: the data are made up\n");
    return 0;
  }
  const auto differences = Compare(input);
  if (absl::IsNotFound(differences.status())) {
    PrintFormat(stdout, "golden: none at this scale\n");
    return 0;
  }
  if (!differences.ok()) {
    PrintFormat(stdout, "golden: not compared: %s\n",
                differences.status().message());
    return 0;
  }
  if (differences->empty()) {
    PrintFormat(stdout, "golden: equal\n");
    return 0;
  }
  PrintFormat(stdout, "golden: different\n");
  const size_t shown = std::min(differences->size(), kShownDifferences);
  for (size_t i = 0; i < shown; ++i) {
    PrintFormat(stdout, "  %s\n", ToString((*differences)[i]));
  }
  if (shown < differences->size()) {
    PrintFormat(stdout, "  and %d more\n", differences->size() - shown);
  }
  return 0;
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(
      argc, argv,
      "Holds a report, or runs, to the golden values of their scale.");
  const auto input = repro16::ReadGoldenInput();
  if (!input.ok()) {
    repro16::PrintFormat(stderr, "error: %s\n", input.status().message());
    return 2;
  }
  return absl::GetFlag(FLAGS_brief) ? repro16::CompareBriefly(*input)
                                    : repro16::CompareAll(*input);
}
