// Trains a network once in FP16 and evaluates it with batch statistics that
// were averaged in many ways.
//
//   moving_average_study --spec=run.textproto --data_dir=DIR
//   --out=study.textproto
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/io/file.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/io/terminal.h"
#include "engine/run/run.pb.h"
#include "programs/moving_average_study.h"

ABSL_FLAG(std::string, spec, "",
          "The training: a RunSpec in text form, as in //programs:train. "
          "Required.");
ABSL_FLAG(std::string, data_dir, "", "As in //programs:train.");
ABSL_FLAG(std::string, out, "",
          "Where the MovingAverageStudy goes, in text form. Required.");
ABSL_FLAG(std::vector<std::string>, momenta,
          std::vector<std::string>({"0.9", "0.99", "0.999"}),
          "Momenta to average with, beside the network's own.");
ABSL_FLAG(int64_t, every_epochs, 0,
          "Evaluate after every so many epochs, too; 0: after the last alone.");
ABSL_FLAG(int, threads, 0, "As in //programs:train.");

namespace repro16 {
namespace {

constexpr char kUsage[] =
    "Trains a network once in FP16 and evaluates it with batch statistics that "
    "were averaged in many ways: what of its accuracy the moving average of "
    "batch normalisation alone costs.\n\n"
    "Exit code: 0, or 2 for bad input.";

absl::Status Run() {
  for (const auto& [flag, value] :
       {std::pair{"--spec", absl::GetFlag(FLAGS_spec)},
        std::pair{"--out", absl::GetFlag(FLAGS_out)}}) {
    if (value.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(flag, ": missing; give a path (see --help)"));
    }
  }
  RunSpec spec;
  absl::Status status = ReadTextProto(absl::GetFlag(FLAGS_spec), &spec);
  if (status.ok()) status = CheckWritable(absl::GetFlag(FLAGS_out));
  if (!status.ok()) return status;
  MovingAverageStudyOptions options;
  for (const std::string& text : absl::GetFlag(FLAGS_momenta)) {
    double momentum;
    if (!absl::SimpleAtod(text, &momentum) ||
        !(momentum >= 0 && momentum < 1)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--momenta: '", text, "' is not in [0, 1); give e.g. 0.9,0.99"));
    }
    options.momenta.push_back(momentum);
  }
  options.every_epochs = absl::GetFlag(FLAGS_every_epochs);
  options.tell = [&](const MovingAverageStudy::Epoch& epoch) {
    PrintFormat(stderr, "epoch %d/%d  loss %.4f  train %.2f%%\n", epoch.epoch(),
                spec.epochs(), epoch.train_loss(),
                100 * epoch.train_accuracy());
    for (const MovingAverageStudy::Average& average : epoch.averages()) {
      PrintFormat(stderr, "  %s %g %s: test %.2f%%, variances %.2f\n",
                  average.rule(), average.momentum(), average.storage(),
                  100 * average.test_accuracy(), average.ratio_50());
    }
  };
  auto backend =
      CreateBackend(spec.backend(), {absl::GetFlag(FLAGS_threads), "auto"});
  if (!backend.ok()) return backend.status();
  const auto data = LoadDataset(spec.data(), absl::GetFlag(FLAGS_data_dir));
  if (!data.ok()) return data.status();
  const auto study = StudyMovingAverages(spec, *data, **backend, options);
  if (!study.ok()) return study.status();
  return WriteTextProto(absl::GetFlag(FLAGS_out), *study);
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv, repro16::kUsage);
  const absl::Status status = repro16::Run();
  if (!status.ok()) {
    repro16::PrintFormat(stderr, "moving_average_study: %s\n",
                         status.message());
    return 2;
  }
  return 0;
}
