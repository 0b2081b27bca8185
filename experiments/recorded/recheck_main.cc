// Makes the first epochs of a record again and holds them to it:
//
//   recheck NAME --epochs=1
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/io/terminal.h"
#include "experiments/recorded/recheck.h"
#include "experiments/recorded/recorded_run.h"

// The defaults of paths are where `bazel run` starts the program.
ABSL_FLAG(int64_t, epochs, 1,
          "So many of the record's epochs, from the first.");
ABSL_FLAG(int, threads, 0,
          "Worker threads; 0 takes one per core. Does not change a bit.");
ABSL_FLAG(std::string, records, "experiments/recorded",
          "Folder of the records.");
ABSL_FLAG(std::string, train, "programs/train",
          "The program //programs:train.");
ABSL_FLAG(std::string, data, "..",
          "Folder that has DATASET/data, with the data set's files.");

extern char** environ;

namespace repro16 {
namespace {

constexpr char kUsage[] =
    "Makes the first epochs of a record again and holds them to it, bit by bit "
    "(experiments/recorded/README.md).\n\n"
    "  ./bazelw run //experiments/recorded:recheck -- NAME --epochs=1\n\n"
    "NAME is that of the record's file without .textproto; without it the "
    "records are listed.\n"
    "Exit code: 0 where all is equal, 1 where it is not; 2 for bad input; 3 "
    "where a signal stopped the run.";

constexpr int kExitDiffers = 1;
constexpr int kExitStopped = 3;
constexpr char kSuffix[] = ".textproto";

// A folder for what the trainer reads and writes, removed in the end.
class Scratch {
 public:
  static absl::StatusOr<Scratch> Make() {
    std::error_code error;
    std::string path = std::filesystem::temp_directory_path(error).string();
    absl::StrAppend(&path, "/recheck-XXXXXX");
    if (error || mkdtemp(path.data()) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": cannot be made; name a folder that exists in TMPDIR"));
    }
    return Scratch(path);
  }
  Scratch(Scratch&& other) noexcept { path_.swap(other.path_); }
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  std::string File(const std::string& name) const {
    return absl::StrCat(path_, "/", name);
  }

 private:
  explicit Scratch(const std::string& path) : path_(path) {}

  std::string path_;
};

// The records' names, in order.
absl::StatusOr<std::vector<std::string>> Names() {
  const std::string folder = absl::GetFlag(FLAGS_records);
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == kSuffix) {
      names.push_back(entry.path().stem().string());
    }
  }
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("--records: ", folder, ": ", error.message(),
                     "; name the folder of the records"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string PathOf(const std::string& name) {
  return absl::StrCat(absl::GetFlag(FLAGS_records), "/", name, kSuffix);
}

absl::StatusOr<RecordedRun> ReadRecord(const std::string& name) {
  RecordedRun record;
  const absl::Status status = ReadTextProto(PathOf(name), &record);
  if (!status.ok()) return status;
  return record;
}

absl::Status List(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const absl::StatusOr<RecordedRun> record = ReadRecord(name);
    if (!record.ok()) return record.status();
    PrintFormat(stdout, "%s: %s, %s epochs\n", name,
                TitleOf(record->result().spec()), EpochsReached(*record));
  }
  return absl::OkStatus();
}

// The folder with the published files; "" for a data set that needs none.
absl::StatusOr<std::string> DataFolder(const std::string& dataset) {
  if (absl::StartsWith(dataset, "synthetic_")) return "";
  const std::string folder =
      absl::StrCat(absl::GetFlag(FLAGS_data), "/", dataset, "/data");
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored) ||
      std::filesystem::exists(folder + "/MADE_UP", ignored)) {
    return absl::InvalidArgumentError(
        absl::StrCat(dataset,
                     ": its published files are missing; name a "
                     "folder that has them in REPRO16_DATA"));
  }
  return folder;
}

// The exit code of the program, which tells itself what it refuses.
absl::StatusOr<int> RunProgram(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  // Ctrl-C is the trainer's, which ends then; the scratch folder goes after it.
  std::signal(SIGINT, SIG_IGN);
  pid_t process = 0;
  if (const int error = posix_spawn(&process, arguments[0], nullptr, nullptr,
                                    arguments.data(), environ);
      error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--train: ", command[0], ": ", std::strerror(error),
                     "; name the program //programs:train"));
  }
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return absl::InvalidArgumentError(
      absl::StrCat(command[0], ": ended by signal ", WTERMSIG(status),
                   "; see whether memory was short, and try again"));
}

