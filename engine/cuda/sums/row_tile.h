// Rows of a matrix in shared memory, as f32: threads read and write along the
// rows, as memory likes it, and one thread a row takes the row's sums, as the
// contract's order wants it.
#ifndef REPRO16_ENGINE_CUDA_SUMS_ROW_TILE_H_
#define REPRO16_ENGINE_CUDA_SUMS_ROW_TILE_H_

#include <cstdint>

#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/simt.h"
#include "engine/numerics/reduction.h"
#include "engine/tensor/round_up.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// Of the longest rows, which are one chunk of the order of sums, 16.
inline constexpr int kTileFloats = 16 * (static_cast<int>(kReductionChunk) + 1);

// The rows of one block's tile. An element's place is (row, column) within it.
class RowTile {
 public:
  // At most `most_rows` a block, of `rows` in all.
  RowTile(int64_t rows, int64_t columns, int most_rows)
      : rows_(static_cast<int>(rows)),
        columns_(static_cast<int>(columns)),
        // Odd: the rows of a warp's threads lie in different banks.
        stride_(columns_ | 1),
        rows_of_block_(kTileFloats / stride_ < most_rows ? kTileFloats / stride_
                                                         : most_rows),
        divisor_(columns) {}

  Index3 Grid() const {
    return {static_cast<unsigned>(CeilDiv(rows_, rows_of_block_))};
  }

  SIMT_FUNCTION int columns() const { return columns_; }

  // Of the matrix.
  SIMT_FUNCTION int FirstRow() const {
    return static_cast<int>(BlockIndex().x) * rows_of_block_;
  }
  SIMT_FUNCTION int Rows() const {
    const int rows_left = rows_ - FirstRow();
    return rows_left < rows_of_block_ ? rows_left : rows_of_block_;
  }

  SIMT_FUNCTION int Place(int row, int column) const {
    return row * stride_ + column;
  }

  // Calls fn(at, row, column) for elements of the tile, of which this thread of
  // kThreads takes its share; `at` is an element of the matrix.
  template <int kThreads, class Fn>
  SIMT_FUNCTION void ForElements(const Fn& fn) const {
    const int first = FirstRow() * columns_;
    const int elements = Rows() * columns_;
    for (int i = static_cast<int>(ThreadIndex()); i < elements; i += kThreads) {
      int column;
      const int row = divisor_.Divide(i, &column);
      fn(first + i, row, column);
    }
  }

 private:
  const int rows_;
  const int columns_;
  const int stride_;
  const int rows_of_block_;
  const Divisor divisor_;
};

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SUMS_ROW_TILE_H_
