// How a product is cut into blocks and passes: a function of its shape alone.
// The bits do not depend on it.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_PLAN_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_PLAN_H_

#include <algorithm>
#include <cstdint>

#include "engine/numerics/reduction.h"
#include "engine/tensor/round_up.h"

namespace repro16 {

struct ProductSize {
  int64_t products;  // side by side
  int64_t rows;
  int64_t cols;
  int64_t terms;

  int64_t outputs() const { return products * rows * cols; }
};

// Rows by columns of outputs that a block computes.
enum class ProductTile {
  kBest,  // for the shape
  k128x128,
  k128x64,
  k128x32,
  k64x16,
  k48x16,
  k32x32,
};

// A large GPU has 132 multiprocessors with 4 schedulers each.
inline constexpr int64_t kSchedulers = 528;

// Fewer outputs than two warps a scheduler with 32 outputs a thread leave a
// large GPU idle: then each chunk of a sum is a block's.
inline constexpr int64_t kFullOutputs = kSchedulers * 2 * 32 * 32;

// What chunk sums take at a time at most: they stay in a large GPU's cache.
inline constexpr int64_t kMaxChunkSumBytes = int64_t{32} << 20;

// A grid's third dimension.
inline constexpr int64_t kMaxChunkSlots = 65535;

// Chunks whose sums are held at a time in workspace_bytes; 0: a block takes all
// chunks of its outputs.
inline int64_t ChunkSlots(const ProductSize& size, int64_t workspace_bytes) {
  const int64_t chunks = ReductionChunks(size.terms);
  if (size.products > 1 || chunks < 2 || size.outputs() >= kFullOutputs) {
    return 0;
  }
  const int64_t bytes = size.outputs() * static_cast<int64_t>(sizeof(float));
  const int64_t slots =
      std::min({chunks, kMaxChunkSlots,
                std::min(workspace_bytes, kMaxChunkSumBytes) / bytes});
  return slots < 2 ? 0 : slots;
}

inline int64_t ProductWorkspaceBytes(const ProductSize& size) {
  return ChunkSlots(size, kMaxChunkSumBytes) * size.outputs() *
         static_cast<int64_t>(sizeof(float));
}

// What a product takes with blocks of `tile_rows` x `tile_cols` outputs and
// `threads` threads, of which one issues `cost` instructions a position: a
// number to compare. Each scheduler runs its warps in turn, and waits for
// memory the longer the fewer they are.
inline int64_t ProductCost(const ProductSize& size, int64_t slots,
                           int64_t tile_rows, int64_t tile_cols,
                           int64_t threads, int64_t cost) {
  const int64_t warps = CeilDiv(size.rows, tile_rows) *
                        CeilDiv(size.cols, tile_cols) * size.products *
                        std::max<int64_t>(slots, 1) * (threads / 32);
  return (std::max(warps, kSchedulers) + kSchedulers * 3 / 5) * cost;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_PLAN_H_
