#include "engine/cpu/product/batched_gemm.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/numerics/reduction.h"
#include "engine/numerics/store_counter.h"
#include "engine/numerics/visit_dtype.h"
#include "engine/tensor/round_up.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/product/batched_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "engine/cpu/product/gemm-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

// Products are dealt to this many tasks, each with packed operands of its own
// in the workspace, whose size so does not depend on the number of workers.
constexpr int64_t kMaxTasks = 32;

// The packed operands of one product, in floats; rounded so that all vectors
// and all tasks' slices are aligned.
struct Slice {
  Slice(int64_t m, int64_t n, int64_t k)
      : b_offset(RoundUp(
            RoundUp(static_cast<size_t>(m), kRowGroup) * static_cast<size_t>(k),
            kAlignment)),
        size(b_offset + RoundUp(RoundUp(static_cast<size_t>(n), kTileCols) *
                                    static_cast<size_t>(k),
                                kAlignment)) {}

  static constexpr size_t kAlignment = 64 / sizeof(float);
  size_t b_offset;
  size_t size;
};

// All lines of an operand, in panels of kWidth.
template <size_t kWidth, class T>
void PackPanels(const Lines<T>& lines, size_t count, size_t depth, float* to) {
  for (size_t line = 0; line < count; line += kWidth) {
    PackPanel<kWidth>(
        Lines<T>{lines.At(line, 0), lines.line_stride, lines.depth_stride},
        std::min(kWidth, count - line), depth, to + line * depth);
  }
}

// One product from packed operands.
template <class Accumulator, class T>
void Multiply(const float* a, const float* b, size_t m, size_t n, size_t k,
              T* c, int64_t c_row_stride, StoreCounter& counter) {
  HWY_ALIGN float sums[kTileRows * kTileCols] = {};
  for (size_t col = 0; col < n; col += kTileCols) {
    const size_t cols = std::min(kTileCols, n - col);
    for (size_t row = 0; row < m; row += kTileRows) {
      const size_t rows = std::min(kTileRows, m - row);
      for (size_t p = 0; p < k; p += kReductionChunk) {
        const TileOperands tile = {a + row * k + p * kRowGroup, k * kRowGroup,
                                   b + col * k + p * kTileCols};
        SumChunkOf<Accumulator>(CeilDiv(rows, kRowGroup), CeilDiv(cols, kLanes),
                                tile, std::min<size_t>(kReductionChunk, k - p),
                                p == 0, sums);
      }
      StoreTile<Accumulator>(sums, rows, cols, nullptr,
                             c + static_cast<int64_t>(row) * c_row_stride + col,
                             c_row_stride, counter);
    }
  }
}

class BatchedProducts {
 public:
  BatchedProducts(const BatchedGemmArgs& args, float* workspace)
      : args_(args), slice_(args.m, args.n, args.k), workspace_(workspace) {}

  void Run(ThreadPool& pool) const {
    const int64_t products = args_.outer * args_.inner;
    const int64_t tasks = std::min(kMaxTasks, products);
    StoreCounter& total = *args_.c.tensor.counter;
    pool.RunCounted(tasks, total, [&](int64_t task, StoreCounter& counter) {
      float* packed = workspace_ + static_cast<size_t>(task) * slice_.size;
      const int64_t end = (task + 1) * products / tasks;
      for (int64_t i = task * products / tasks; i < end; ++i) {
        One(i / args_.inner, i % args_.inner, packed, counter);
      }
    });
  }

 private:
  static int64_t Offset(const BatchStrides& s, int64_t o, int64_t h) {
    return o * s.outer + h * s.inner;
  }

  void One(int64_t o, int64_t h, float* packed, StoreCounter& counter) const {
    const auto m = static_cast<size_t>(args_.m);
    const auto n = static_cast<size_t>(args_.n);
    const auto k = static_cast<size_t>(args_.k);
    float* packed_b = packed + slice_.b_offset;
    VisitDType(args_.a.tensor.type, [&](auto type) {
      using T = decltype(type);
      const BatchStrides& s = args_.a.strides;
      PackPanels<kRowGroup>(
          Lines<T>{static_cast<const T*>(args_.a.tensor.data) + Offset(s, o, h),
                   s.row, s.col},
          m, k, packed);
    });
    VisitDType(args_.b.tensor.type, [&](auto type) {
      using T = decltype(type);
      const BatchStrides& s = args_.b.strides;
      PackPanels<kTileCols>(
          Lines<T>{static_cast<const T*>(args_.b.tensor.data) + Offset(s, o, h),
                   s.col, s.row},
          n, k, packed_b);
    });
    VisitDType(args_.c.tensor.type, [&](auto type) {
      using T = decltype(type);
      const BatchStrides& s = args_.c.strides;
      const auto multiply = args_.accumulator == DType::kF16
                                ? &Multiply<F16Accumulator, T>
                                : &Multiply<F32Accumulator, T>;
      multiply(packed, packed_b, m, n, k,
               static_cast<T*>(args_.c.tensor.data) + Offset(s, o, h), s.row,
               counter);
    });
  }

  const BatchedGemmArgs& args_;
  const Slice slice_;
  float* const workspace_;
};

}  // namespace

int64_t BatchedGemmWorkspaceFloats(int64_t m, int64_t n, int64_t k) {
  return kMaxTasks * static_cast<int64_t>(Slice(m, n, k).size);
}

void BatchedGemmKernel(const BatchedGemmArgs& args, float* workspace,
                       ThreadPool& pool) {
  BatchedProducts(args, workspace).Run(pool);
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {

HWY_EXPORT(BatchedGemmWorkspaceFloats);
HWY_EXPORT(BatchedGemmKernel);

int64_t BatchedGemmWorkspaceBytes(int64_t m, int64_t n, int64_t k) {
  return static_cast<int64_t>(sizeof(float)) *
         HWY_DYNAMIC_DISPATCH(BatchedGemmWorkspaceFloats)(m, n, k);
}

void BatchedGemm(const BatchedGemmArgs& args, void* workspace,
                 ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(BatchedGemmKernel)
  (args, static_cast<float*>(workspace), pool);
}

}  // namespace repro16
#endif  // HWY_ONCE
