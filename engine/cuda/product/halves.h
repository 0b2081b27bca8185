// Numbers of binary16 side by side, and the steps of sums in binary16 (DotSum)
// on all of them: a GPU has instructions that take two at once.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_HALVES_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_HALVES_H_

#include <cstdint>

#include "engine/cuda/simt/simt.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/host_device.h"
#include "engine/numerics/rounding.h"
#if !defined(__CUDACC__) && defined(__F16C__)
#include <immintrin.h>
#endif

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

#ifdef __CUDACC__

inline constexpr int kHalves = 2;

struct Halves {
  uint32_t bits;  // the first number in the lower half

  // Numbers of binary16.
  SIMT_FUNCTION static Halves Of(const float (&x)[kHalves]) {
    Halves result;
#if __CUDA_ARCH__ >= 800
    asm("cvt.rn.f16x2.f32 %0, %1, %2;"
        : "=r"(result.bits)
        : "f"(x[1]), "f"(x[0]));
#else
    asm("{\n"
        ".reg .b16 first, second;\n"
        "cvt.rn.f16.f32 first, %1;\n"
        "cvt.rn.f16.f32 second, %2;\n"
        "mov.b32 %0, {first, second};\n"
        "}"
        : "=r"(result.bits)
        : "f"(x[0]), "f"(x[1]));
#endif
    return result;
  }

  SIMT_FUNCTION float At(int i) const {
    return ToFloat(Binary16{static_cast<uint16_t>(bits >> 16 * i)});
  }
};

// Each rounds; .rn says that they are not contracted.
SIMT_FUNCTION Halves Add(Halves a, Halves b) {
  Halves sum;
  asm("add.rn.f16x2 %0, %1, %2;" : "=r"(sum.bits) : "r"(a.bits), "r"(b.bits));
  return sum;
}
SIMT_FUNCTION Halves Mul(Halves a, Halves b) {
  Halves product;
  asm("mul.rn.f16x2 %0, %1, %2;"
      : "=r"(product.bits)
      : "r"(a.bits), "r"(b.bits));
  return product;
}

#else

inline constexpr int kHalves = 4;

struct Halves {
  float at[kHalves];

  SIMT_FUNCTION static Halves Of(const float (&x)[kHalves]) {
    Halves result;
    for (int i = 0; i < kHalves; ++i) result.at[i] = x[i];
    return result;
  }

  SIMT_FUNCTION float At(int i) const { return at[i]; }
};

// Each number rounded to binary16.
SIMT_FUNCTION Halves Round(const Halves& x) {
  Halves result;
#ifdef __F16C__
  _mm_storeu_ps(result.at, _mm_cvtph_ps(_mm_cvtps_ph(
                               _mm_loadu_ps(x.at), _MM_FROUND_TO_NEAREST_INT)));
#else
  for (int i = 0; i < kHalves; ++i) result.at[i] = RoundTo<Binary16>(x.at[i]);
#endif
  return result;
}

SIMT_FUNCTION Halves Add(const Halves& a, const Halves& b) {
  Halves sum;
  for (int i = 0; i < kHalves; ++i) sum.at[i] = f32::Add(a.at[i], b.at[i]);
  return Round(sum);
}
SIMT_FUNCTION Halves Mul(const Halves& a, const Halves& b) {
  Halves product;
  for (int i = 0; i < kHalves; ++i) product.at[i] = f32::Mul(a.at[i], b.at[i]);
  return Round(product);
}

#endif

SIMT_FUNCTION Halves AllOf(float x) {
  float same[kHalves];
  SIMT_UNROLL for (int i = 0; i < kHalves; ++i) same[i] = x;
  return Halves::Of(same);
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_HALVES_H_
