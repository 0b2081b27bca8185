// Holds a report, or runs, to the golden values of their scale.
//
// Exit status: 0, all equal, or nothing to compare as the golden values are of
// another toolkit than the report, told in a line; 1, something differs, each
// difference in a line; 2, bad input.
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

namespace repro16 {
namespace {

absl::StatusOr<std::vector<GoldenDifference>> Run() {
  const absl::StatusOr<GoldenInput> input = ReadGoldenInput();
  if (!input.ok()) return input.status();
  const auto findings = CheckArithmetic(input->golden);
  if (!findings.ok()) return findings.status();
  return input->report ? CompareWithGolden(input->golden, *input->report)
                       : CompareWithGolden(input->golden, input->runs);
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(
      argc, argv,
      "Holds a report, or runs, to the golden values of their scale.");
  const auto differences = repro16::Run();
  if (absl::IsUnavailable(differences.status())) {
    repro16::PrintFormat(stdout, "not compared: %s\n",
                         differences.status().message());
    return 0;
  }
  if (!differences.ok()) {
    repro16::PrintFormat(stderr, "error: %s\n", differences.status().message());
    return 2;
  }
  for (const repro16::GoldenDifference& difference : *differences) {
    repro16::PrintFormat(stderr, "%s\n", ToString(difference));
  }
  return differences->empty() ? 0 : 1;
}
