// What formulas are written with that the host and a GPU both compute.
//
// A function marked REPRO16_HOST_DEVICE is compiled for both by a CUDA compiler
// and is an ordinary function for any other. It allocates nothing, throws
// nothing and has no state, and its header includes nothing but others of its
// kind and a few of the standard library's (tools/check_device_headers.py; the
// list is //tests:device_headers).
//
// Such functions add, multiply, divide and take roots of f32 through namespace
// f32: each operation there rounds once, to nearest even, keeps subnormals and
// is never contracted with another. Written as a * b + c, a device compiler
// would form a fused multiply-add by default.
#ifndef REPRO16_ENGINE_NUMERICS_HOST_DEVICE_H_
#define REPRO16_ENGINE_NUMERICS_HOST_DEVICE_H_

#include <cmath>

#ifdef __CUDACC__
#define REPRO16_HOST_DEVICE __host__ __device__
#else
#define REPRO16_HOST_DEVICE
#endif

// A constant array at namespace scope. Device code may use a host constant's
// value, which suffices for numbers, but not its address.
#ifdef __CUDA_ARCH__
#define REPRO16_CONSTANT_ARRAY __device__ constexpr
#else
#define REPRO16_CONSTANT_ARRAY inline constexpr
#endif

#ifdef __FAST_MATH__
#error "-ffast-math changes results"
#endif

namespace repro16 {
namespace f32 {

#ifdef __CUDA_ARCH__

REPRO16_HOST_DEVICE inline float Add(float a, float b) {
  return __fadd_rn(a, b);
}
REPRO16_HOST_DEVICE inline float Sub(float a, float b) {
  return __fsub_rn(a, b);
}
REPRO16_HOST_DEVICE inline float Mul(float a, float b) {
  return __fmul_rn(a, b);
}
REPRO16_HOST_DEVICE inline float Div(float a, float b) {
  return __fdiv_rn(a, b);
}
REPRO16_HOST_DEVICE inline float Sqrt(float a) { return __fsqrt_rn(a); }
// a * b + c, rounded once.
REPRO16_HOST_DEVICE inline float Fma(float a, float b, float c) {
  return __fmaf_rn(a, b, c);
}

#else  // compiled with -ffp-contract=off

REPRO16_HOST_DEVICE inline float Add(float a, float b) { return a + b; }
REPRO16_HOST_DEVICE inline float Sub(float a, float b) { return a - b; }
REPRO16_HOST_DEVICE inline float Mul(float a, float b) { return a * b; }
REPRO16_HOST_DEVICE inline float Div(float a, float b) { return a / b; }
REPRO16_HOST_DEVICE inline float Sqrt(float a) { return std::sqrt(a); }
// a * b + c, rounded once.
REPRO16_HOST_DEVICE inline float Fma(float a, float b, float c) {
  return std::fma(a, b, c);
}

#endif

// The second operand where one is NaN.
REPRO16_HOST_DEVICE inline float Min(float a, float b) { return a < b ? a : b; }
REPRO16_HOST_DEVICE inline float Max(float a, float b) { return a > b ? a : b; }

REPRO16_HOST_DEVICE inline bool IsNan(float a) { return a != a; }

}  // namespace f32
}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_HOST_DEVICE_H_
