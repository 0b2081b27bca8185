// How fast a whole training step is, policy beside policy.
//
//   bazel run //benchmarks:train_step -- --model=mlp --policies=FP32,FP16,MP
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/graph/backend.h"
#include "engine/graph/cost.h"
#include "engine/numerics/policy.h"
#include "engine/training/initialize.h"
#include "models/registry.h"

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

// Floating-point operations of one example's step: a multiply-add is two, and
// the gradients of an operation's parameters and of its input each cost as much
// as its forward pass. The first layer's input needs no gradient.
double StepFlops(const Graph& graph) {
  double flops = 0;
  bool first = true;
  for (const Op& op : graph.ops) {
    const auto forward =
        2.0 * static_cast<double>(CostOf(graph, op).multiply_adds);
    flops += forward * (first ? 2 : 3);
    if (!op.parameters.empty()) first = false;
  }
  return flops;
}

// One policy's program with a batch of noise on the device.
struct Contender {
  std::string policy;
  std::unique_ptr<Program> program;
  int64_t step = 0;
  std::vector<double> images_per_second;  // by round
};

class Benchmark {
 public:
  absl::Status Run() {
    auto backend = CreateCpuBackend(
        {absl::GetFlag(FLAGS_threads), absl::GetFlag(FLAGS_simd)});
    if (!backend.ok()) return backend.status();
    backend_ = *std::move(backend);
    stream_ = backend_->CreateStream();
    auto graph = BuildModel(absl::GetFlag(FLAGS_model));
    if (!graph.ok()) return graph.status();
    graph_ = *std::move(graph);
    batch_ = absl::GetFlag(FLAGS_batch);
    if (batch_ < 1 || absl::GetFlag(FLAGS_rounds) < 1) {
      return absl::InvalidArgumentError(
          "--batch and --rounds must be at least 1");
    }
    if (absl::Status status = MakeBatch(); !status.ok()) return status;
    for (const std::string& policy : absl::GetFlag(FLAGS_policies)) {
      if (absl::Status status = Add(policy); !status.ok()) return status;
    }
    for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
      for (Contender& contender : contenders_) {
        if (absl::Status status = Turn(contender); !status.ok()) return status;
      }
    }
    Print();
    return absl::OkStatus();
  }

 private:
  absl::Status MakeBatch() {
    const int64_t pixels = graph_.tensors[graph_.input].shape.NumElements();
    std::vector<uint8_t> images(static_cast<size_t>(batch_ * pixels));
    std::vector<uint8_t> labels(static_cast<size_t>(batch_));
    uint32_t state = 1;
    for (uint8_t& byte : images)
      byte = static_cast<uint8_t>((state = state * 1664525 + 1) >> 24);
    for (size_t i = 0; i < labels.size(); ++i)
      labels[i] = static_cast<uint8_t>(i % 10);
    auto image_buffer = backend_->Allocate(static_cast<int64_t>(images.size()));
    auto label_buffer = backend_->Allocate(batch_);
    if (!image_buffer.ok()) return image_buffer.status();
    if (!label_buffer.ok()) return label_buffer.status();
    images_ = *std::move(image_buffer);
    labels_ = *std::move(label_buffer);
    if (absl::Status status = backend_->Upload(images, *images_); !status.ok())
      return status;
    return backend_->Upload(labels, *labels_);
  }

  absl::Status Add(const std::string& name) {
    auto policy = FindPolicy(name);
    if (!policy.ok()) return policy.status();
    CompileOptions options;
    options.max_batch = batch_;
    options.optimizer.emplace();
    // Small, so that hours of steps on one batch of noise stay finite.
    options.optimizer->mutable_sgd()->set_learning_rate(1e-3);
    options.optimizer->mutable_sgd()->set_momentum(0.9);
    auto program = backend_->Compile(graph_, *policy, options);
    if (!program.ok()) return program.status();
    Contender contender{name, *std::move(program), 0, {}};
    std::array<double, 256> table;
    for (size_t i = 0; i < table.size(); ++i)
      table[i] = static_cast<double>(i) / 255;
    if (absl::Status status = contender.program->SetInputTable(table);
        !status.ok())
      return status;
    if (absl::Status status =
            InitializeParameters(graph_, 1, *contender.program);
        !status.ok()) {
      return status;
    }
    contenders_.push_back(std::move(contender));
    return absl::OkStatus();
  }

  absl::Status Turn(Contender& contender) {
    using Clock = std::chrono::steady_clock;
    const BatchSource source{images_.get(), labels_.get()};
    const auto start = Clock::now();
    int64_t steps = 0;
    double seconds = 0;
    while (seconds < absl::GetFlag(FLAGS_seconds)) {
      const absl::Status status = contender.program->TrainStep(
          source, 0, batch_, contender.step++, *stream_);
      if (!status.ok()) return status;
      ++steps;
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    contender.images_per_second.push_back(static_cast<double>(steps * batch_) /
                                          seconds);
    return contender.program->TakeRecords(*stream_).status();
  }

  void Print() {
    const double flops = StepFlops(graph_);
    absl::PrintF("%s, batch %d, on %s, %s; median of %d alternating rounds\n",
                 absl::GetFlag(FLAGS_model), batch_, backend_->device(),
                 backend_->simd_target(), absl::GetFlag(FLAGS_rounds));
    absl::PrintF("%-12s %12s %10s %14s %12s\n", "policy", "images/s", "GFLOP/s",
                 "against first", "memory MB");
    double first = 0;
    for (Contender& contender : contenders_) {
      std::vector<double>& rates = contender.images_per_second;
      std::nth_element(rates.begin(),
                       rates.begin() + static_cast<ptrdiff_t>(rates.size() / 2),
                       rates.end());
      const double median = rates[rates.size() / 2];
      if (first == 0) first = median;
      absl::PrintF(
          "%-12s %12.0f %10.1f %14.2f %12.2f\n", contender.policy, median,
          median * flops / 1e9, median / first,
          static_cast<double>(contender.program->memory().Total()) / 1e6);
    }
  }

  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Stream> stream_;
  Graph graph_;
  int64_t batch_ = 0;
  std::unique_ptr<DeviceBuffer> images_;
  std::unique_ptr<DeviceBuffer> labels_;
  std::vector<Contender> contenders_;
};

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Times whole training steps, policy beside policy, in turns.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = repro16::Benchmark().Run();
  if (!status.ok()) {
    std::fprintf(stderr, "train_step: %s\n",
                 std::string(status.message()).c_str());
    return 2;
  }
  return 0;
}
