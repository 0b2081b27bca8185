// Writes what the runs gave into the golden file, under their scale. The rest
// of the file stays as it is, but for comments below its first lines.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/io/file.h"
#include "engine/io/flags.h"
#include "engine/io/terminal.h"
#include "reports/environment.h"
#include "reports/golden.h"
#include "reports/golden_input.h"

ABSL_FLAG(std::string, reason, "", "why the values change; kept in the file");
ABSL_FLAG(std::string, commit, "",
          "commit of the engine that ran; \"...-dirty\" is refused");
ABSL_FLAG(std::string, date, "", "date of the runs");
ABSL_FLAG(std::vector<std::string>, telemetry, {},
          "telemetry.pb of each run, separated by commas: processor and SIMD "
          "target");

namespace repro16 {
namespace {

constexpr std::string_view kDirty = "-dirty";

absl::Status Run() {
  if (absl::GetFlag(FLAGS_reason).empty()) {
    return absl::InvalidArgumentError(
        "--reason is needed: say why the golden values change");
  }
  absl::StatusOr<GoldenInput> input = ReadGoldenInput();
  if (!input.ok()) return input.status();
  std::string commit = absl::GetFlag(FLAGS_commit);
  if (absl::EndsWith(commit, kDirty)) {
    // What the tests are held to belongs to the change that it comes with.
    if (input->Scale() != "smoke") {
      return absl::FailedPreconditionError(
          "the source tree has changes that no commit has; commit them first, "
          "as golden values name the commit that made them");
    }
    commit.clear();
  }
  GoldenProvenance provenance;
  provenance.set_reason(absl::GetFlag(FLAGS_reason));
  provenance.set_commit(commit);
  provenance.set_date(absl::GetFlag(FLAGS_date));
  const absl::StatusOr<report::Environment> environment =
      EnvironmentOf(absl::GetFlag(FLAGS_telemetry));
  if (!environment.ok()) return environment.status();
  if (!environment->device().empty()) {
    provenance.set_machine(
        absl::StrCat(environment->device(), ", ", environment->simd_target()));
  }
  SetScale(input->report ? ScaleGoldenOf(*input->report, provenance)
                         : ScaleGoldenOf(input->runs, provenance),
           input->golden);
  const std::string path = absl::GetFlag(FLAGS_golden);
  const absl::StatusOr<std::string> old_text = ReadFile(path);
  if (!old_text.ok()) return old_text.status();
  return WriteFileAtomically(path, PrintGolden(input->golden, *old_text));
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(
      argc, argv,
      "Writes what the runs gave into the golden file, under their scale.");
  const absl::Status status = repro16::Run();
  if (status.ok()) return 0;
  repro16::PrintFormat(stderr, "error: %s\n", status.message());
  return 2;
}
