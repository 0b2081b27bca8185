// SIMD loads and stores of the storage types, with the one rounding of the
// numerics contract.
//
// An operation loads its inputs as f32 (exact), computes in f32 and stores its
// output through StoreRounded: rounded once, to nearest even, NaN made
// canonical, and counted. Included once per Highway target (see the Highway
// quick reference, "-inl.h").
#if defined(REPRO16_ENGINE_NUMERICS_ROUNDING_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_NUMERICS_ROUNDING_INL_H_
#undef REPRO16_ENGINE_NUMERICS_ROUNDING_INL_H_
#else
#define REPRO16_ENGINE_NUMERICS_ROUNDING_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/store_counter.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// --- Loads: exact

template <class D, class V = hn::VFromD<D>>
HWY_INLINE V LoadF32(D d, const float* HWY_RESTRICT p) {
  return hn::LoadU(d, p);
}

template <class D, class V = hn::VFromD<D>>
HWY_INLINE V LoadF32(D d, const Binary16* HWY_RESTRICT p) {
  const hn::Rebind<hwy::float16_t, D> dh;
  const hn::Rebind<uint16_t, D> du;
  return hn::PromoteTo(
      d, hn::BitCast(dh, hn::LoadU(du, reinterpret_cast<const uint16_t*>(p))));
}

template <class D, class V = hn::VFromD<D>>
HWY_INLINE V LoadF32(D d, const BFloat16* HWY_RESTRICT p) {
  const hn::Rebind<uint16_t, D> du16;
  const hn::RebindToUnsigned<D> du32;
  const auto u16 = hn::LoadU(du16, reinterpret_cast<const uint16_t*>(p));
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du32, u16)));
}

// The first `count` lanes; the others are 0. count may be 0 or more than the
// lanes.
template <class D, class V = hn::VFromD<D>>
HWY_INLINE V LoadF32N(D d, const float* HWY_RESTRICT p, size_t count) {
  return hn::LoadN(d, p, count);
}

template <class D, class T, class V = hn::VFromD<D>>
HWY_INLINE V LoadF32N(D d, const T* HWY_RESTRICT p, size_t count) {
  static_assert(sizeof(T) == 2, "a 16-bit storage type");
  HWY_ALIGN T buffer[hn::MaxLanes(D())] = {};
  hwy::CopyBytes(p, buffer, HWY_MIN(count, hn::Lanes(d)) * sizeof(T));
  return LoadF32(d, buffer);
}

// --- Rounding

// The bits of v rounded to binary16. NaN gives some NaN (StoreRounded makes it
// canonical).
template <class D>
HWY_INLINE hn::VFromD<hn::Rebind<uint16_t, D>> RoundedBits(D d, hn::VFromD<D> v,
                                                           Binary16 /*type*/) {
  const hn::Rebind<hwy::float16_t, D> dh;
  const hn::Rebind<uint16_t, D> du;
  (void)d;
  return hn::BitCast(du, hn::DemoteTo(dh, v));
}

// The bits of v rounded to bfloat16. NaN gives the canonical NaN.
template <class D>
HWY_INLINE hn::VFromD<hn::Rebind<uint16_t, D>> RoundedBits(D d, hn::VFromD<D> v,
                                                           BFloat16 /*type*/) {
  const hn::RebindToUnsigned<D> du32;
  const hn::Rebind<uint16_t, D> du16;
  (void)d;
  const auto bits = hn::BitCast(du32, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du32, 1));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du32, 0x7fff)));
  // A NaN would be carried into a zero or truncated to an infinity.
  const auto nan = hn::RebindMask(du32, hn::IsNaN(v));
  return hn::TruncateTo(du16, hn::ShiftRight<16>(hn::IfThenElse(
                                  nan, hn::Set(du32, 0x7fc00000), rounded)));
}

// v rounded to type T and widened again: the r() of an elementary operation
// (numerics contract, "Updates"). Identity for float. NaN gives some NaN.
template <class T, class D>
HWY_INLINE hn::VFromD<D> RoundTo(D d, hn::VFromD<D> v) {
  if constexpr (sizeof(T) == 4) {
    (void)d;
    return v;
  } else {
    const auto bits = RoundedBits(d, v, T());
    if constexpr (hwy::IsSame<T, Binary16>()) {
      const hn::Rebind<hwy::float16_t, D> dh;
      return hn::PromoteTo(d, hn::BitCast(dh, bits));
    } else {
      const hn::RebindToUnsigned<D> du32;
      return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du32, bits)));
    }
  }
}

// --- Stores

// What a store of an f32 to T can do to it, as bounds on the bits of |v|:
// bits <= kToZero gives zero, bits >= kToInfinity an infinity or NaN.
template <class T>
struct StoreBounds;

