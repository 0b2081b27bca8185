// The sums of one thread of a product: some rows by some columns, in registers.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_THREAD_SUMS_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_THREAD_SUMS_H_

#include <cstdint>

#include "engine/cuda/product/half_pair.h"
#include "engine/cuda/simt/simt.h"
#include "engine/numerics/host_device.h"
#include "engine/numerics/narrowing.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// What an absent term of operand a is staged as: a NaN that no number is
// staged as.
inline constexpr uint32_t kAbsentBits = 0x7fc0ab5e;

SIMT_FUNCTION bool IsAbsent(float x) {
  return ToBits<uint32_t>(x) == kAbsentBits;
}

// acc + a * b, rounded once; in binary16, rounded twice.
struct DotStep {
  SIMT_FUNCTION static float Add(float a, float b, float acc) {
    return f32::Fma(a, b, acc);
  }
  SIMT_FUNCTION static HalfPair Add(HalfPair a, HalfPair b, HalfPair acc) {
    return REPRO16_CUDA_TARGET::Add(acc, Mul(a, b));
  }
};

// With an f32 accumulator.
template <int kRows, int kCols, class Step = DotStep>
class F32Sums {
 public:
  SIMT_FUNCTION void Clear() {
    SIMT_UNROLL for (int r = 0; r < kRows; ++r) {
      SIMT_UNROLL for (int c = 0; c < kCols; ++c) sums_[r][c] = 0.0f;
    }
  }

  // One position; with kMarks, rows whose term is marked absent pass it by.
  template <bool kMarks>
  SIMT_FUNCTION void AddTerm(const float (&row)[kRows],
                             const float (&col)[kCols]) {
    SIMT_UNROLL for (int r = 0; r < kRows; ++r) {
      if (kMarks && IsAbsent(row[r])) continue;
      SIMT_UNROLL for (int c = 0; c < kCols; ++c) {
        sums_[r][c] = Step::Add(row[r], col[c], sums_[r][c]);
      }
    }
  }

  SIMT_FUNCTION float Get(int r, int c) const { return sums_[r][c]; }

 private:
  float sums_[kRows][kCols];
};

// With an f16 accumulator.
template <int kRows, int kCols, class Step = DotStep>
class F16Sums {
 public:
  SIMT_FUNCTION void Clear() {
    SIMT_UNROLL for (int r = 0; r < kRows; ++r) {
      SIMT_UNROLL for (int p = 0; p < kPairs; ++p) {
        sums_[r][p] = MakeHalfPair(0.0f, 0.0f);
      }
    }
  }

  template <bool kMarks>
  SIMT_FUNCTION void AddTerm(const float (&row)[kRows],
                             const float (&col)[kCols]) {
    HalfPair cols[kPairs];
    SIMT_UNROLL for (int p = 0; p < kPairs; ++p) {
      cols[p] = MakeHalfPair(col[2 * p], col[2 * p + 1]);
    }
    SIMT_UNROLL for (int r = 0; r < kRows; ++r) {
      if (kMarks && IsAbsent(row[r])) continue;
      const HalfPair twice = MakeHalfPair(row[r], row[r]);
      SIMT_UNROLL for (int p = 0; p < kPairs; ++p) {
        sums_[r][p] = Step::Add(twice, cols[p], sums_[r][p]);
      }
    }
  }

  SIMT_FUNCTION float Get(int r, int c) const {
    const HalfPair pair = sums_[r][c / 2];
    return c % 2 == 0 ? First(pair) : Second(pair);
  }

 private:
  static_assert(kCols % 2 == 0);
  static constexpr int kPairs = kCols / 2;

  HalfPair sums_[kRows][kPairs];
};

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_THREAD_SUMS_H_
