// Keeps what a run of the paper's protocol has given so far:
//
//   record --checkpoint=run.checkpoint --commit=$(git rev-parse HEAD)
//       --date=$(date -I) --machine="..." --out=NAME.textproto
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/io/terminal.h"
#include "experiments/recorded/recorded_run.h"

ABSL_FLAG(std::string, checkpoint, "",
          "Checkpoint of a run on its way; give this or --result.");
ABSL_FLAG(std::string, result, "", "result.pb of a run that has ended.");
ABSL_FLAG(std::string, telemetry, "",
          "telemetry.pb of that run: its time and SIMD target.");
ABSL_FLAG(std::string, commit, "",
          "Commit of the engine that ran, hexadecimal; \"...-dirty\" is "
          "refused. Required.");
ABSL_FLAG(std::string, date, "", "Day of the record, YYYY-MM-DD. Required.");
ABSL_FLAG(std::string, machine, "",
          "Processor, and how much of it the run had. Required.");
ABSL_FLAG(std::string, simd_target, "",
          "SIMD target of a run without --telemetry, e.g. AVX3_ZEN4.");
ABSL_FLAG(std::string, note, "", "E.g. what else ran on the machine.");
ABSL_FLAG(std::string, out, "",
          "Where the record goes, a *.textproto; one that is there is "
          "replaced. Required.");

namespace repro16 {
namespace {

// What `git describe --dirty` appends.
constexpr char kDirty[] = "-dirty";

constexpr char kUsage[] =
    "Keeps what a run of the paper's protocol has given so far, in text form "
    "(experiments/recorded/README.md).\n\n"
    "  ./bazelw run //experiments/recorded:record -- "
    "--checkpoint=run.checkpoint \\\n"
    "      --commit=$(git rev-parse HEAD) --date=$(date -I) "
    "--machine=\"...\" \\\n"
    "      --out=experiments/recorded/NAME.textproto\n\n"
    "Exit code: 0; 2 for bad input.";

// A relative path is meant from where `bazel run` was called.
std::string FromCallersFolder(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr || path.empty() || absl::StartsWith(path, "/")) {
    return path;
  }
  return absl::StrCat(folder, "/", path);
}

// Whether `text` has the form of `pattern`, in which 0 stands for a digit.
bool HasForm(const std::string& text, const std::string& pattern) {
  if (text.size() != pattern.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    if (pattern[i] == '0' ? !digit : text[i] != pattern[i]) return false;
  }
  return true;
}

absl::Status CheckFlags() {
  for (const auto* flag :
       {&FLAGS_commit, &FLAGS_date, &FLAGS_machine, &FLAGS_out}) {
    if (!absl::GetFlag(*flag).empty()) continue;
    return absl::InvalidArgumentError(
        "--commit, --date, --machine and --out are needed; see --help");
  }
  const bool checkpoint = !absl::GetFlag(FLAGS_checkpoint).empty();
  if (checkpoint != absl::GetFlag(FLAGS_result).empty()) {
    return absl::InvalidArgumentError(
        "--checkpoint, --result: give one of them");
  }
  if (checkpoint && !absl::GetFlag(FLAGS_telemetry).empty()) {
    return absl::InvalidArgumentError(
        "--telemetry: only a run that has ended has it; give --result");
  }
  const std::string commit = absl::GetFlag(FLAGS_commit);
  if (absl::EndsWith(commit, kDirty)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--commit: ", commit,
        ": no commit has the sources of that trainer; commit them, build it "
        "again and train anew"));
  }
  if (commit.size() < 7 ||
      commit.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--commit: \"", commit,
        "\" is not at least 7 hexadecimal digits; give that of the engine"));
  }
  if (const std::string date = absl::GetFlag(FLAGS_date);
      !HasForm(date, "0000-00-00")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--date: \"", date, "\" is not of the form YYYY-MM-DD; correct it"));
  }
  if (!absl::EndsWith(absl::GetFlag(FLAGS_out), ".textproto")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--out: ", absl::GetFlag(FLAGS_out),
        " does not end in .textproto, as reports look for records"));
  }
  return absl::OkStatus();
}

// What the run left in the file at `path`, by whichever of the two flags.
absl::StatusOr<RecordedRun> ReadRun(const std::string& path, bool checkpoint) {
  if (!checkpoint) {
    RunResult result;
    const absl::Status status = ReadBinaryProto(path, &result);
    if (!status.ok()) return status;
    return RecordOfResult(result);
  }
  Checkpoint state;
  const absl::Status status = ReadBinaryProto(path, &state);
  if (!status.ok()) return status;
  absl::StatusOr<RecordedRun> run = RecordOfState(state.run());
  if (run.ok()) return run;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", run.status().message()));
}

// Makes the run anew.
std::string CommandOf(const RunSpec& spec) {
  const std::string name =
      absl::StrCat(spec.model(), "_", spec.policy(), "_seed", spec.seed());
  return absl::StrCat("./bazelw run //programs:train -- --spec=$PWD/", name,
                      ".textproto --data_dir=$PWD/", spec.data().dataset(),
                      " --out=$PWD/", name, ".pb --telemetry_out=$PWD/", name,
                      ".telemetry.pb --checkpoint=$PWD/", name,
                      ".checkpoint --resume");
}

absl::Status AddProvenance(RecordedRun& run) {
  RecordProvenance& provenance = *run.mutable_provenance();
  provenance.set_commit(absl::GetFlag(FLAGS_commit));
  provenance.set_date(absl::GetFlag(FLAGS_date));
  provenance.set_machine(absl::GetFlag(FLAGS_machine));
  provenance.set_simd_target(absl::GetFlag(FLAGS_simd_target));
  provenance.set_command(CommandOf(run.result().spec()));
  provenance.set_note(absl::GetFlag(FLAGS_note));
  const std::string path = FromCallersFolder(absl::GetFlag(FLAGS_telemetry));
  if (path.empty()) return absl::OkStatus();
  absl::Status status = ReadBinaryProto(path, run.mutable_telemetry());
  if (status.ok()) {
    provenance.set_simd_target(run.telemetry().simd_target());
  }
  return status;
}

absl::Status Record() {
  if (absl::Status status = CheckFlags(); !status.ok()) return status;
  const bool checkpoint = !absl::GetFlag(FLAGS_checkpoint).empty();
  const std::string path = FromCallersFolder(
      absl::GetFlag(checkpoint ? FLAGS_checkpoint : FLAGS_result));
  absl::StatusOr<RecordedRun> run = ReadRun(path, checkpoint);
  if (!run.ok()) return run.status();
  if (absl::Status status = AddProvenance(*run); !status.ok()) return status;
  absl::Status status = CheckNumericsVersion(run->result());
  if (status.ok()) status = CheckRecordedRun(*run);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", status.message()));
  }
  const std::string out = FromCallersFolder(absl::GetFlag(FLAGS_out));
  if (status = WriteRecordedRun(out, *run); !status.ok()) return status;
  PrintFormat(stdout, "%s: %s, %s epochs\n", out, TitleOf(run->result().spec()),
              EpochsReached(*run));
  return absl::OkStatus();
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv, repro16::kUsage);
  const absl::Status status = repro16::Record();
  if (status.ok()) return 0;
  repro16::PrintFormat(stderr, "record: %s\n", status.message());
  return 2;
}