template <>
struct StoreBounds<float> {
  static constexpr uint32_t kToZero = 0;
  static constexpr uint32_t kToInfinity = 0x7f800000;
};

template <>
struct StoreBounds<Binary16> {
  static constexpr uint32_t kToZero =
      0x33000000;  // 2^-25: the tie goes to even
  static constexpr uint32_t kToInfinity = 0x477ff000;  // 65520: likewise
};

template <>
struct StoreBounds<BFloat16> {
  static constexpr uint32_t kToZero = 0x00008000;
  static constexpr uint32_t kToInfinity = 0x7f7f8000;
};

// Rare values of a store: counts them and returns v with its NaNs made
// canonical.
template <class T, class D>
HWY_NOINLINE hn::VFromD<D> CountAndCanonicalize(D d, hn::VFromD<D> v,
                                                StoreCounter& counter) {
  const hn::RebindToUnsigned<D> du;
  const auto magnitude = hn::BitCast(du, hn::Abs(v));
  const auto zero = hn::Zero(du);
  const auto nan = hn::Gt(magnitude, hn::Set(du, 0x7f800000));
  const auto infinite = hn::AndNot(
      nan, hn::Ge(magnitude, hn::Set(du, StoreBounds<T>::kToInfinity)));
  const auto underflow =
      hn::And(hn::Le(magnitude, hn::Set(du, StoreBounds<T>::kToZero)),
              hn::Ne(magnitude, zero));
  counter.nan += hn::CountTrue(du, nan);
  counter.infinite += hn::CountTrue(du, infinite);
  counter.underflow += hn::CountTrue(du, underflow);
  return hn::IfThenElse(hn::RebindMask(d, nan),
                        hn::BitCast(d, hn::Set(du, 0x7fc00000)), v);
}

// Prepares v for a store to T: counts what the rounding will do and makes NaN
// canonical.
template <class T, class D>
HWY_INLINE hn::VFromD<D> Inspect(D d, hn::VFromD<D> v, StoreCounter& counter) {
  const hn::RebindToUnsigned<D> du;
  const auto magnitude = hn::BitCast(du, hn::Abs(v));
  using Bounds = StoreBounds<T>;
  if constexpr (sizeof(T) == 4) {
    const auto rare = hn::Ge(magnitude, hn::Set(du, Bounds::kToInfinity));
    if (HWY_LIKELY(hn::AllFalse(du, rare))) return v;
  } else {
    // One unsigned comparison for "not in (kToZero, kToInfinity)"; exact zeros
    // are no event.
    const auto offset = hn::Sub(magnitude, hn::Set(du, Bounds::kToZero + 1));
    const auto outside =
        hn::Ge(offset, hn::Set(du, Bounds::kToInfinity - Bounds::kToZero - 1));
    const auto rare = hn::And(outside, hn::Ne(magnitude, hn::Zero(du)));
    if (HWY_LIKELY(hn::AllFalse(du, rare))) return v;
    // Small gradients underflow by the million: no call for these.
    const auto large = hn::Ge(magnitude, hn::Set(du, Bounds::kToInfinity));
    if (HWY_LIKELY(hn::AllFalse(du, large))) {
      counter.underflow += hn::CountTrue(du, rare);
      return v;
    }
  }
  return CountAndCanonicalize<T>(d, v, counter);
}

template <class D>
HWY_INLINE void StoreRounded(D d, hn::VFromD<D> v, float* HWY_RESTRICT p,
                             StoreCounter& counter) {
  hn::StoreU(Inspect<float>(d, v, counter), d, p);
}

template <class D, class T>
HWY_INLINE void StoreRounded(D d, hn::VFromD<D> v, T* HWY_RESTRICT p,
                             StoreCounter& counter) {
  const hn::Rebind<uint16_t, D> du;
  hn::StoreU(RoundedBits(d, Inspect<T>(d, v, counter), T()), du,
             reinterpret_cast<uint16_t*>(p));
}

// The first `count` lanes of v; the others are neither stored nor counted.
// count may be 0 or more than the lanes.
template <class D, class T>
HWY_INLINE void StoreRoundedN(D d, hn::VFromD<D> v, T* HWY_RESTRICT p,
                              size_t count, StoreCounter& counter) {
  const size_t stored = HWY_MIN(count, hn::Lanes(d));
  const auto kept = hn::IfThenElseZero(hn::FirstN(d, stored), v);
  HWY_ALIGN T buffer[hn::MaxLanes(D())];
  StoreRounded(d, kept, buffer, counter);
  hwy::CopyBytes(buffer, p, stored * sizeof(T));
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_NUMERICS_ROUNDING_INL_H_
