#include "engine/cuda/conv/depthwise_conv.h"

#include <algorithm>
#include <cstdint>

#include "engine/cuda/conv/conv_shape.h"
#include "engine/cuda/conv/depthwise_kernels.h"
#include "engine/cuda/product/product_result.h"
#include "engine/cuda/sums/sum_kernels.h"

namespace repro16::cuda {
namespace {

class DepthwiseConv2DOperation : public Operation {
 public:
  DepthwiseConv2DOperation(const ImageWindow& shape, DType accumulator)
      : shape_(shape), accumulator_(accumulator) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    const ConvShape shape = ConvShapeOf(shape_, max_batch);
    return std::max(
        DepthwiseWorkspaceBytes(shape),
        ColumnSumsWorkspaceBytes(shape.out_pixels(), shape.out_channels));
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    DepthwiseArgs args = Args(buffers.output, pass);
    args.a = buffers.inputs[0].data;
    args.b = buffers.parameters[0].data;
    if (buffers.parameters.size() > 1) args.bias = buffers.parameters[1].data;
    pass.kernels.DepthwiseForward(args, pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dy = buffers.output_gradient;
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data != nullptr) {
      DepthwiseArgs args = Args(dx, pass);
      args.a = dy.data;
      args.b = buffers.parameters[0].data;
      pass.kernels.DepthwiseInputGradient(args, pass.stream);
    }
    const TensorRef& dw = buffers.parameter_gradients[0];
    if (dw.data != nullptr) {
      DepthwiseArgs args = Args(dw, pass);
      args.a = buffers.inputs[0].data;
      args.b = dy.data;
      pass.kernels.DepthwiseWeightGradient(args, pass.stream);
    }
    BiasGradient(buffers, pass.batch * shape_.out_height * shape_.out_width,
                 shape_.out_channels, pass);
  }

 private:
  // The operands are to be filled in.
  DepthwiseArgs Args(const TensorRef& y, const PassContext& pass) const {
    DepthwiseArgs args = {};
    args.shape = ConvShapeOf(shape_, pass.batch);
    args.type = y.type;
    args.accumulator = accumulator_;
    args.y = y.data;
    args.counter = y.counter;
    args.workspace = reinterpret_cast<float*>(pass.workspace);
    args.workspace_bytes = DepthwiseWorkspaceBytes(args.shape);
    return args;
  }

  const ImageWindow shape_;
  const DType accumulator_;
};

}  // namespace

std::unique_ptr<Operation> MakeDepthwiseConv2D(const ImageWindow& shape,
                                               DType accumulator) {
  return std::make_unique<DepthwiseConv2DOperation>(shape, accumulator);
}

}  // namespace repro16::cuda
