#include "engine/cpu/product/gemm.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"
#include "engine/tensor/round_up.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/product/gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "engine/cpu/product/gemm-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

// A block of c has up to kBlockLines rows and columns and takes its terms
// kBlockDepth at a time, so that each packed number is used hundreds of times
// and what is packed fits the outer caches. kBlockLines is a multiple of every
// target's tile.
constexpr int64_t kBlockLines = 960;
constexpr int64_t kBlockDepth = 4 * kReductionChunk;
constexpr int64_t kTasksPerWorker = 8;  // evens out the threads
constexpr int64_t kPackRows = 16;       // of a, in one task
static_assert(kBlockLines % kTileRows == 0 && kBlockLines % kTileCols == 0);

constexpr int64_t kRows = static_cast<int64_t>(kTileRows);
constexpr int64_t kCols = static_cast<int64_t>(kTileCols);

// Length of the blocks that `lines` are cut into: as even as tiles allow.
constexpr int64_t BlockLines(int64_t lines, int64_t tile) {
  const int64_t blocks = std::max<int64_t>(1, CeilDiv(lines, kBlockLines));
  return RoundUp(CeilDiv(lines, blocks), tile);
}

// The parts of the workspace, in floats: a packed block of a and one of b, and
// the tiles of a block of c between two blocks of depth.
struct GemmLayout {
  GemmLayout(int64_t block_rows, int64_t block_cols, int64_t k)
      : rows(block_rows), cols(block_cols) {
    const int64_t depth = std::min(k, kBlockDepth);
    b_offset = RoundUp(rows * depth, kCols);  // keeps vectors aligned
    tiles_offset = b_offset + cols * depth;
    size = tiles_offset + (k > kBlockDepth ? rows * cols : 0);
  }

  int64_t rows;
  int64_t cols;
  int64_t b_offset;
  int64_t tiles_offset;
  int64_t size;
};

// `rows` by `cols` outputs from c[i, j] on, and `depth` terms from p on.
struct Block {
  int64_t i;
  int64_t rows;
  int64_t j;
  int64_t cols;
  int64_t p;
  int64_t depth;
};

// Packs lines [line, line + count) and terms [p, p + depth) of an operand.
template <size_t kWidth>
void PackOperand(const GemmOperand& x, int64_t line_stride, int64_t line,
                 int64_t count, int64_t depth_stride, int64_t p, int64_t depth,
                 float* panel) {
  VisitDType(x.type, [&](auto type) {
    using T = decltype(type);
    const T* data =
        static_cast<const T*>(x.data) + line * line_stride + p * depth_stride;
    PackPanel<kWidth>(Lines<T>{data, line_stride, depth_stride},
                      static_cast<size_t>(std::min<int64_t>(count, kWidth)),
                      static_cast<size_t>(depth), panel);
  });
}

class GemmProduct {
 public:
  GemmProduct(const GemmArgs& args, float* workspace, ThreadPool& pool,
              StoreCounter& counter)
      : args_(args),
        layout_(BlockLines(args.m, kRows), BlockLines(args.n, kCols), args.k),
        packed_a_(workspace),
        packed_b_(workspace + layout_.b_offset),
        tiles_(workspace + layout_.tiles_offset),
        pool_(pool),
        counter_(counter) {}

  void Run() const {
    for (int64_t i = 0; i < args_.m; i += layout_.rows) {
      for (int64_t j = 0; j < args_.n; j += layout_.cols) {
        int64_t p = 0;
        do {  // once if there are no terms
          const Block block = {i, std::min(layout_.rows, args_.m - i),
                               j, std::min(layout_.cols, args_.n - j),
                               p, std::min(kBlockDepth, args_.k - p)};
          // What the block before this one has packed is not packed again.
          const bool one_depth = args_.k <= kBlockDepth;
          Pack(block, /*a=*/!one_depth || j == 0,
               /*b=*/!one_depth || i == 0 || args_.n > layout_.cols);
          Compute(block);
          p += kBlockDepth;
        } while (p < args_.k);
      }
    }
  }

 private:
  // Packs the block's part of a, of b, or of both.
  void Pack(const Block& block, bool a, bool b) const {
    const int64_t a_tasks = a ? CeilDiv(block.rows, kPackRows) : 0;
    const int64_t b_tasks = b ? CeilDiv(block.cols, kCols) : 0;
    pool_.Run(a_tasks + b_tasks, [&](int64_t task, int /*worker*/) {
      if (task < a_tasks) {
        PackA(block, task * kPackRows);
      } else {
        PackB(block, (task - a_tasks) * kCols);
      }
    });
  }

  // kPackRows rows of the block from row `begin` on.
  void PackA(const Block& block, int64_t begin) const {
    const GemmOperand& a = args_.a;
    const int64_t end = std::min(begin + kPackRows, block.rows);
    for (int64_t row = begin; row < end; row += kRowGroup) {
      PackOperand<kRowGroup>(a, a.row_stride, block.i + row, block.rows - row,
                             a.col_stride, block.p, block.depth,
                             packed_a_ + row * block.depth);
    }
  }

  // The tile's width of columns from column `col` of the block on.
  void PackB(const Block& block, int64_t col) const {
    const GemmOperand& b = args_.b;
    PackOperand<kTileCols>(b, b.col_stride, block.j + col, block.cols - col,
                           b.row_stride, block.p, block.depth,
                           packed_b_ + col * block.depth);
  }

