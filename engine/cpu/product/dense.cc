#include "engine/cpu/product/dense.h"

#include <algorithm>

#include "engine/cpu/product/gemm.h"
#include "engine/cpu/sums/reduce_rows.h"

namespace repro16 {
namespace {

// A row-major [rows, cols] matrix, and the same read as its transpose.
GemmOperand RowMajor(const TensorRef& t, int64_t cols) {
  return {t.data, t.type, cols, 1};
}
GemmOperand Transposed(const TensorRef& t, int64_t cols) {
  return {t.data, t.type, 1, cols};
}

class DenseKernel : public Kernel {
 public:
  DenseKernel(int64_t in, int64_t units, DType accumulator)
      : in_(in), units_(units), accumulator_(accumulator) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    return std::max({GemmWorkspaceBytes(max_batch, units_, in_),
                     GemmWorkspaceBytes(max_batch, in_, units_),
                     GemmWorkspaceBytes(in_, units_, max_batch),
                     ReduceRowsWorkspaceBytes(max_batch, units_)});
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& bias = buffers.parameters[1];
    GemmArgs args = Product(pass.batch, units_, in_, buffers.output, units_);
    args.a = RowMajor(buffers.inputs[0], in_);
    args.b = RowMajor(buffers.parameters[0], units_);
    args.bias = bias.data;
    args.bias_type = bias.type;
    Gemm(args, pass.workspace, *pass.pool, *buffers.output.counter);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dy = buffers.output_gradient;
    const TensorRef& dw = buffers.parameter_gradients[0];
    GemmArgs weights = Product(in_, units_, pass.batch, dw, units_);
    weights.a = Transposed(buffers.inputs[0], in_);
    weights.b = RowMajor(dy, units_);
    Gemm(weights, pass.workspace, *pass.pool, *dw.counter);

    ReduceRows(dy, buffers.parameter_gradients[1], pass);

    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    GemmArgs inputs = Product(pass.batch, in_, units_, dx, in_);
    inputs.a = RowMajor(dy, units_);
    inputs.b = Transposed(buffers.parameters[0], units_);
    Gemm(inputs, pass.workspace, *pass.pool, *dx.counter);
  }

 private:
  // c [m, n], row-major with c_cols columns, as a sum over k; operands to be
  // filled in.
  GemmArgs Product(int64_t m, int64_t n, int64_t k, const TensorRef& c,
                   int64_t c_cols) const {
    GemmArgs args{};
    args.m = m;
    args.n = n;
    args.k = k;
    args.c = c.data;
    args.c_type = c.type;
    args.c_row_stride = c_cols;
    args.accumulator = accumulator_;
    return args;
  }

  const int64_t in_;
  const int64_t units_;
  const DType accumulator_;
};

}  // namespace

std::unique_ptr<Kernel> MakeDense(int64_t in, int64_t units,
                                  DType accumulator) {
  return std::make_unique<DenseKernel>(in, units, accumulator);
}

}  // namespace repro16
