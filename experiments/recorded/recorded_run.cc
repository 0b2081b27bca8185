#include "experiments/recorded/recorded_run.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/io/file.h"
#include "engine/io/proto_file.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/version.h"
#include "experiments/common/cifar10.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

constexpr std::string_view kPaperScale = "paper";

// Dataset::digest (engine/data/dataset.h) of all examples of the published
// files.
struct PublishedData {
  std::string_view dataset;
  std::string_view digest;
};
constexpr PublishedData kPublished[] = {
    {"cifar10",
     "80387ddb9a0edf3fc4a964ee3770296169bb26a651050df20035579673099660"},
    {"mnist",
     "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"},
};

template <typename... Parts>
absl::Status Refuse(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

int64_t CountSkipped(const RunResult& result, int64_t steps) {
  int64_t skipped = 0;
  for (int64_t i = 0; i < steps; ++i) {
    skipped += result.steps(static_cast<int>(i)).skipped();
  }
  return skipped;
}

absl::Status CheckSpec(const RunSpec& spec) {
  if (spec.scale() != kPaperScale) {
    return Refuse("spec.scale: \"", spec.scale(),
                  "\" is not \"paper\"; record a run of the full protocol");
  }
  const absl::StatusOr<PrecisionPolicy> policy = FindPolicy(spec.policy());
  if (!policy.ok()) {
    return Refuse("spec.policy: ", policy.status().message());
  }
  if (spec.model_options().ByteSizeLong() > 0) {
    return Refuse(
        "spec.model_options: set, so the network is not the paper's; record a "
        "run of the full protocol");
  }
  if (spec.data().train_examples() != 0 || spec.data().test_examples() != 0) {
    return Refuse(
        "spec.data: train_examples or test_examples leave examples out; record "
        "a run of the full protocol");
  }
  return absl::OkStatus();
}

absl::Status CheckData(const RunResult& result) {
  if (result.made_up_data()) {
    return Refuse("made_up_data: the run's data are not the published ones; ",
                  "train on the published files");
  }
  const std::string& dataset = result.spec().data().dataset();
  for (const PublishedData& published : kPublished) {
    if (published.dataset != dataset) continue;
    if (published.digest == result.data_digest()) return absl::OkStatus();
    return Refuse("data_digest: ", result.data_digest(),
                  " is not that of the published ", dataset, ", ",
                  published.digest, "; train on the published files");
  }
  return Refuse("spec.data.dataset: \"", dataset,
                "\" was never published; record a run on cifar10 or mnist");
}

absl::Status CheckEpochs(const RunResult& result) {
  const int reached = result.epochs_size();
  if (reached == 0) {
    return Refuse("epochs: no epoch has ended yet; record the run later");
  }
  if (reached > result.spec().epochs()) {
    return Refuse("epochs: ", reached, ", while the specification has ",
                  result.spec().epochs(), "; make the record anew");
  }
  for (int i = 0; i < reached; ++i) {
    if (result.epochs(i).epoch() == i + 1) continue;
    return Refuse("epochs: number ", result.epochs(i).epoch(),
                  " stands in place ", i + 1, "; make the record anew");
  }
  const bool ended = reached == result.spec().epochs();
  if (ended == result.weights_sha256().empty()) {
    return Refuse("weights_sha256: ", ended ? "missing" : "set",
                  ", while the run has ", ended ? "" : "not ",
                  "ended; make the record anew");
  }
  if (result.steps_size() > 0) {
    return Refuse("steps: set; leave them out, they make the file large");
  }
  return absl::OkStatus();
}

absl::Status CheckProvenance(const RecordProvenance& provenance) {
  const std::pair<std::string_view, const std::string&> fields[] = {
      {"commit", provenance.commit()},
      {"date", provenance.date()},
      {"machine", provenance.machine()},
      {"command", provenance.command()},
  };
  for (const auto& [name, value] : fields) {
    if (!value.empty()) continue;
    return Refuse("provenance.", name,
                  ": missing; say where the record comes from");
  }
  return absl::OkStatus();
}

}  // namespace

RecordedRun RecordOfResult(const RunResult& result) {
  RecordedRun run;
  *run.mutable_result() = result;
  run.set_skipped_steps(CountSkipped(result, result.steps_size()));
  run.mutable_result()->clear_steps();
  return run;
}

absl::StatusOr<RecordedRun> RecordOfState(const RunState& state) {
  const RunResult& result = state.result();
  const int64_t epochs = state.epoch() - 1;  // that have ended
  const int64_t batch = result.spec().batch_size();
  if (epochs < 0 || epochs > result.epochs_size() || batch < 1) {
    return Refuse("epoch: ", state.epoch(), " in progress, with ",
                  result.epochs_size(), " recorded; give a whole checkpoint");
  }
  // Of the epoch in progress: all batches but an epoch's last are full.
  const int64_t unfinished =
      (state.epoch_totals().examples() + batch - 1) / batch;
  const int64_t steps = result.steps_size() - unfinished;
  if (steps < 0) {
    return Refuse("steps: ", result.steps_size(), ", fewer than the ",
                  unfinished,
                  " of the epoch in progress; give a whole checkpoint");
  }
  RecordedRun run;
  run.set_skipped_steps(CountSkipped(result, steps));
  RunResult& kept = *run.mutable_result();
  kept = result;
  kept.clear_steps();
  while (kept.epochs_size() > epochs) kept.mutable_epochs()->RemoveLast();
  auto& scales = *kept.mutable_loss_scale_history();
  while (!scales.empty() && scales.rbegin()->step() >= steps) {
    scales.RemoveLast();
  }
  if (kept.first_non_finite().step() >= steps) kept.clear_first_non_finite();
  return run;
}

absl::Status CheckNumericsVersion(const RunResult& result) {
  if (result.numerics_version() == kNumericsVersion) return absl::OkStatus();
  return Refuse("numerics_version: ", result.numerics_version(),
                ", while this engine has ", kNumericsVersion,
                "; record it with the engine that ran, or train anew");
}

absl::Status CheckRecordedRun(const RecordedRun& run) {
  for (const absl::Status& status :
       {CheckSpec(run.result().spec()), CheckData(run.result()),
        CheckEpochs(run.result()), CheckProvenance(run.provenance())}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<RecordedRun> ReadRecordedRun(const std::string& path) {
  RecordedRun run;
  absl::Status status = ReadTextProto(path, &run);
  if (!status.ok()) return status;
  status = CheckRecordedRun(run);
  if (!status.ok()) return Refuse(path, ": ", status.message());
  return run;
}

absl::Status WriteRecordedRun(const std::string& path, const RecordedRun& run) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(run, &text);
  return WriteFileAtomically(
      path, absl::StrCat("# proto-file: experiments/recorded/recorded.proto\n"
                         "# proto-message: repro16.RecordedRun\n#\n# ",
                         TitleOf(run.result().spec()), ": ", EpochsReached(run),
                         " epochs. Written by "
                         "//experiments/recorded:record.\n",
                         text));
}

std::string TitleOf(const RunSpec& spec) {
  return absl::StrCat(NetworkName(spec.model()), " ", spec.policy(), " seed ",
                      spec.seed());
}

std::string EpochsReached(const RecordedRun& run) {
  return absl::StrCat(run.result().epochs_size(), " of ",
                      run.result().spec().epochs());
}

}  // namespace repro16
