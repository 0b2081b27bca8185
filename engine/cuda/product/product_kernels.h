// Matrix products, and convolutions as products.
//
// Every sum is a DotSum (engine/numerics/reduction.h) with the accumulator that
// the result names: kF32, or, where everything is stored in f16, kF16.
// Operands, bias and result have one storage type.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KERNELS_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KERNELS_H_

#include <cstdint>

#include "engine/cuda/product/product_plan.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_PRODUCT_KERNELS(K)    \
  K(MatrixProduct, MatrixProductArgs) \
  K(ConvForward, ConvArgs)            \
  K(ConvInputGradient, ConvArgs)      \
  K(ConvWeightGradient, ConvArgs)     \
  K(AddChunks, AddChunksArgs)

namespace repro16 {

// Where the sums of a product go: y = r(sum + bias), one column a bias.
struct ProductResult {
  DType type;         // of operands, bias and y
  DType accumulator;  // of the sums
  const void* bias;   // or null: nothing is added
  void* y;            // overlaps no operand
  StoreCounter* counter;
  // ProductWorkspaceBytes; with fewer a sum takes more passes, or one block.
  float* workspace;
  int64_t workspace_bytes;
  ProductTile tile = ProductTile::kBest;  // where the kernel has it
};

// --- Matrices

enum class MatrixForm {
  kPlain,        // a [m, k] times b [k, n]
  kTransposedB,  // a [m, k] times the transpose of b [n, k]
  kTransposedA,  // the transpose of a [k, m] times b [k, n]
};

// Row-major: element (row, col) of matrix (o, i) is data[o * outer_stride +
// i * inner_stride + row * row_stride + col].
struct MatrixLayout {
  int64_t row_stride;
  int64_t outer_stride = 0;
  int64_t inner_stride = 0;
};

// y [m, n] of the matrices (o, i) in [0, outer) x [0, inner).
struct MatrixProductArgs {
  MatrixForm form;
  int64_t outer;
  int64_t inner;
  int64_t m;
  int64_t n;
  int64_t k;  // 0: the sums are +0
  const void* a;
  MatrixLayout a_layout;
  const void* b;
  MatrixLayout b_layout;
  MatrixLayout y_layout;
  ProductResult result;
};

// --- Convolutions; the formulas: engine/cpu/conv/conv.h

struct ConvShape {
  int64_t batch;
  int64_t in_height;
  int64_t in_width;
  int64_t in_channels;
  int64_t out_height;
  int64_t out_width;
  int64_t out_channels;
  int64_t height;  // of the window
  int64_t width;
  int64_t stride;
  int64_t pad_top;
  int64_t pad_left;

  int64_t in_pixels() const { return batch * in_height * in_width; }
  int64_t out_pixels() const { return batch * out_height * out_width; }
  int64_t window() const { return height * width; }
};

// The operands of
//   ConvForward         x and w,
//   ConvInputGradient   dy and w,
//   ConvWeightGradient  x and dy.
struct ConvArgs {
  ConvShape shape;
  const void* a;
  const void* b;
  ProductResult result;
};

// --- Sums in chunks

// y[i] = r(((c0[i] + c1[i]) + ...) + bias[i % columns]), where chunk sum c[i]
// is chunks[c * elements + i]. Where y is null, the sum replaces c0 and nothing
// is rounded to the storage type, added or counted: what follows goes on from
// there.
struct AddChunksArgs {
  DType type;         // of y and bias
  DType accumulator;  // every addition is rounded to
  float* chunks;
  int64_t count;  // of chunks, at least 1
  int64_t elements;
  int64_t columns;
  const void* bias;  // or null
  void* y;
  StoreCounter* counter;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KERNELS_H_
