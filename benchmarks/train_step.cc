// How fast a whole training step is, policy beside policy.
//
//   ./bazelw run //benchmarks:train_step -- --model=mlp --policies=FP32,FP16,MP
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_format.h"
#include "engine/io/flags.h"
#include "engine/step_benchmark.h"

ABSL_FLAG(std::string, model, "mlp", "A name of models/registry.h.");
ABSL_FLAG(std::vector<std::string>, policies,
          std::vector<std::string>({"FP32", "FP16", "MP", "BF16"}),
          "Policies to compare, comma-separated.");
ABSL_FLAG(int, batch, 128, "Examples of a step.");
ABSL_FLAG(int, threads, 0, "Worker threads; 0 takes one per core.");
ABSL_FLAG(std::string, simd, "auto", "Instruction set, as in //engine:train.");
ABSL_FLAG(int, rounds, 7,
          "Rounds; in each, every policy has its turn. The median is printed.");
ABSL_FLAG(double, seconds, 0.3, "Length of one turn.");

namespace repro16 {
namespace {

void Print(const StepBenchmark& benchmark) {
  absl::PrintF("%s, batch %d, on %s, %s; median of %d alternating rounds\n",
               absl::GetFlag(FLAGS_model), absl::GetFlag(FLAGS_batch),
               benchmark.device, benchmark.simd_target,
               absl::GetFlag(FLAGS_rounds));
  absl::PrintF("%-12s %12s %10s %14s %12s\n", "policy", "images/s", "GFLOP/s",
               "against first", "memory MB");
  for (const StepRate& rate : benchmark.rates) {
    absl::PrintF("%-12s %12.0f %10.1f %14.2f %12.2f\n", rate.policy,
                 rate.median, rate.median * benchmark.flops_per_image / 1e9,
                 rate.median / benchmark.rates.front().median,
                 static_cast<double>(rate.memory.Total()) / 1e6);
  }
}

int Main() {
  const auto benchmark = MeasureTrainingSteps(
      {absl::GetFlag(FLAGS_model),
       absl::GetFlag(FLAGS_policies),
       absl::GetFlag(FLAGS_batch),
       {absl::GetFlag(FLAGS_threads), absl::GetFlag(FLAGS_simd)},
       absl::GetFlag(FLAGS_rounds),
       absl::GetFlag(FLAGS_seconds)});
  if (!benchmark.ok()) {
    std::fprintf(stderr, "train_step: %s\n",
                 std::string(benchmark.status().message()).c_str());
    return 2;
  }
  Print(*benchmark);
  return 0;
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(
      argc, argv,
      "Times whole training steps, policy beside policy, in turns.");
  return repro16::Main();
}
