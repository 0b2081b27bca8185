// The functions of elementary.h for SIMD vectors of f32: the same bits, lane by
// lane. Included once per Highway target (see the Highway quick reference,
// "-inl.h").
#if defined(REPRO16_ENGINE_NUMERICS_ELEMENTARY_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_NUMERICS_ELEMENTARY_INL_H_
#undef REPRO16_ENGINE_NUMERICS_ELEMENTARY_INL_H_
#else
#define REPRO16_ENGINE_NUMERICS_ELEMENTARY_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "engine/numerics/elementary_constants.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

namespace elementary_internal {

using namespace elementary;  // NOLINT(google-build-using-namespace)

// Horner's rule; coefficients lowest power first.
template <class D, size_t kSize, class V = hn::VFromD<D>>
HWY_INLINE V Polynomial(D d, V x, const float (&coefficients)[kSize]) {
  V sum = hn::Set(d, coefficients[kSize - 1]);
  for (size_t i = kSize - 1; i > 0; --i) {
    sum = hn::MulAdd(sum, x, hn::Set(d, coefficients[i - 1]));
  }
  return sum;
}

// `value`, but the canonical NaN where mask is set.
template <class D, class M, class V = hn::VFromD<D>>
HWY_INLINE V NanWhere(D d, M mask, V value) {
  const hn::RebindToUnsigned<D> du;
  return hn::IfThenElse(mask, hn::BitCast(d, hn::Set(du, kNanBits)), value);
}

// 2^k for -126 <= k <= 127.
template <class D>
HWY_INLINE hn::VFromD<D> PowerOfTwo(D d, hn::VFromD<hn::RebindToSigned<D>> k) {
  const hn::RebindToSigned<D> di;
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(k, hn::Set(di, 127))));
}

// For -150 <= x <= 89; any value elsewhere.
template <class D, class V = hn::VFromD<D>>
HWY_INLINE V ExpInRange(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V shift = hn::Set(d, kIntegerShift);
  const V shifted = hn::MulAdd(x, hn::Set(d, kLog2E), shift);
  const V n = hn::Sub(shifted, shift);
  V r = hn::MulAdd(n, hn::Set(d, -kLog2High), x);
  r = hn::MulAdd(n, hn::Set(d, -kLog2Low), r);
  const V y =
      hn::Add(hn::MulAdd(hn::Mul(r, r), Polynomial(d, r, kExpPolynomial), r),
              hn::Set(d, 1.0f));
  const auto k = hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, shift));
  const auto half = hn::ShiftRight<1>(k);
  return hn::Mul(hn::Mul(y, PowerOfTwo(d, half)),
                 PowerOfTwo(d, hn::Sub(k, half)));
}

// See NormalTail in elementary.h.
template <class V>
struct NormalTail {
  V t;
  V exp;
  V ratio;
};

template <class D, class V = hn::VFromD<D>>
HWY_INLINE NormalTail<V> ComputeNormalTail(D d, V magnitude) {
  const V t = hn::Min(magnitude, hn::Set(d, kGeluMax));
  const V square = hn::Mul(t, t);
  const V rest = hn::MulSub(t, t, square);
  const V minus_half = hn::Set(d, -0.5f);
  const V exp = ExpInRange(d, hn::Mul(minus_half, square));
  const V pivot = hn::Set(d, kGeluPivot);
  const V inverse = hn::Div(hn::Set(d, 1.0f), hn::Add(t, pivot));
  const V q = hn::Mul(hn::Sub(t, pivot), inverse);
  return {t, hn::MulAdd(exp, hn::Mul(minus_half, rest), exp),
          hn::Mul(Polynomial(d, q, kGeluPolynomial), inverse)};
}

}  // namespace elementary_internal

template <class D, class V = hn::VFromD<D>>
HWY_INLINE V Exp(D d, V x) {
  namespace ei = elementary_internal;
  const V clamped = hn::Min(hn::Max(x, hn::Set(d, elementary::kExpMin)),
                            hn::Set(d, elementary::kExpMax));
  return ei::NanWhere(d, hn::IsNaN(x), ei::ExpInRange(d, clamped));
}

