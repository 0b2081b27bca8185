#include "engine/cpu/conv/conv.h"

#include <algorithm>
#include <cstdint>

#include "engine/cpu/conv/conv_images.h"
#include "engine/cpu/conv/conv_plan.h"
#include "engine/cpu/conv/conv_weights.h"

namespace repro16 {
namespace {

class Conv2DKernel : public Kernel {
 public:
  Conv2DKernel(const ImageWindow& shape, DType accumulator)
      : shape_(shape),
        accumulator_(accumulator),
        forward_(ImagePlan::Forward(shape)),
        input_gradient_(ImagePlan::InputGradient(shape)) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    return std::max({ConvImagesWorkspaceBytes(forward_, max_batch),
                     ConvImagesWorkspaceBytes(input_gradient_, max_batch),
                     ConvWeightsWorkspaceBytes(shape_, max_batch)});
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef bias =
        buffers.parameters.size() > 1 ? buffers.parameters[1] : TensorRef();
    RunImages(forward_, buffers.inputs[0], buffers.parameters[0], bias,
              buffers.output, pass);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& dy = buffers.output_gradient;
    const TensorRef& dw = buffers.parameter_gradients[0];
    if (dw.data != nullptr) {
      ConvWeightsArgs args;
      args.batch = pass.batch;
      args.x = x;
      args.dy = dy;
      args.dw = dw;
      args.db = buffers.parameter_gradients.size() > 1
                    ? buffers.parameter_gradients[1]
                    : TensorRef();
      args.accumulator = accumulator_;
      ConvWeights(shape_, args, pass.workspace, *pass.pool);
    }
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    RunImages(input_gradient_, dy, buffers.parameters[0], TensorRef(), dx,
              pass);
  }

 private:
  void RunImages(const ImagePlan& plan, const TensorRef& source,
                 const TensorRef& weights, const TensorRef& bias,
                 const TensorRef& target, const PassContext& pass) const {
    ConvImagesArgs args;
    args.batch = pass.batch;
    args.source = source;
    args.weights = weights;
    args.bias = bias;
    args.target = target;
    args.accumulator = accumulator_;
    ConvImages(plan, args, pass.workspace, *pass.pool);
  }

  const ImageWindow shape_;
  const DType accumulator_;
  const ImagePlan forward_;
  const ImagePlan input_gradient_;
};

}  // namespace

std::unique_ptr<Kernel> MakeConv2D(const ImageWindow& shape,
                                   DType accumulator) {
  return std::make_unique<Conv2DKernel>(shape, accumulator);
}

}  // namespace repro16
