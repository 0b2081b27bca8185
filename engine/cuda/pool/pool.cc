#include "engine/cuda/pool/pool.h"

#include <cstdint>

#include "engine/cuda/pool/pool_kernels.h"

namespace repro16::cuda {
namespace {

PoolAxis AxisOf(const WindowAxis& axis) {
  return {static_cast<int>(axis.inputs), static_cast<int>(axis.outputs),
          static_cast<int>(axis.size), static_cast<int>(axis.stride),
          static_cast<int>(axis.pad)};
}

PoolShape ShapeOf(const ImageWindow& shape, int64_t batch) {
  return {batch, AxisOf(RowAxis(shape)), AxisOf(ColumnAxis(shape)),
          shape.in_channels};
}

class MaxPoolOperation : public Operation {
 public:
  explicit MaxPoolOperation(const ImageWindow& shape) : shape_(shape) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    pass.kernels.MaxPoolForward(
        {y.type, ShapeOf(shape_, pass.batch), buffers.inputs[0].data, y.data,
         /*counter=*/nullptr},
        pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    pass.kernels.MaxPoolGradient(
        {dx.type, ShapeOf(shape_, pass.batch), buffers.inputs[0].data,
         buffers.output.data, buffers.output_gradient.data, dx.data,
         dx.counter},
        pass.stream);
  }

 private:
  const ImageWindow shape_;
};

class AveragePoolOperation : public Operation {
 public:
  explicit AveragePoolOperation(const ImageWindow& shape) : shape_(shape) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    pass.kernels.AveragePoolForward({y.type, ShapeOf(shape_, pass.batch),
                                     buffers.inputs[0].data, y.data, y.counter},
                                    pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    pass.kernels.AveragePoolGradient(
        {dx.type, ShapeOf(shape_, pass.batch), /*x=*/nullptr, /*y=*/nullptr,
         buffers.output_gradient.data, dx.data, dx.counter},
        pass.stream);
  }

 private:
  const ImageWindow shape_;
};

class GlobalAveragePoolOperation : public Operation {
 public:
  explicit GlobalAveragePoolOperation(const Shape& in)
      : pixels_(in[0] * in[1]), channels_(in[2]) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    pass.kernels.GlobalAveragePoolForward(
        Args(pass, buffers.inputs[0], buffers.output), pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    pass.kernels.GlobalAveragePoolGradient(
        Args(pass, buffers.output_gradient, dx), pass.stream);
  }

 private:
  GlobalPoolArgs Args(const PassContext& pass, const TensorRef& from,
                      const TensorRef& to) const {
    return {to.type,   pass.batch, pixels_,   channels_,
            from.data, to.data,    to.counter};
  }

  const int64_t pixels_;
  const int64_t channels_;
};

}  // namespace

std::unique_ptr<Operation> MakeMaxPool(const ImageWindow& shape) {
  return std::make_unique<MaxPoolOperation>(shape);
}

std::unique_ptr<Operation> MakeAveragePool(const ImageWindow& shape) {
  return std::make_unique<AveragePoolOperation>(shape);
}

std::unique_ptr<Operation> MakeGlobalAveragePool(const Shape& in) {
  return std::make_unique<GlobalAveragePoolOperation>(in);
}

}  // namespace repro16::cuda
