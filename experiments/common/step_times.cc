// Times training steps in the policies of an experiment and writes the Timing
// section of its report (reports/report.proto), text form. Times stand apart
// from results: a report without them says "not measured".
//
//   step_times --models=mlp --policies=FP32,FP16 --out=timing.textproto
//   step_times --models=vgg16,vit8 --policies=FP16,FP32,MP
//       --golden=golden.textproto --out=timing.textproto
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/io/terminal.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/report_parts.h"
#include "programs/step_benchmark.h"
#include "reports/format.h"
#include "reports/golden.h"
#include "reports/report.pb.h"

ABSL_FLAG(std::vector<std::string>, models, {},
          "Names of models/registry.h; of several, each is a row.");
ABSL_FLAG(std::vector<std::string>, policies, {},
          "Policies; ratios refer to the first.");
ABSL_FLAG(std::string, golden, "",
          "Golden file with the paper's ratios of times, if any: of several "
          "models, the values \"<model>/<policy>/<first policy>\" and "
          "\"mean/<policy>/<first policy>\".");
ABSL_FLAG(std::string, out, "", "Where the Timing message goes.");

namespace repro16 {
namespace {

constexpr double kPaperImages = 100 * 50'000;  // epochs of CIFAR-10

std::string MethodText(const StepBenchmarkOptions& options,
                       const StepBenchmark& benchmark, std::string_view what) {
  return absl::StrCat("Whole training steps of ", what, ", batch ",
                      options.batch, ", on ", benchmark.device, ", ",
                      benchmark.variant, ": ", options.rounds,
                      " alternating rounds just now; ratios of medians. ");
}

std::string CommandText(const StepBenchmarkOptions& options) {
  return absl::StrCat(
      "./bazelw run //benchmarks:train_step -- --model=", options.model,
      " --policies=", absl::StrJoin(options.policies, ","));
}

report::Timing TimingOf(const StepBenchmarkOptions& options,
                        const StepBenchmark& benchmark) {
  report::Timing timing;
  timing.set_note(absl::StrCat(MethodText(options, benchmark, options.model),
                               "Not comparable with the paper's GPU."));
  for (const StepRate& rate : benchmark.rates) {
    report::TimingRow& row = *timing.add_rows();
    row.set_what(absl::StrCat("training step, ", rate.policy));
    *row.mutable_ours() = EstimateOf(rate.images_per_second);
    row.set_unit("images/s");
    if (&rate == &benchmark.rates.front()) continue;
    row.set_ratio(rate.median / benchmark.rates.front().median);
    row.set_ratio_to(benchmark.rates.front().policy);
  }
  timing.set_command(CommandText(options));
  return timing;
}

// ---- Several models: a row for each, and the ratios of their times ----------

class Comparison {
 public:
  explicit Comparison(const Golden& golden) {
    for (const PaperValue& value : golden.paper()) {
      paper_[value.id()] = value.value();
    }
  }

  void Add(const StepBenchmarkOptions& options,
           const StepBenchmark& benchmark) {
    const std::string network = NetworkName(options.model);
    for (const StepRate& rate : benchmark.rates) {
      report::TimingRow& row = *timing_.add_rows();
      row.set_group(network);
      row.set_what(rate.policy);
      *row.mutable_ours() = EstimateOf(rate.images_per_second);
      row.mutable_ours()->clear_n();  // the rounds, which the caption tells
      row.set_unit("images/s");
      row.set_note(absl::StrCat(
          FormatCount(static_cast<uint64_t>(kPaperImages / rate.median)),
          " s"));
    }
    const StepRate& first = benchmark.rates.front();
    for (const StepRate& rate : benchmark.rates) {
      if (&rate == &first) continue;
      const std::string ratio = absl::StrCat(rate.policy, "/", first.policy);
      // Of times: the other way round than of rates.
      const double times = first.median / rate.median;
      ratios_[ratio].push_back(times);
      AddRatio(network, options.model, ratio, times);
    }
    timing_.set_note(absl::StrCat(
        MethodText(options, benchmark, "the full networks"),
        "Below a rate: the seconds that 100 epochs of 50,000 images would take "
        "at it, without evaluation. On this processor, not on the paper's GPU: "
        "shown, never judged."));
    timing_.set_command(CommandText(options));
  }

  report::Timing Finish() {
    for (const auto& [ratio, values] : ratios_) {
      AddRatio("Mean", "mean", ratio, EstimateOf(values).mean());
    }
    return timing_;
  }

 private:
  void AddRatio(const std::string& group, const std::string& id,
                const std::string& ratio, double times) {
    report::TimingRow& row = *timing_.add_rows();
    row.set_group(group);
    row.set_what(absl::StrJoin(absl::StrSplit(ratio, '/'), " / "));
    row.mutable_ours()->set_mean(times);
    row.set_unit("x");
    const auto paper = paper_.find(absl::StrCat(id, "/", ratio));
    if (paper != paper_.end()) row.set_paper_ratio(paper->second);
  }

  std::map<std::string, double> paper_;  // by id
  std::map<std::string, std::vector<double>> ratios_;
  report::Timing timing_;
};

absl::StatusOr<report::Timing> CompareModels(
    StepBenchmarkOptions options, const std::vector<std::string>& models) {
  Golden golden;
  if (const std::string path = absl::GetFlag(FLAGS_golden); !path.empty()) {
    absl::StatusOr<Golden> read = ReadGolden(path);
    if (!read.ok()) return read.status();
    golden = *std::move(read);
  }
  // A minute or two in all, also where a step takes most of a second.
  options.batch = 64;
  options.rounds = 3;
  options.seconds = 0.2;
  Comparison comparison(golden);
  for (size_t i = 0; i < models.size(); ++i) {
    PrintFormat(stderr, "Timing %s, %d of %d\n", NetworkName(models[i]), i + 1,
                models.size());
    options.model = models[i];
    const auto benchmark = MeasureTrainingSteps(options);
    if (!benchmark.ok()) return benchmark.status();
    comparison.Add(options, *benchmark);
  }
  return comparison.Finish();
}

absl::StatusOr<report::Timing> Measure() {
  const std::vector<std::string> models = absl::GetFlag(FLAGS_models);
  StepBenchmarkOptions options;
  options.policies = absl::GetFlag(FLAGS_policies);
  if (models.empty()) {
    return absl::InvalidArgumentError("--models: name at least one");
  }
  if (models.size() > 1) return CompareModels(options, models);
  options.model = models.front();
  const auto benchmark = MeasureTrainingSteps(options);
  if (!benchmark.ok()) return benchmark.status();
  return TimingOf(options, *benchmark);
}

absl::Status Run() {
  const absl::StatusOr<report::Timing> timing = Measure();
  if (!timing.ok()) return timing.status();
  return WriteTextProto(absl::GetFlag(FLAGS_out), *timing);
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv,
                      "Times training steps in the policies of an experiment.");
  const absl::Status status = repro16::Run();
  if (!status.ok()) {
    repro16::PrintFormat(stderr, "error: %s\n", status.message());
    return 2;
  }
  return 0;
}
