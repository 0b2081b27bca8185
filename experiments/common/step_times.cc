// Times a training step in each policy of an experiment and writes the Timing
// section of its report (reports/report.proto), text form. Times stand apart
// from results: a report without them says "not measured".
//
//   step_times --model=mlp --policies=FP32,FP16 --out=timing.textproto
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/step_benchmark.h"
#include "experiments/common/report_parts.h"
#include "reports/report.pb.h"

ABSL_FLAG(std::string, model, "", "A name of models/registry.h.");
ABSL_FLAG(std::vector<std::string>, policies, {},
          "Policies; ratios refer to the first.");
ABSL_FLAG(std::string, out, "", "Where the Timing message goes.");

namespace repro16 {
namespace {

report::Timing TimingOf(const StepBenchmarkOptions& options,
                        const StepBenchmark& benchmark) {
  report::Timing timing;
  timing.set_note(absl::StrCat(
      "Whole training steps of ", options.model, ", batch ", options.batch,
      ", on ", benchmark.device, ", ", benchmark.simd_target, ": ",
      options.rounds,
      " alternating rounds just now; ratios of medians. Not comparable "
      "with the paper's GPU."));
  for (const StepRate& rate : benchmark.rates) {
    report::TimingRow& row = *timing.add_rows();
    row.set_what(absl::StrCat("training step, ", rate.policy));
    *row.mutable_ours() = EstimateOf(rate.images_per_second);
    row.set_unit("images/s");
    if (&rate == &benchmark.rates.front()) continue;
    row.set_ratio(rate.median / benchmark.rates.front().median);
    row.set_ratio_to(benchmark.rates.front().policy);
  }
  timing.set_command(absl::StrCat(
      "./bazelw run //benchmarks:train_step -- --model=", options.model,
      " --policies=", absl::StrJoin(options.policies, ",")));
  return timing;
}

absl::Status Run() {
  StepBenchmarkOptions options;
  options.model = absl::GetFlag(FLAGS_model);
  options.policies = absl::GetFlag(FLAGS_policies);
  const auto benchmark = MeasureTrainingSteps(options);
  if (!benchmark.ok()) return benchmark.status();
  return WriteTextProto(absl::GetFlag(FLAGS_out),
                        TimingOf(options, *benchmark));
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv,
                      "Times a training step in each policy of an experiment.");
  const absl::Status status = repro16::Run();
  if (!status.ok()) {
    std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
    return 2;
  }
  return 0;
}
