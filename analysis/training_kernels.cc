#include "analysis/training_kernels.h"

#include <cstddef>
#include <utility>

#include "engine/graph/cost.h"
#include "engine/graph/schedule.h"
#include "engine/tensor/dtype.h"

namespace repro16 {
namespace {

bool HasMatrixProduct(OpKind kind) {
  switch (kind) {
    case OpKind::kDense:
    case OpKind::kConv2D:
    case OpKind::kDepthwiseConv2D:
    case OpKind::kAttentionScores:
    case OpKind::kAttentionContext:
      return true;
    default:
      return false;
  }
}

// Appends the kernels of a pass.
class KernelList {
 public:
  KernelList(const Graph& graph, const PrecisionPolicy& policy,
             const KernelOptions& options)
      : graph_(graph), policy_(policy), options_(options) {}

  std::vector<Kernel> Take() && { return std::move(kernels_); }

  void Forward(const Op& op, bool training);
  void Backward(const Op& op, const Step& step);
  // Adds a contribution to the gradient of `tensor`.
  void Accumulate(TensorId tensor) {
    Move(Pass::kBackward, 3 * Activation(tensor));
  }
  void CastWeights();
  void PrepareGradients();
  void Update();

 private:
  void Product(Pass pass, const Op& op, double bytes) {
    kernels_.push_back({pass, UnitOf(op),
                        2 * static_cast<double>(MultiplyAdds(graph_, op)) *
                            static_cast<double>(options_.batch),
                        bytes});
  }
  void Move(Pass pass, double bytes) {
    kernels_.push_back({pass, MathUnit::kF32, 0, bytes});
  }

  MathUnit UnitOf(const Op& op) const {
    if (op.kind == OpKind::kDepthwiseConv2D) return MathUnit::kF32;
    if (policy_.activation == DType::kF32) {
      return options_.tf32 ? MathUnit::kTf32 : MathUnit::kF32;
    }
    return policy_.accumulator == DType::kF32 ? MathUnit::kF16
                                              : MathUnit::kF16Acc16;
  }

  // Bytes of a batch of the tensor, or of its gradient.
  double Activation(TensorId id) const {
    return static_cast<double>(graph_.tensors[id].shape.NumElements()) *
           static_cast<double>(options_.batch) *
           static_cast<double>(SizeOf(policy_.activation));
  }
  double Inputs(const Op& op) const {
    double bytes = 0;
    for (TensorId id : op.inputs) bytes += Activation(id);
    return bytes;
  }
  double Elements(const Parameter& parameter) const {
    return static_cast<double>(parameter.shape.NumElements());
  }
  // As operations read it.
  double Weight(const Op& op, size_t i) const {
    return Elements(graph_.parameters[op.parameters[i]]) *
           static_cast<double>(SizeOf(policy_.activation));
  }

  void BackwardOfProduct(const Op& op, const Step& step);

