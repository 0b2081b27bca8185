// What is known of a training before its first step.
#ifndef REPRO16_PROGRAMS_TRAINING_PLAN_H_
#define REPRO16_PROGRAMS_TRAINING_PLAN_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace repro16 {

struct TrainingPlan {
  int64_t parameters = 0;  // with the moving statistics
  bool has_batch_norm = false;
  // Of arena, workspace, parameters, gradients and slots, by policy.
  std::vector<int64_t> bytes;
};

// Of the full network `model` (models/registry.h), trained by SGD with momentum
// in batches of `batch`, in each of the policies, on the CPU by one thread.
// NotFound names the known models or policies.
absl::StatusOr<TrainingPlan> PlanTraining(
    std::string_view model, absl::Span<const std::string_view> policies,
    int64_t batch);

}  // namespace repro16

#endif  // REPRO16_PROGRAMS_TRAINING_PLAN_H_
