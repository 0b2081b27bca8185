// How fast a whole training step is, policy beside policy.
#ifndef REPRO16_PROGRAMS_STEP_BENCHMARK_H_
#define REPRO16_PROGRAMS_STEP_BENCHMARK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/create_backend.h"
#include "engine/graph/backend.h"

namespace repro16 {

struct StepBenchmarkOptions {
  std::string model;                  // models/registry.h
  std::vector<std::string> policies;  // engine/numerics/policy.h
  int64_t batch = 128;
  std::string backend = std::string(kDefaultBackend);
  BackendOptions backend_options;
  // In each round every policy has its turn, so that a change of the machine's
  // load meets all of them.
  int rounds = 7;
  double seconds = 0.3;  // of a turn, at least one step
  // Also measure each operation, which costs a little time itself.
  bool time_operations = false;
};

struct StepRate {
  std::string policy;
  std::vector<double> images_per_second;  // by round
  double median;                          // of them
  ProgramMemory memory;
  std::vector<OperationTime> operations;  // over all steps, if asked for
  int64_t steps;
};

struct StepBenchmark {
  std::string device;
  std::string variant;  // of the backend
  // Floating-point operations of one example's step: a multiply-add is two, and
  // the gradients of an operation's parameters and of its input each cost as
  // much as its forward pass. The first layer's input needs no gradient.
  double flops_per_image;
  // Of the workers' multiply-add units in the same run, f32 operations a
  // second.
  double ceiling_flops;
  std::vector<StepRate> rates;  // in the order of the options
};

// Times forward pass, backward pass and SGD update on one batch of noise that
// lies on the device. Counters of overflow and underflow run as always.
absl::StatusOr<StepBenchmark> MeasureTrainingSteps(
    const StepBenchmarkOptions& options);

}  // namespace repro16

#endif  // REPRO16_PROGRAMS_STEP_BENCHMARK_H_
