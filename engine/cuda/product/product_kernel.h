// The kernel of all products, and its launch.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KERNEL_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KERNEL_H_

#include <algorithm>
#include <cstdint>

#include "engine/cuda/product/operands.h"
#include "engine/cuda/product/product_kernels.h"
#include "engine/cuda/product/product_plan.h"
#include "engine/cuda/product/tile.h"
#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/store.h"
#include "engine/cuda/simt/vector.h"
#include "engine/tensor/round_up.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// Outputs, and what each block is to do: BlockIndex().x is the product and the
// tile's place among the rows, y its place among the columns, z a range of
// chunks.
template <class T>
struct Outputs {
  // Where chunk sums go, those of each z side by side; null: to y.
  float* chunks;
  T* y;
  const T* bias;
  StoreCounter* counter;
  int rows;
  int cols;
  int row_stride;
  int outer_stride;
  int inner_stride;
  // Positions of a block: from z * span + first on.
  int terms;
  int span;
  int first;
  Divisor row_tiles;
  Divisor inner;
};

// Calls f(sums, c, row, col) for every vector of kWidth columns of the thread's
// part of a tile that there is: those from c on of its columns.
template <class Tile, int kWidth, class A, class T, class F>
SIMT_FUNCTION void ForOutputs(const Totals<Tile>& totals, const A& a,
                              const Outputs<T>& out, int first_row,
                              int first_col, const F& f) {
  REPRO16_ROLLED for (int r = 0; r < Tile::kThreadRows; ++r) {
    const int line = first_row + Tile::Row() + Tile::Rows::Offset(r);
    if (line >= out.rows) continue;
    const int row = a.RowOf(line);
    SIMT_UNROLL for (int c = 0; c < Tile::kThreadCols; c += 4) {
      const Vector<float, 4> sums = totals.At(r, c);
      SIMT_UNROLL for (int j = 0; j < 4; j += kWidth) {
        const int col = first_col + Tile::Col() + Tile::Cols::Offset(c + j);
        if (col >= out.cols) continue;
        Vector<float, kWidth> some;
        SIMT_UNROLL for (int k = 0; k < kWidth; ++k) {
          some.at[k] = sums.at[j + k];
        }
        f(some, c + j, row, col);
      }
    }
  }
}

// y = r(total + bias).
template <class Product, class Tile, int kWidth, class A, class T>
SIMT_FUNCTION void StoreTile(const Totals<Tile>& totals, const A& a,
                             const Outputs<T>& out, int first_row,
                             int first_col, int offset, CountsShared& shared) {
  float bias[Tile::kThreadCols] = {};
  if (out.bias != nullptr) {
    SIMT_UNROLL for (int c = 0; c < Tile::kThreadCols; ++c) {
      const int col = first_col + Tile::Col() + Tile::Cols::Offset(c);
      if (col < out.cols) bias[c] = LoadF32(out.bias + col);
    }
  }
  StoreCounts counts;
  ForOutputs<Tile, kWidth>(
      totals, a, out, first_row, first_col,
      [&](const Vector<float, kWidth>& sums, int c, int row, int col) {
        Vector<T, kWidth> stored;
        SIMT_UNROLL for (int j = 0; j < kWidth; ++j) {
          const float sum =
              out.bias == nullptr
                  ? sums.at[j]
                  : Product::Round(f32::Add(sums.at[j], bias[c + j]));
          stored.at[j] = counts.template Round<T>(sum);
        }
        StoreVector(stored, out.y + (offset + row * out.row_stride + col));
      });
  counts.AddTo(out.counter, shared);
}

template <class Product, class Tile, int kWidth, class A, class B>
SIMT_KERNEL(Tile::kThreads, Tile::kBlocks)
ProductKernel(const A a, const B b, const Outputs<typename A::Type> out) {
  auto& shared = SharedMemory<TileShared<Tile>>();
  int row_tile, inner;
  const int product =
      out.row_tiles.Divide(static_cast<int>(BlockIndex().x), &row_tile);
  const int outer = out.inner.Divide(product, &inner);
  const int row = row_tile * Tile::kRows;
  const int col = static_cast<int>(BlockIndex().y) * Tile::kCols;
  const int range = static_cast<int>(BlockIndex().z);
  const int begin = out.first + range * out.span;
  const int end = out.terms - begin < out.span ? out.terms : begin + out.span;

  typename Totals<Tile>::Memory memory;
  const Totals<Tile> totals(memory);
  SumTerms<Product, Tile, kWidth>(a.At(outer, inner), row, b.At(outer, inner),
                                  col, begin, end, shared, totals);
  if (out.chunks == nullptr) {
    StoreTile<Product, Tile, kWidth>(
        totals, a, out, row, col,
        outer * out.outer_stride + inner * out.inner_stride, shared.counts);
    return;
  }
  float* to = out.chunks + range * (out.rows * out.cols);
  ForOutputs<Tile, kWidth>(totals, a, out, row, col,
                           [&](const Vector<float, kWidth>& sums, int /*c*/,
                               int at_row, int at_col) {
                             StoreVector(sums,
                                         to + (at_row * out.cols + at_col));
                           });
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KERNEL_H_
