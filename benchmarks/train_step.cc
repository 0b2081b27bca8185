// How fast a whole training step is, policy beside policy.
//
//   ./bazelw run //benchmarks:train_step -- --model=mlp --policies=FP32,FP16,MP
#include <sys/resource.h>

#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/train_step.pb.h"
#include "engine/create_backend.h"
#include "engine/io/file.h"
#include "engine/io/flags.h"
#include "engine/io/terminal.h"
#include "google/protobuf/util/json_util.h"
#include "programs/step_benchmark.h"

ABSL_FLAG(std::string, model, "mlp", "A name of models/registry.h.");
ABSL_FLAG(std::vector<std::string>, policies,
          std::vector<std::string>({"FP32", "FP16", "MP", "BF16"}),
          "Policies to compare, comma-separated.");
ABSL_FLAG(int, batch, 128, "Examples of a step.");
ABSL_FLAG(std::string, backend, std::string(repro16::kDefaultBackend),
          "Where the steps run.");
ABSL_FLAG(int, threads, 0, "Worker threads; 0 takes one per core.");
ABSL_FLAG(std::string, simd, "auto",
          "Instruction set, as in //programs:train.");
ABSL_FLAG(int, rounds, 7,
          "Rounds; in each, every policy has its turn. The median is printed.");
ABSL_FLAG(double, seconds, 0.3, "Length of one turn, at least one step.");
ABSL_FLAG(std::string, json, "", "File to write the figures to.");
ABSL_FLAG(bool, operations, false,
          "Also print the time of each kind of operation.");

namespace repro16 {
namespace {

TrainStepReport Report(const StepBenchmark& benchmark) {
  TrainStepReport report;
  report.set_model(absl::GetFlag(FLAGS_model));
  report.set_batch(absl::GetFlag(FLAGS_batch));
  report.set_device(benchmark.device);
  report.set_simd_target(benchmark.variant);
  report.set_ceiling_gflops(benchmark.ceiling_flops / 1e9);
  for (const StepRate& rate : benchmark.rates) {
    TrainStepReport::Policy& policy = *report.add_policies();
    policy.set_policy(rate.policy);
    policy.set_images_per_second(rate.median);
    policy.mutable_rounds()->Add(rate.images_per_second.begin(),
                                 rate.images_per_second.end());
    const double flops = rate.median * benchmark.flops_per_image;
    policy.set_gflops(flops / 1e9);
    policy.set_share_of_ceiling(flops / benchmark.ceiling_flops);
    TrainStepReport::Memory& memory = *policy.mutable_planned();
    memory.set_arena(rate.memory.arena);
    memory.set_workspace(rate.memory.workspace);
    memory.set_parameters(rate.memory.parameters);
    memory.set_gradients(rate.memory.gradients);
    memory.set_slots(rate.memory.slots);
    memory.set_total(rate.memory.Total());
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  report.set_peak_rss_bytes(int64_t{usage.ru_maxrss} * 1024);
  return report;
}

void Print(const TrainStepReport& report) {
  PrintFormat(stdout,
              "%s, batch %d, on %s, %s; median of %d alternating rounds; "
              "multiply-add ceiling %.0f GFLOP/s\n",
              report.model(), report.batch(), report.device(),
              report.simd_target(), absl::GetFlag(FLAGS_rounds),
              report.ceiling_gflops());
  PrintFormat(stdout, "%-12s %12s %10s %9s %14s %12s\n", "policy", "images/s",
              "GFLOP/s", "share", "against first", "planned MB");
  for (const TrainStepReport::Policy& policy : report.policies()) {
    PrintFormat(
        stdout, "%-12s %12.1f %10.1f %8.0f%% %14.2f %12.2f\n", policy.policy(),
        policy.images_per_second(), policy.gflops(),
        100 * policy.share_of_ceiling(),
        policy.images_per_second() / report.policies(0).images_per_second(),
        static_cast<double>(policy.planned().total()) / 1e6);
  }
}

// Milliseconds a step by kind of operation.
void PrintOperations(const StepRate& rate) {
  std::map<OpKind, std::pair<double, double>> by_kind;
  for (const OperationTime& time : rate.operations) {
    by_kind[time.kind].first += time.forward;
    by_kind[time.kind].second += time.backward;
  }
  PrintFormat(stdout, "\n%-24s %12s %12s   (%s, ms a step)\n", "operation",
              "forward", "backward", rate.policy);
  const double scale = 1e3 / static_cast<double>(rate.steps);
  for (const auto& [kind, seconds] : by_kind) {
    PrintFormat(stdout, "%-24s %12.2f %12.2f\n", TraitsOf(kind).name,
                seconds.first * scale, seconds.second * scale);
  }
}

absl::Status WriteJson(const TrainStepReport& report, const std::string& path) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(report, &json, options);
  if (!status.ok()) return absl::InternalError(status.ToString());
  return WriteFileAtomically(path, json);
}

absl::StatusOr<StepBenchmark> Measure() {
  const std::string json = absl::GetFlag(FLAGS_json);
  if (!json.empty()) {
    if (absl::Status status = CheckWritable(json); !status.ok()) return status;
  }
  StepBenchmarkOptions options;
  options.model = absl::GetFlag(FLAGS_model);
  options.policies = absl::GetFlag(FLAGS_policies);
  options.batch = absl::GetFlag(FLAGS_batch);
  options.backend = absl::GetFlag(FLAGS_backend);
  options.backend_options.threads = absl::GetFlag(FLAGS_threads);
  options.backend_options.variant = absl::GetFlag(FLAGS_simd);
  options.rounds = absl::GetFlag(FLAGS_rounds);
  options.seconds = absl::GetFlag(FLAGS_seconds);
  options.time_operations = absl::GetFlag(FLAGS_operations);
  return MeasureTrainingSteps(options);
}

int Main() {
  const absl::StatusOr<StepBenchmark> benchmark = Measure();
  absl::Status status = benchmark.status();
  if (status.ok()) {
    const TrainStepReport report = Report(*benchmark);
    Print(report);
    if (absl::GetFlag(FLAGS_operations)) {
      for (const StepRate& rate : benchmark->rates) PrintOperations(rate);
    }
    const std::string json = absl::GetFlag(FLAGS_json);
    if (!json.empty()) status = WriteJson(report, json);
  }
  if (status.ok()) return 0;
  PrintFormat(stderr, "train_step: %s\n", status.message());
  return 2;
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(
      argc, argv,
      "Times whole training steps, policy beside policy, in turns.");
  return repro16::Main();
}
