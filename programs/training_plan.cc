#include "programs/training_plan.h"

#include <algorithm>

#include "engine/create_backend.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"
#include "models/registry.h"

namespace repro16 {

absl::StatusOr<TrainingPlan> PlanTraining(
    std::string_view model, absl::Span<const std::string_view> policies,
    int64_t batch) {
  const absl::StatusOr<Graph> graph = BuildModel(model);
  if (!graph.ok()) return graph.status();
  const auto backend = CreateBackend(kDefaultBackend, {/*threads=*/1});
  if (!backend.ok()) return backend.status();
  TrainingPlan plan;
  plan.parameters = graph->ParameterCount();
  plan.has_batch_norm =
      std::any_of(graph->ops.begin(), graph->ops.end(),
                  [](const Op& op) { return op.kind == OpKind::kBatchNorm; });
  CompileOptions options;
  options.max_batch = batch;
  options.optimizer.emplace().mutable_sgd()->set_learning_rate(0.01);
  options.optimizer->mutable_sgd()->set_momentum(0.9);
  for (std::string_view name : policies) {
    const absl::StatusOr<PrecisionPolicy> policy = FindPolicy(name);
    if (!policy.ok()) return policy.status();
    const auto memory = (*backend)->Plan(*graph, *policy, options);
    if (!memory.ok()) return memory.status();
    plan.bytes.push_back(memory->Total());
  }
  return plan;
}

}  // namespace repro16
