#include "engine/cpu/product/attention.h"

#include <algorithm>

#include "engine/cpu/product/batched_gemm.h"

namespace repro16 {
namespace {

class AttentionKernel : public Kernel {
 public:
  AttentionKernel(const AttentionShape& shape, DType accumulator)
      : shape_(shape), accumulator_(accumulator) {}

  int64_t WorkspaceBytes(int64_t /*max_batch*/) const override {
    const int64_t t = shape_.tokens;
    return std::max(BatchedGemmWorkspaceBytes(t, t, shape_.key_size),
                    BatchedGemmWorkspaceBytes(t, shape_.key_size, t));
  }

 protected:
  // [N, T, A * D], a head as [T, D].
  BatchedMatrix Features(const TensorRef& tensor) const {
    const int64_t row = shape_.heads * shape_.key_size;
    return {tensor, {shape_.tokens * row, shape_.key_size, row, 1}};
  }

  // [N, A, T, T], a head as [T, T].
  BatchedMatrix Scores(const TensorRef& tensor) const {
    const int64_t t = shape_.tokens;
    return {tensor, {shape_.heads * t * t, t * t, t, 1}};
  }

  // c [T, columns] = a b, a sum over `terms`. Nothing if c is not wanted.
  void Multiply(const PassContext& pass, int64_t columns, int64_t terms,
                const BatchedMatrix& a, const BatchedMatrix& b,
                const BatchedMatrix& c) const {
    if (c.tensor.data == nullptr) return;
    BatchedGemmArgs args;
    args.outer = pass.batch;
    args.inner = shape_.heads;
    args.m = shape_.tokens;
    args.n = columns;
    args.k = terms;
    args.a = a;
    args.b = b;
    args.c = c;
    args.accumulator = accumulator_;
    BatchedGemm(args, pass.workspace, *pass.pool);
  }

  const AttentionShape shape_;
  const DType accumulator_;
};

class ScoresKernel : public AttentionKernel {
 public:
  using AttentionKernel::AttentionKernel;

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    Multiply(pass, shape_.tokens, shape_.key_size, Features(buffers.inputs[0]),
             Features(buffers.inputs[1]).Transposed(), Scores(buffers.output));
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const BatchedMatrix dy = Scores(buffers.output_gradient);
    Multiply(pass, shape_.key_size, shape_.tokens, dy,
             Features(buffers.inputs[1]), Features(buffers.input_gradients[0]));
    Multiply(pass, shape_.key_size, shape_.tokens, dy.Transposed(),
             Features(buffers.inputs[0]), Features(buffers.input_gradients[1]));
  }
};

class ContextKernel : public AttentionKernel {
 public:
  using AttentionKernel::AttentionKernel;

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    Multiply(pass, shape_.key_size, shape_.tokens, Scores(buffers.inputs[0]),
             Features(buffers.inputs[1]), Features(buffers.output));
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const BatchedMatrix dy = Features(buffers.output_gradient);
    Multiply(pass, shape_.tokens, shape_.key_size, dy,
             Features(buffers.inputs[1]).Transposed(),
             Scores(buffers.input_gradients[0]));
    Multiply(pass, shape_.key_size, shape_.tokens,
             Scores(buffers.inputs[0]).Transposed(), dy,
             Features(buffers.input_gradients[1]));
  }
};

}  // namespace

std::unique_ptr<Kernel> MakeAttentionScores(const AttentionShape& shape,
                                            DType accumulator) {
  return std::make_unique<ScoresKernel>(shape, accumulator);
}

std::unique_ptr<Kernel> MakeAttentionContext(const AttentionShape& shape,
                                             DType accumulator) {
  return std::make_unique<ContextKernel>(shape, accumulator);
}

}  // namespace repro16
