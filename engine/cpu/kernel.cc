#include "engine/cpu/kernel.h"

#include "engine/cpu/dense.h"
#include "engine/cpu/elementwise.h"
#include "engine/cpu/softmax.h"

namespace repro16 {

std::unique_ptr<Kernel> MakeKernel(const Graph& graph, OpId index,
                                   const PrecisionPolicy& policy) {
  const Op& op = graph.ops[index];
  switch (op.kind) {
    case OpKind::kDense: {
      const Shape& kernel = graph.parameters[op.parameters[0]].shape;
      return MakeDense(kernel[0], kernel[1], policy.accumulator);
    }
    case OpKind::kRelu:
      return MakeUnary(UnaryFunction::kRelu);
    case OpKind::kTanh:
      return MakeUnary(UnaryFunction::kTanh);
    case OpKind::kDropout:
      return MakeDropout(std::get<DropoutAttributes>(op.attributes).rate,
                         static_cast<uint32_t>(index));
    case OpKind::kFlatten:
      return MakeCopy();
    case OpKind::kAdd:
      return MakeAdd();
    case OpKind::kSoftmax:
      return MakeSoftmax();
    case OpKind::kSoftmaxCrossEntropy:
      return MakeSoftmaxCrossEntropy();
  }
  return nullptr;
}

}  // namespace repro16
