#include "engine/cuda/product/attention.h"

#include "engine/cuda/product/product_kernels.h"
#include "engine/cuda/product/product_plan.h"
#include "engine/cuda/product/product_result.h"

namespace repro16::cuda {
namespace {

// The matrices of a tensor, one for each example and head.
struct Heads {
  TensorRef tensor;
  MatrixLayout layout;
};

class AttentionOperation : public Operation {
 public:
  AttentionOperation(const AttentionShape& shape, DType accumulator)
      : shape_(shape), accumulator_(accumulator) {}

 protected:
  // [N, T, A * D], a head as [T, D].
  Heads Features(const TensorRef& tensor) const {
    const int64_t row = shape_.heads * shape_.key_size;
    return {tensor, {row, shape_.tokens * row, shape_.key_size}};
  }

  // [N, A, T, T], a head as [T, T].
  Heads Scores(const TensorRef& tensor) const {
    const int64_t t = shape_.tokens;
    return {tensor, {t, shape_.heads * t * t, t * t}};
  }

  // y [T, columns] of a and b, sums over `terms`. Nothing if y is not wanted.
  void Multiply(const PassContext& pass, MatrixForm form, int64_t columns,
                int64_t terms, const Heads& a, const Heads& b,
                const Heads& y) const {
    if (y.tensor.data == nullptr) return;
    const ProductSize size = {pass.batch * shape_.heads, shape_.tokens, columns,
                              terms};
    pass.kernels.MatrixProduct(
        {form, pass.batch, shape_.heads, size.rows, size.cols, size.terms,
         a.tensor.data, a.layout, b.tensor.data, b.layout, y.layout,
         ResultIn(y.tensor, accumulator_, size, pass)},
        pass.stream);
  }

  const AttentionShape shape_;
  const DType accumulator_;
};

class ScoresOperation : public AttentionOperation {
 public:
  using AttentionOperation::AttentionOperation;

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    Multiply(pass, MatrixForm::kTransposedB, shape_.tokens, shape_.key_size,
             Features(buffers.inputs[0]), Features(buffers.inputs[1]),
             Scores(buffers.output));
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const Heads dy = Scores(buffers.output_gradient);
    Multiply(pass, MatrixForm::kPlain, shape_.key_size, shape_.tokens, dy,
             Features(buffers.inputs[1]), Features(buffers.input_gradients[0]));
    Multiply(pass, MatrixForm::kTransposedA, shape_.key_size, shape_.tokens, dy,
             Features(buffers.inputs[0]), Features(buffers.input_gradients[1]));
  }
};

class ContextOperation : public AttentionOperation {
 public:
  using AttentionOperation::AttentionOperation;

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    Multiply(pass, MatrixForm::kPlain, shape_.key_size, shape_.tokens,
             Scores(buffers.inputs[0]), Features(buffers.inputs[1]),
             Features(buffers.output));
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const Heads dy = Features(buffers.output_gradient);
    Multiply(pass, MatrixForm::kTransposedB, shape_.tokens, shape_.key_size, dy,
             Features(buffers.inputs[1]), Scores(buffers.input_gradients[0]));
    Multiply(pass, MatrixForm::kTransposedA, shape_.key_size, shape_.tokens,
             Scores(buffers.inputs[0]), dy,
             Features(buffers.input_gradients[1]));
  }
};

}  // namespace

std::unique_ptr<Operation> MakeAttentionScores(const AttentionShape& shape,
                                               DType accumulator) {
  return std::make_unique<ScoresOperation>(shape, accumulator);
}

std::unique_ptr<Operation> MakeAttentionContext(const AttentionShape& shape,
                                                DType accumulator) {
  return std::make_unique<ContextOperation>(shape, accumulator);
}

}  // namespace repro16::cuda