  const Graph& graph_;
  const PrecisionPolicy& policy_;
  const KernelOptions& options_;
  std::vector<Kernel> kernels_;
};

void KernelList::Forward(const Op& op, bool training) {
  const double x = Inputs(op);
  const double y = Activation(op.output);
  if (HasMatrixProduct(op.kind)) {
    const bool weighted = !op.parameters.empty();
    Product(Pass::kForward, op, x + (weighted ? Weight(op, 0) : 0) + y);
    if (op.parameters.size() == 2) Move(Pass::kForward, y + y);
    return;
  }
  switch (op.kind) {
    case OpKind::kFlatten:
      return;
    case OpKind::kBatchNorm:
      Move(Pass::kForward, (training ? 2 * x : x) + y);
      for (ParameterId id : op.parameters) {
        const Parameter& statistic = graph_.parameters[id];
        if (!training || statistic.role != ParameterRole::kMovingStatistic) {
          continue;
        }
        Move(Pass::kForward,
             2 * Elements(statistic) *
                 static_cast<double>(SizeOf(policy_.batch_norm)));
      }
      return;
    case OpKind::kLayerNorm:
      Move(Pass::kForward, 2 * x + y);
      return;
    case OpKind::kPositionEmbedding:
      Move(Pass::kForward, x + Weight(op, 0) + y);
      return;
    case OpKind::kSoftmaxCrossEntropy:
      Move(Pass::kForward, x);
      return;
    default:
      Move(Pass::kForward, x + y);
  }
}

void KernelList::BackwardOfProduct(const Op& op, const Step& step) {
  const double dy = Activation(op.output);
  const double x = Inputs(op);
  if (op.parameters.empty()) {  // of two activations
    Product(Pass::kBackward, op, dy + x);
    Product(Pass::kBackward, op, dy + x);
    return;
  }
  Product(Pass::kBackward, op, x + dy + Weight(op, 0));
  if (step.input_gradients[0] != kNoValue) {
    Product(Pass::kBackward, op, dy + Weight(op, 0) + x);
  }
  if (op.parameters.size() == 2) Move(Pass::kBackward, dy);
}

void KernelList::Backward(const Op& op, const Step& step) {
  if (HasMatrixProduct(op.kind)) return BackwardOfProduct(op, step);
  const double x = Inputs(op);  // and dx
  const double y = Activation(op.output);
  switch (op.kind) {
    case OpKind::kFlatten:
    case OpKind::kAdd:
      return;
    case OpKind::kBatchNorm:
    case OpKind::kLayerNorm:
      Move(Pass::kBackward, 2 * x + 2 * y + x);
      return;
    case OpKind::kRelu:
    case OpKind::kRelu6:
    case OpKind::kTanh:
    case OpKind::kGelu:
    case OpKind::kSoftmax:
      Move(Pass::kBackward, 3 * y);
      return;
    case OpKind::kMaxPool:
      Move(Pass::kBackward, 2 * x + 2 * y);
      return;
    case OpKind::kConcat:
      for (TensorId id : op.inputs) Move(Pass::kBackward, 2 * Activation(id));
      return;
    case OpKind::kPositionEmbedding:
      Move(Pass::kBackward, y + Weight(op, 0));
      return;
    case OpKind::kSoftmaxCrossEntropy:
      Move(Pass::kBackward, 2 * x);
      return;
    default:
      Move(Pass::kBackward, y + x);
  }
}

// Type in which operations read the parameter and write its gradient.
DType ReadType(const Parameter& parameter, const PrecisionPolicy& policy) {
  return parameter.role == ParameterRole::kWeight ? policy.activation
                                                  : policy.batch_norm;
}

DType KeptType(const Parameter& parameter, const PrecisionPolicy& policy) {
  return parameter.role == ParameterRole::kWeight ? policy.parameter
                                                  : policy.batch_norm;
}

void KernelList::CastWeights() {
  for (const Parameter& parameter : graph_.parameters) {
    const DType read = ReadType(parameter, policy_);
    const DType kept = KeptType(parameter, policy_);
    if (read == kept || !parameter.trainable()) continue;
    Move(Pass::kForward, Elements(parameter) *
                             static_cast<double>(SizeOf(kept) + SizeOf(read)));
  }
}

void KernelList::PrepareGradients() {
  Move(Pass::kForward, 0);  // the loss, scaled
  for (const Parameter& parameter : graph_.parameters) {
    if (!parameter.trainable()) continue;
    const DType read = ReadType(parameter, policy_);
    const DType kept = KeptType(parameter, policy_);
    const double n = Elements(parameter);
    const auto size = static_cast<double>(SizeOf(kept));
    if (read != kept) {
      Move(Pass::kUpdate, n * static_cast<double>(SizeOf(read) + SizeOf(kept)));
    }
    Move(Pass::kUpdate, n * (size + size));
    Move(Pass::kUpdate, n * size);
  }
  Move(Pass::kUpdate, 0);  // the tests, combined
}

void KernelList::Update() {
  for (const Parameter& parameter : graph_.parameters) {
    if (!parameter.trainable()) continue;
    const DType kept = KeptType(parameter, policy_);
    const double bytes =
        Elements(parameter) * static_cast<double>(SizeOf(kept));
    if (parameter.l2 > 0) {
      Move(Pass::kForward, bytes);
      Move(Pass::kUpdate, 3 * bytes);
    }
    Move(Pass::kUpdate, 5 * bytes);
  }
}

}  // namespace

std::vector<Kernel> TrainingKernels(const Graph& graph,
                                    const PrecisionPolicy& policy,
                                    const KernelOptions& options) {
  KernelList list(graph, policy, options);
  list.CastWeights();
  const Schedule schedule = TrainingSchedule(graph);
  for (const Step& step : schedule.steps) {
    const Op& op = graph.ops[step.op];
    switch (step.kind) {
      case StepKind::kForward:
        list.Forward(op, /*training=*/true);
        break;
      case StepKind::kBackward:
        list.Backward(op, step);
        break;
      case StepKind::kAccumulate:
        list.Accumulate(schedule.values[step.output_gradient].tensor);
        break;
    }
  }
  if (policy.dynamic_loss_scale) list.PrepareGradients();
  list.Update();
  return std::move(list).Take();
}

std::vector<Kernel> EvaluationKernels(const Graph& graph,
                                      const PrecisionPolicy& policy,
                                      const KernelOptions& options) {
  KernelList list(graph, policy, options);
  list.CastWeights();
  for (const Step& step : EvaluationSchedule(graph).steps) {
    list.Forward(graph.ops[step.op], /*training=*/false);
  }
  return std::move(list).Take();
}

}  // namespace repro16
