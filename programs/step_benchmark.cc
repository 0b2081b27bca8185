#include "programs/step_benchmark.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/graph/cost.h"
#include "engine/graph/memory_plan.h"
#include "engine/numerics/policy.h"
#include "engine/training/initialize.h"
#include "models/registry.h"

namespace repro16 {
namespace {

double StepFlops(const Graph& graph) {
  double flops = 0;
  bool first = true;
  for (const Op& op : graph.ops) {
    const auto forward = 2.0 * static_cast<double>(MultiplyAdds(graph, op));
    flops += forward * (first ? 2 : 3);
    if (!op.parameters.empty()) first = false;
  }
  return flops;
}

double Median(std::vector<double> values) {
  const auto middle =
      values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// One policy's program.
struct Contender {
  PrecisionPolicy policy;
  std::unique_ptr<Program> program;
  int64_t step = 0;  // timed ones
  StepRate rate;
  std::vector<OperationTime> before;  // the timed steps
};

std::vector<OperationTime> TimesSince(const Contender& contender) {
  std::vector<OperationTime> times = contender.program->operation_times();
  for (size_t i = 0; i < times.size(); ++i) {
    times[i].forward -= contender.before[i].forward;
    times[i].backward -= contender.before[i].backward;
  }
  return times;
}

absl::Status CheckRange(std::string_view name, int64_t value) {
  constexpr int64_t kMost = 1000000;
  if (value >= 1 && value <= kMost) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": ", value, " is not in [1, ", kMost, "]"));
}

class Runner {
 public:
  explicit Runner(const StepBenchmarkOptions& options) : options_(options) {}

  absl::StatusOr<StepBenchmark> Run() {
    if (absl::Status status = Prepare(); !status.ok()) return status;
    for (int round = 0; round < options_.rounds; ++round) {
      for (Contender& contender : contenders_) {
        if (absl::Status status = Turn(contender); !status.ok()) return status;
      }
    }
    StepBenchmark result{
        backend_->device(), backend_->variant(), StepFlops(graph_), 0, {}};
    for (Contender& contender : contenders_) {
      contender.rate.median = Median(contender.rate.images_per_second);
      contender.rate.operations = TimesSince(contender);
      contender.rate.steps = contender.step;
      result.rates.push_back(std::move(contender.rate));
    }
    result.ceiling_flops = backend_->MultiplyAddCeiling();
    return result;
  }

