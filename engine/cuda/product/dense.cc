#include "engine/cuda/product/dense.h"

#include <algorithm>
#include <array>

#include "engine/cuda/product/product_kernels.h"
#include "engine/cuda/product/product_plan.h"
#include "engine/cuda/product/product_result.h"
#include "engine/cuda/sums/sum_kernels.h"

namespace repro16::cuda {
namespace {

class DenseOperation : public Operation {
 public:
  DenseOperation(int64_t rows, int64_t in, int64_t units, DType accumulator)
      : rows_(rows), in_(in), units_(units), accumulator_(accumulator) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    const auto sizes_of = [&](int64_t batch) {
      return std::array<ProductSize, 3>{ForwardSize(batch),
                                        InputGradientSize(batch),
                                        WeightGradientSize(batch)};
    };
    return std::max(MaxProductWorkspaceBytes(max_batch, sizes_of),
                    ColumnSumsWorkspaceBytes(max_batch * rows_, units_));
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const ProductSize size = ForwardSize(pass.batch);
    MatrixProductArgs args =
        Product(MatrixForm::kPlain, size, buffers.output, pass);
    args.a = buffers.inputs[0].data;
    args.a_layout = {in_};
    args.b = buffers.parameters[0].data;
    args.b_layout = {units_};
    if (buffers.parameters.size() > 1) {
      args.result.bias = buffers.parameters[1].data;
    }
    pass.kernels.MatrixProduct(args, pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dy = buffers.output_gradient;
    const TensorRef& dw = buffers.parameter_gradients[0];
    if (dw.data != nullptr) {
      MatrixProductArgs args = Product(
          MatrixForm::kTransposedA, WeightGradientSize(pass.batch), dw, pass);
      args.a = buffers.inputs[0].data;
      args.a_layout = {in_};
      args.b = dy.data;
      args.b_layout = {units_};
      pass.kernels.MatrixProduct(args, pass.stream);
    }
    BiasGradient(buffers, pass.batch * rows_, units_, pass);
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    MatrixProductArgs args = Product(MatrixForm::kTransposedB,
                                     InputGradientSize(pass.batch), dx, pass);
    args.a = dy.data;
    args.a_layout = {units_};
    args.b = buffers.parameters[0].data;
    args.b_layout = {units_};
    pass.kernels.MatrixProduct(args, pass.stream);
  }

 private:
  ProductSize ForwardSize(int64_t batch) const {
    return {1, batch * rows_, units_, in_};
  }
  ProductSize InputGradientSize(int64_t batch) const {
    return {1, batch * rows_, in_, units_};
  }
  ProductSize WeightGradientSize(int64_t batch) const {
    return {1, in_, units_, batch * rows_};
  }

  // y, row-major; the operands are to be filled in.
  MatrixProductArgs Product(MatrixForm form, const ProductSize& size,
                            const TensorRef& y, const PassContext& pass) const {
    MatrixProductArgs args = {};
    args.form = form;
    args.outer = args.inner = 1;
    args.m = size.rows;
    args.n = size.cols;
    args.k = size.terms;
    args.y_layout = {size.cols};
    args.result = ResultIn(y, accumulator_, size, pass);
    return args;
  }

  const int64_t rows_;
  const int64_t in_;
  const int64_t units_;
  const DType accumulator_;
};

}  // namespace

std::unique_ptr<Operation> MakeDense(int64_t in, int64_t units,
                                     DType accumulator) {
  return MakeDenseRows(/*rows=*/1, in, units, accumulator);
}

std::unique_ptr<Operation> MakeDenseRows(int64_t rows, int64_t in,
                                         int64_t units, DType accumulator) {
  return std::make_unique<DenseOperation>(rows, in, units, accumulator);
}

}  // namespace repro16::cuda