// What the trainer left: a checkpoint, or where the run has ended its result.
absl::StatusOr<RecordedRun> ReadRun(const Scratch& scratch, bool ended,
                                    int64_t& steps) {
  Checkpoint checkpoint;
  RunResult result;
  const absl::Status status =
      ended ? ReadBinaryProto(scratch.File("result.pb"), &result)
            : ReadBinaryProto(scratch.File("run.checkpoint"), &checkpoint);
  if (!status.ok()) return status;
  steps = (ended ? result : checkpoint.run().result()).steps_size();
  if (ended) return RecordOfResult(result);
  return RecordOfState(checkpoint.run());
}

// The exit code.
absl::StatusOr<int> Recheck(const std::string& name, RecordedRun record,
                            int64_t epochs) {
  if (absl::Status status = CheckRecheck(record, epochs); !status.ok()) {
    return status;
  }
  // No bit depends on the backend, and every machine has this one.
  RunSpec& spec = *record.mutable_result()->mutable_spec();
  spec.set_backend("cpu");
  const absl::StatusOr<std::string> data = DataFolder(spec.data().dataset());
  if (!data.ok()) return data.status();
  const absl::StatusOr<Scratch> scratch = Scratch::Make();
  if (!scratch.ok()) return scratch.status();
  const std::string spec_file = scratch->File("spec.textproto");
  if (absl::Status status = WriteTextProto(spec_file, spec); !status.ok()) {
    return status;
  }
  const bool bar = TerminalAt(fileno(stderr)).interactive;
  const absl::StatusOr<int> exit_code = RunProgram(
      {absl::GetFlag(FLAGS_train), "--spec=" + spec_file, "--data_dir=" + *data,
       "--out=" + scratch->File("result.pb"),
       "--checkpoint=" + scratch->File("run.checkpoint"),
       "--checkpoint_minutes=0", absl::StrCat("--stop_after_epoch=", epochs),
       absl::StrCat("--threads=", absl::GetFlag(FLAGS_threads)),
       absl::StrCat("--progress=", bar ? "bar" : "none")});
  if (!exit_code.ok()) return exit_code.status();
  if (*exit_code != 0) {
    if (*exit_code == kExitStopped) {
      PrintFormat(stderr, "recheck: %s: stopped; nothing is kept\n", name);
    }
    return *exit_code;
  }
  int64_t steps = 0;
  const absl::StatusOr<RecordedRun> again =
      ReadRun(*scratch, epochs == spec.epochs(), steps);
  if (!again.ok()) return again.status();
  const std::string difference = FirstDifference(
      FirstEpochs(record, epochs, steps), FirstEpochs(*again, epochs, steps));
  if (!difference.empty()) {
    PrintFormat(stdout, "recheck: %s: recorded -> made again: %s\n", name,
                difference);
    return kExitDiffers;
  }
  PrintFormat(stdout, "recheck: %s: epoch%s of %d equal to the bit\n", name,
              epochs == 1 ? std::string(" 1") : absl::StrCat("s 1 to ", epochs),
              spec.epochs());
  return 0;
}

// The exit code.
absl::StatusOr<int> Run(const std::vector<std::string>& arguments) {
  const absl::StatusOr<std::vector<std::string>> names = Names();
  if (!names.ok()) return names.status();
  if (arguments.empty()) {
    if (absl::Status status = List(*names); !status.ok()) return status;
    return 0;
  }
  if (arguments.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(arguments[1],
                     ": a second name; give one record at a "
                     "time"));
  }
  const std::string& name = arguments[0];
  if (std::find(names->begin(), names->end(), name) == names->end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": no record; give one of ", absl::StrJoin(*names, ", ")));
  }
  absl::StatusOr<RecordedRun> record = ReadRecord(name);
  if (!record.ok()) return record.status();
  const absl::StatusOr<int> exit_code =
      Recheck(name, *std::move(record), absl::GetFlag(FLAGS_epochs));
  if (exit_code.ok()) return exit_code;
  return absl::Status(exit_code.status().code(),
                      absl::StrCat(name, ": ", exit_code.status().message()));
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  const std::vector<std::string> arguments =
      repro16::ParseArguments(argc, argv, repro16::kUsage);
  const absl::StatusOr<int> exit_code = repro16::Run(arguments);
  if (exit_code.ok()) return *exit_code;
  repro16::PrintFormat(stderr, "recheck: %s\n", exit_code.status().message());
  return 2;
}
