#include "engine/cuda/elementwise/softmax.h"

#include "engine/cuda/elementwise/softmax_kernels.h"
#include "engine/graph/graph.h"
#include "engine/numerics/reduction.h"

namespace repro16::cuda {
namespace {

static_assert(kMaxRow <= kReductionChunk && kMaxClasses <= kReductionChunk);

class SoftmaxOperation : public Operation {
 public:
  explicit SoftmaxOperation(int64_t cols) : cols_(cols) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    pass.kernels.SoftmaxForward({y.type, buffers.inputs[0].data,
                                 RowsOf(pass, y), cols_, y.data, y.counter},
                                pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    pass.kernels.SoftmaxGradient(
        {dx.type, buffers.output.data, buffers.output_gradient.data,
         RowsOf(pass, dx), cols_, dx.data, dx.counter},
        pass.stream);
  }

 private:
  int64_t RowsOf(const PassContext& pass, const TensorRef& tensor) const {
    return pass.batch * (tensor.elements / cols_);
  }

  const int64_t cols_;
};

class SoftmaxCrossEntropyOperation : public Operation {
 public:
  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    CrossEntropyArgs args = Args(buffers, pass, buffers.output);
    args.correct = &pass.step->correct;
    pass.kernels.CrossEntropyForward(args, pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    CrossEntropyArgs args = Args(buffers, pass, dx);
    args.loss_scale = &pass.step->update.loss_scale;
    pass.kernels.CrossEntropyGradient(args, pass.stream);
  }

 private:
  static CrossEntropyArgs Args(const OpBuffers& buffers,
                               const PassContext& pass,
                               const TensorRef& result) {
    const TensorRef& x = buffers.inputs[0];
    return {x.type,
            x.data,
            pass.batch,
            x.elements,
            pass.labels,
            result.data,
            result.counter,
            /*correct=*/nullptr,
            /*loss_scale=*/nullptr};
  }
};

}  // namespace

std::unique_ptr<Operation> MakeSoftmax(int64_t cols) {
  return std::make_unique<SoftmaxOperation>(cols);
}

std::unique_ptr<Operation> MakeSoftmaxCrossEntropy() {
  return std::make_unique<SoftmaxCrossEntropyOperation>();
}

}  // namespace repro16::cuda