 private:
  absl::Status Prepare() {
    if (absl::Status status = CheckRange("batch", options_.batch);
        !status.ok()) {
      return status;
    }
    if (absl::Status status = CheckRange("rounds", options_.rounds);
        !status.ok()) {
      return status;
    }
    if (options_.policies.empty()) {
      return absl::InvalidArgumentError("policies: name at least one");
    }
    auto backend = CreateBackend(options_.backend, options_.backend_options);
    if (!backend.ok()) return backend.status();
    backend_ = *std::move(backend);
    auto graph = BuildModel(options_.model);
    if (!graph.ok()) return graph.status();
    graph_ = *std::move(graph);
    for (const std::string& policy : options_.policies) {
      if (absl::Status status = Plan(policy); !status.ok()) return status;
    }
    if (absl::Status status = CheckMemory(); !status.ok()) return status;
    if (absl::Status status = UploadNoise(); !status.ok()) return status;
    for (Contender& contender : contenders_) {
      absl::Status status = Compile(contender);
      if (status.ok()) status = WarmUp(contender);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Before any of the memory is taken.
  absl::Status CheckMemory() const {
    int64_t needed = 0;
    for (const Contender& contender : contenders_) {
      needed += contender.rate.memory.Total();
    }
    return repro16::CheckMemory(
        absl::StrFormat("model %s with batch %d in all policies",
                        options_.model, options_.batch),
        needed, backend_->available_bytes(),
        "reduce the batch, or compare fewer policies");
  }

  // A first step, which meets cold memory, and counts nowhere.
  absl::Status WarmUp(Contender& contender) {
    absl::Status status =
        InitializeParameters(graph_, /*seed=*/1, *contender.program);
    if (!status.ok()) return status;
    const BatchSource source{images_.get(), labels_.get()};
    status = contender.program->TrainStep(source, 0, options_.batch, 0);
    if (status.ok()) status = contender.program->Synchronize();
    contender.before = contender.program->operation_times();
    return status;
  }

  absl::Status UploadNoise() {
    const int64_t pixels = graph_.tensors[graph_.input].shape.NumElements();
    std::vector<uint8_t> images(static_cast<size_t>(options_.batch * pixels));
    std::vector<uint8_t> labels(static_cast<size_t>(options_.batch));
    uint32_t state = 1;
    for (uint8_t& byte : images) {
      state = state * 1664525 + 1013904223;  // Numerical Recipes, section 7.1
      byte = static_cast<uint8_t>(state >> 24);
    }
    for (size_t i = 0; i < labels.size(); ++i) {
      labels[i] = static_cast<uint8_t>(i % 10);
    }
    for (auto [bytes, buffer] :
         {std::pair{&images, &images_}, std::pair{&labels, &labels_}}) {
      auto allocated = backend_->Allocate(static_cast<int64_t>(bytes->size()));
      if (!allocated.ok()) return allocated.status();
      *buffer = *std::move(allocated);
      const absl::Status status = backend_->Upload(*bytes, **buffer);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  CompileOptions OptionsOfAStep() const {
    CompileOptions options;
    options.max_batch = options_.batch;
    options.time_operations = options_.time_operations;
    // A small rate: many steps on one batch of noise stay finite.
    options.optimizer.emplace().mutable_sgd()->set_learning_rate(1e-3);
    options.optimizer->mutable_sgd()->set_momentum(0.9);
    return options;
  }

  absl::Status Plan(const std::string& name) {
    const auto policy = FindPolicy(name);
    if (!policy.ok()) return policy.status();
    const auto memory = backend_->Plan(graph_, *policy, OptionsOfAStep());
    if (!memory.ok()) return memory.status();
    contenders_.push_back(
        {*policy, nullptr, 0, {name, {}, 0, *memory, {}, 0}, {}});
    return absl::OkStatus();
  }

  absl::Status Compile(Contender& contender) {
    auto program =
        backend_->Compile(graph_, contender.policy, OptionsOfAStep());
    if (!program.ok()) return program.status();
    contender.program = *std::move(program);
    std::array<double, 256> table;
    for (size_t i = 0; i < table.size(); ++i) {
      table[i] = static_cast<double>(i) / 255;
    }
    return contender.program->SetInputTable(table);
  }

  absl::Status Turn(Contender& contender) {
    using Clock = std::chrono::steady_clock;
    const BatchSource source{images_.get(), labels_.get()};
    const auto start = Clock::now();
    int64_t steps = 0;
    double seconds = 0;
    // Steps that are enqueued before one is waited for, as in training; more of
    // them the shorter they are, so that a turn ends in time.
    int64_t together = 1;
    constexpr int64_t kMostTogether = 64;
    do {
      absl::Status status;
      for (int64_t i = 0; i < together && status.ok(); ++i) {
        status = contender.program->TrainStep(source, 0, options_.batch,
                                              contender.step++);
      }
      if (status.ok()) status = contender.program->Synchronize();
      if (!status.ok()) return status;
      steps += together;
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
      const double each = seconds / static_cast<double>(steps);
      if (2 * static_cast<double>(together) * each < options_.seconds / 8) {
        together = std::min(2 * together, kMostTogether);
      }
    } while (seconds < options_.seconds);
    contender.rate.images_per_second.push_back(
        static_cast<double>(steps * options_.batch) / seconds);
    return contender.program->TakeRecords().status();
  }

  const StepBenchmarkOptions& options_;
  std::unique_ptr<Backend> backend_;
  Graph graph_;
  std::unique_ptr<DeviceBuffer> images_;
  std::unique_ptr<DeviceBuffer> labels_;
  std::vector<Contender> contenders_;
};

}  // namespace

absl::StatusOr<StepBenchmark> MeasureTrainingSteps(
    const StepBenchmarkOptions& options) {
  return Runner(options).Run();
}

}  // namespace repro16
