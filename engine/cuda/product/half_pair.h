// Two numbers of binary16 side by side, and the steps of a sum in binary16
// (DotSum): a GPU has instructions that take both at once.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_HALF_PAIR_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_HALF_PAIR_H_

#include <cstdint>

#include "engine/cuda/simt/simt.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/rounding.h"
#if !defined(__CUDACC__) && defined(__F16C__)
#include <immintrin.h>
#endif

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

#ifdef __CUDA_ARCH__

struct HalfPair {
  uint32_t bits;  // the first number in the lower half
};

// Both are numbers of binary16.
SIMT_FUNCTION HalfPair MakeHalfPair(float first, float second) {
  HalfPair pair;
#if __CUDA_ARCH__ >= 800
  asm("cvt.rn.f16x2.f32 %0, %1, %2;"
      : "=r"(pair.bits)
      : "f"(second), "f"(first));
#else
  asm("{\n"
      ".reg .b16 first, second;\n"
      "cvt.rn.f16.f32 first, %1;\n"
      "cvt.rn.f16.f32 second, %2;\n"
      "mov.b32 %0, {first, second};\n"
      "}"
      : "=r"(pair.bits)
      : "f"(first), "f"(second));
#endif
  return pair;
}

SIMT_FUNCTION float First(HalfPair pair) {
  return ToFloat(Binary16{static_cast<uint16_t>(pair.bits)});
}
SIMT_FUNCTION float Second(HalfPair pair) {
  return ToFloat(Binary16{static_cast<uint16_t>(pair.bits >> 16)});
}

// Not contracted: .rn says so.
SIMT_FUNCTION HalfPair Add(HalfPair a, HalfPair b) {
  HalfPair sum;
  asm("add.rn.f16x2 %0, %1, %2;" : "=r"(sum.bits) : "r"(a.bits), "r"(b.bits));
  return sum;
}
SIMT_FUNCTION HalfPair Mul(HalfPair a, HalfPair b) {
  HalfPair product;
  asm("mul.rn.f16x2 %0, %1, %2;"
      : "=r"(product.bits)
      : "r"(a.bits), "r"(b.bits));
  return product;
}

#else

// As f32.
struct HalfPair {
  float first;
  float second;
};

SIMT_FUNCTION HalfPair MakeHalfPair(float first, float second) {
  return {first, second};
}

SIMT_FUNCTION float First(HalfPair pair) { return pair.first; }
SIMT_FUNCTION float Second(HalfPair pair) { return pair.second; }

SIMT_FUNCTION float RoundToHalf(float x) {
#if !defined(__CUDACC__) && defined(__F16C__)
  return _cvtsh_ss(_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT));
#else
  return RoundTo<Binary16>(x);
#endif
}

SIMT_FUNCTION HalfPair Add(HalfPair a, HalfPair b) {
  return {RoundToHalf(f32::Add(a.first, b.first)),
          RoundToHalf(f32::Add(a.second, b.second))};
}
SIMT_FUNCTION HalfPair Mul(HalfPair a, HalfPair b) {
  return {RoundToHalf(f32::Mul(a.first, b.first)),
          RoundToHalf(f32::Mul(a.second, b.second))};
}

#endif

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_HALF_PAIR_H_