template <class D, class V = hn::VFromD<D>>
HWY_INLINE V Log(D d, V x) {
  namespace ei = elementary_internal;
  const hn::RebindToSigned<D> di;
  const V zero = hn::Zero(d);
  const auto subnormal = hn::Lt(x, hn::Set(d, elementary::kMinNormal));
  const auto bits =
      hn::BitCast(di, hn::MaskedMulOr(x, subnormal, x,
                                      hn::Set(d, elementary::kSubnormalScale)));
  const auto sqrt_half =
      hn::Set(di, static_cast<int32_t>(elementary::kSqrtHalfBits));
  const auto above = hn::Sub(bits, sqrt_half);
  const V k = hn::Sub(hn::ConvertTo(d, hn::ShiftRight<23>(above)),
                      hn::IfThenElseZero(subnormal, hn::Set(d, 23.0f)));
  const auto fraction = hn::And(
      above, hn::Set(di, static_cast<int32_t>(elementary::kFractionMask)));
  const V f =
      hn::Sub(hn::BitCast(d, hn::Add(fraction, sqrt_half)), hn::Set(d, 1.0f));
  const V square = hn::Mul(f, f);
  V y = hn::Mul(hn::Mul(f, square),
                ei::Polynomial(d, f, elementary::kLogPolynomial));
  y = hn::MulAdd(k, hn::Set(d, elementary::kLog2Low), y);
  y = hn::MulAdd(hn::Set(d, -0.5f), square, y);
  y = hn::MulAdd(k, hn::Set(d, elementary::kLog2High), hn::Add(f, y));

  const V infinity = hn::Inf(d);
  y = hn::IfThenElse(hn::Eq(x, infinity), infinity, y);
  y = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), y);
  return ei::NanWhere(d, hn::Or(hn::IsNaN(x), hn::Lt(x, zero)), y);
}

template <class D, class V = hn::VFromD<D>>
HWY_INLINE V Tanh(D d, V x) {
  namespace ei = elementary_internal;
  const V one = hn::Set(d, 1.0f);
  const V two = hn::Set(d, 2.0f);
  const V t = hn::Min(hn::Abs(x), hn::Set(d, elementary::kTanhMax));
  const V square = hn::Mul(t, t);
  const V small =
      hn::MulAdd(hn::Mul(t, square),
                 ei::Polynomial(d, square, elementary::kTanhPolynomial), t);
  const V exp = ei::ExpInRange(d, hn::Mul(two, t));
  const V large = hn::Sub(one, hn::Div(two, hn::Add(exp, one)));
  const auto is_small = hn::Lt(t, hn::Set(d, elementary::kTanhSmall));
  return ei::NanWhere(
      d, hn::IsNaN(x),
      hn::CopySignToAbs(hn::IfThenElse(is_small, small, large), x));
}

template <class D, class V = hn::VFromD<D>>
HWY_INLINE V Erf(D d, V x) {
  namespace ei = elementary_internal;
  const V t = hn::Min(hn::Abs(x), hn::Set(d, elementary::kErfMax));
  const V small = hn::MulAdd(
      t, ei::Polynomial(d, hn::Mul(t, t), elementary::kErfSmallPolynomial), t);
  const V minus_t = hn::Neg(t);
  const V exponent = hn::MulAdd(
      minus_t, ei::Polynomial(d, t, elementary::kErfPolynomial), minus_t);
  const V large = hn::Sub(hn::Set(d, 1.0f), ei::ExpInRange(d, exponent));
  const auto is_small = hn::Lt(t, hn::Set(d, elementary::kErfSmall));
  return ei::NanWhere(
      d, hn::IsNaN(x),
      hn::CopySignToAbs(hn::IfThenElse(is_small, small, large), x));
}

template <class D, class V = hn::VFromD<D>>
HWY_INLINE V Gelu(D d, V x) {
  namespace ei = elementary_internal;
  const auto tail = ei::ComputeNormalTail(d, hn::Abs(x));
  const V product = hn::Mul(hn::Mul(tail.t, tail.ratio), tail.exp);
  const V y = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Neg(product),
                             hn::Sub(x, product));
  return ei::NanWhere(d, hn::IsNaN(x), y);
}

template <class D, class V = hn::VFromD<D>>
HWY_INLINE V GeluDerivative(D d, V x) {
  namespace ei = elementary_internal;
  const auto tail = ei::ComputeNormalTail(d, hn::Abs(x));
  const V below = hn::Mul(
      tail.exp,
      hn::MulAdd(hn::Set(d, -elementary::kNormalDensity), tail.t, tail.ratio));
  const V y = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), below,
                             hn::Sub(hn::Set(d, 1.0f), below));
  return ei::NanWhere(d, hn::IsNaN(x), y);
}

template <class D, class V = hn::VFromD<D>>
HWY_INLINE V Rsqrt(D d, V x) {
  namespace ei = elementary_internal;
  const V zero = hn::Zero(d);
  const V one = hn::Set(d, 1.0f);
  const V y = hn::Div(one, hn::Sqrt(x));
  const V product = hn::Mul(x, y);
  const V rest = hn::MulSub(x, y, product);
  const V residual = hn::NegMulAdd(rest, y, hn::NegMulAdd(product, y, one));
  const V correction =
      hn::MulAdd(hn::Mul(hn::Set(d, 0.375f), residual), residual,
                 hn::Mul(hn::Set(d, 0.5f), residual));
  const V refined = hn::MulAdd(y, correction, y);
  const auto exact = hn::Or(hn::Eq(x, zero), hn::Eq(x, hn::Inf(d)));
  return ei::NanWhere(d, hn::Or(hn::IsNaN(x), hn::Lt(x, zero)),
                      hn::IfThenElse(exact, y, refined));
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_NUMERICS_ELEMENTARY_INL_H_
