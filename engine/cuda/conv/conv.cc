#include "engine/cuda/conv/conv.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/cuda/conv/conv_shape.h"
#include "engine/cuda/product/dense.h"
#include "engine/cuda/product/product_kernels.h"
#include "engine/cuda/product/product_plan.h"
#include "engine/cuda/product/product_result.h"
#include "engine/cuda/sums/sum_kernels.h"

namespace repro16::cuda {
namespace {

class Conv2DOperation : public Operation {
 public:
  Conv2DOperation(const ImageWindow& shape, DType accumulator)
      : shape_(shape), accumulator_(accumulator) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    const auto sizes_of = [&](int64_t batch) {
      const ConvShape shape = ConvShapeOf(shape_, batch);
      return std::array<ProductSize, 3>{ForwardSize(shape),
                                        InputGradientSize(shape),
                                        WeightGradientSize(shape)};
    };
    const ConvShape largest = ConvShapeOf(shape_, max_batch);
    return std::max(
        MaxProductWorkspaceBytes(max_batch, sizes_of),
        ColumnSumsWorkspaceBytes(largest.out_pixels(), largest.out_channels));
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const ConvShape shape = ConvShapeOf(shape_, pass.batch);
    ConvArgs args = {
        shape, buffers.inputs[0].data, buffers.parameters[0].data,
        ResultIn(buffers.output, accumulator_, ForwardSize(shape), pass)};
    if (buffers.parameters.size() > 1) {
      args.result.bias = buffers.parameters[1].data;
    }
    pass.kernels.ConvForward(args, pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const ConvShape shape = ConvShapeOf(shape_, pass.batch);
    const TensorRef& dy = buffers.output_gradient;
    const TensorRef& dw = buffers.parameter_gradients[0];
    if (dw.data != nullptr) {
      pass.kernels.ConvWeightGradient(
          {shape, buffers.inputs[0].data, dy.data,
           ResultIn(dw, accumulator_, WeightGradientSize(shape), pass)},
          pass.stream);
    }
    BiasGradient(buffers, shape.out_pixels(), shape.out_channels, pass);
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    pass.kernels.ConvInputGradient(
        {shape, dy.data, buffers.parameters[0].data,
         ResultIn(dx, accumulator_, InputGradientSize(shape), pass)},
        pass.stream);
  }

 private:
  static ProductSize ForwardSize(const ConvShape& s) {
    return {1, s.out_pixels(), s.out_channels, s.window() * s.in_channels};
  }
  static ProductSize InputGradientSize(const ConvShape& s) {
    return {1, s.in_pixels(), s.in_channels, s.window() * s.out_channels};
  }
  static ProductSize WeightGradientSize(const ConvShape& s) {
    return {1, s.window() * s.in_channels, s.out_channels, s.out_pixels()};
  }

  const ImageWindow shape_;
  const DType accumulator_;
};

// Whether each output pixel has the input pixel in its place, and no other.
bool IsPointwise(const ImageWindow& s) {
  return s.window.height == 1 && s.window.width == 1 && s.window.stride == 1 &&
         s.in_height == s.out_height && s.in_width == s.out_width;
}

}  // namespace

std::unique_ptr<Operation> MakeConv2D(const ImageWindow& shape,
                                      DType accumulator) {
  if (IsPointwise(shape)) {
    return MakeDenseRows(shape.in_height * shape.in_width, shape.in_channels,
                         shape.out_channels, accumulator);
  }
  return std::make_unique<Conv2DOperation>(shape, accumulator);
}

}  // namespace repro16::cuda