  // A task is a column of tiles, or a part of it where these are few.
  void Compute(const Block& block) const {
    const int64_t tile_rows = CeilDiv(block.rows, kRows);
    const int64_t tile_cols = CeilDiv(block.cols, kCols);
    const int64_t wanted = kTasksPerWorker * pool_.num_workers();
    const int64_t parts = std::min(tile_rows, CeilDiv(wanted, tile_cols));
    pool_.RunCounted(
        tile_cols * parts, counter_, [&](int64_t task, StoreCounter& counter) {
          const int64_t part = task % parts;
          ComputeTiles(block, part * tile_rows / parts,
                       (part + 1) * tile_rows / parts, task / parts, counter);
        });
  }

  void ComputeTiles(const Block& block, int64_t begin, int64_t end,
                    int64_t tile_col, StoreCounter& counter) const {
    HWY_ALIGN float bias[kTileCols];
    const int64_t col = tile_col * kCols;
    const size_t cols = static_cast<size_t>(std::min(kCols, block.cols - col));
    if (args_.bias != nullptr) LoadBias(block.j + col, cols, bias);
    const bool last = block.p + block.depth == args_.k;
    HWY_ALIGN float scratch[kTileRows * kTileCols];
    for (int64_t tile_row = begin; tile_row < end; ++tile_row) {
      const int64_t row = tile_row * kRows;
      const size_t rows =
          static_cast<size_t>(std::min(kRows, block.rows - row));
      float* sums = args_.k > kBlockDepth
                        ? tiles_ + row * layout_.cols + col * kRows
                        : scratch;
      SumTile(block, row, rows, col, cols, sums);
      if (!last) continue;
      Store(sums, block.i + row, rows, block.j + col, cols,
            args_.bias != nullptr ? bias : nullptr, counter);
    }
  }

  void LoadBias(int64_t j, size_t cols, float* bias) const {
    VisitDType(args_.bias_type, [&](auto type) {
      using T = decltype(type);
      PackPanel<kTileCols>(
          Lines<T>{static_cast<const T*>(args_.bias) + j, 1, 0}, cols, 1, bias);
    });
  }

  // Writes the outputs of one tile from c[i, j] on.
  void Store(const float* sums, int64_t i, size_t rows, int64_t j, size_t cols,
             const float* bias, StoreCounter& counter) const {
    VisitDType(args_.c_type, [&](auto type) {
      using C = decltype(type);
      C* c = static_cast<C*>(args_.c) + i * args_.c_row_stride + j;
      const auto store = args_.accumulator == DType::kF16
                             ? &StoreTile<F16Accumulator, C>
                             : &StoreTile<F32Accumulator, C>;
      store(sums, rows, cols, bias, c, args_.c_row_stride, counter);
    });
  }

  // Adds the block's chunks to the sums of one tile.
  void SumTile(const Block& block, int64_t row, size_t rows, int64_t col,
               size_t cols, float* sums) const {
    if (args_.k == 0) {
      std::fill_n(sums, kTileRows * kTileCols, 0.0f);
      return;
    }
    const size_t groups = (rows + kRowGroup - 1) / kRowGroup;
    const size_t vectors = (cols + kLanes - 1) / kLanes;
    TileOperands tile = {packed_a_ + row * block.depth,
                         static_cast<size_t>(block.depth) * kRowGroup,
                         packed_b_ + col * block.depth};
    const auto sum_chunk = args_.accumulator == DType::kF16
                               ? &SumChunkOf<F16Accumulator>
                               : &SumChunkOf<F32Accumulator>;
    for (int64_t p = 0; p < block.depth; p += kReductionChunk) {
      const int64_t depth = std::min(kReductionChunk, block.depth - p);
      sum_chunk(groups, vectors, tile, static_cast<size_t>(depth),
                block.p + p == 0, sums);
      tile.a += kReductionChunk * kRowGroup;
      tile.b += kReductionChunk * kCols;
    }
  }

  const GemmArgs& args_;
  const GemmLayout layout_;
  float* const packed_a_;
  float* const packed_b_;
  float* const tiles_;
  ThreadPool& pool_;
  StoreCounter& counter_;
};

}  // namespace

int64_t GemmWorkspaceFloats(int64_t m, int64_t n, int64_t k) {
  // A smaller product may have the larger blocks.
  return GemmLayout(std::min(RoundUp(m, kRows), kBlockLines),
                    std::min(RoundUp(n, kCols), kBlockLines), k)
      .size;
}

void GemmKernel(const GemmArgs& args, float* workspace, ThreadPool& pool,
                StoreCounter& counter) {
  GemmProduct(args, workspace, pool, counter).Run();
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {

HWY_EXPORT(GemmWorkspaceFloats);
HWY_EXPORT(GemmKernel);

int64_t GemmWorkspaceBytes(int64_t m, int64_t n, int64_t k) {
  return static_cast<int64_t>(sizeof(float)) *
         HWY_DYNAMIC_DISPATCH(GemmWorkspaceFloats)(m, n, k);
}

void Gemm(const GemmArgs& args, void* workspace, ThreadPool& pool,
          StoreCounter& counter) {
  if (args.m == 0 || args.n == 0) return;
  HWY_DYNAMIC_DISPATCH(GemmKernel)
  (args, static_cast<float*>(workspace), pool, counter);
}

}  // namespace repro16
#endif  // HWY_ONCE
