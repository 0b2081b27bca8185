// The SIMD loads and stores of rounding-inl.h against the scalar conversions,
// on every target of the machine.
#include "engine/numerics/rounding.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/types/span.h"
#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/rounding_oracle.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/store_counter.h"
#include "gtest/gtest.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/numerics/rounding_test.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Must follow foreach_target.h.
#include "engine/numerics/rounding-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

using D = hn::ScalableTag<float>;

size_t Lanes() { return hn::Lanes(D()); }

// Whole vectors, then one tail.
template <typename T>
void Load(const T* from, size_t size, float* to) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    hn::StoreU(LoadF32(d, from + i), d, to + i);
  }
  hn::StoreN(LoadF32N(d, from + i, size - i), d, to + i, size - i);
}

// One vector, of which `count` lanes are to be loaded.
template <typename T>
void LoadOneN(const T* from, size_t count, float* to) {
  const D d;
  hn::StoreU(LoadF32N(d, from, count), d, to);
}

template <typename T>
StoreCounter Store(const float* from, size_t size, T* to) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  StoreCounter counter;
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    StoreRounded(d, hn::LoadU(d, from + i), to + i, counter);
  }
  StoreRoundedN(d, hn::LoadN(d, from + i, size - i), to + i, size - i, counter);
  return counter;
}

// One vector, of which `count` lanes are to be stored.
template <typename T>
StoreCounter StoreOneN(const float* from, size_t count, T* to) {
  const D d;
  StoreCounter counter;
  StoreRoundedN(d, hn::LoadU(d, from), to, count, counter);
  return counter;
}

// size is a multiple of the lanes.
template <typename T>
void Round(const float* from, size_t size, float* to) {
  const D d;
  for (size_t i = 0; i < size; i += hn::Lanes(d)) {
    hn::StoreU(RoundTo<T>(d, hn::LoadU(d, from + i)), d, to + i);
  }
}

#define REPRO16_DEFINE_FOR(T)                                         \
  void Load##T(const T* from, size_t size, float* to) {               \
    Load(from, size, to);                                             \
  }                                                                   \
  void LoadOneN##T(const T* from, size_t count, float* to) {          \
    LoadOneN(from, count, to);                                        \
  }                                                                   \
  StoreCounter Store##T(const float* from, size_t size, T* to) {      \
    return Store(from, size, to);                                     \
  }                                                                   \
  StoreCounter StoreOneN##T(const float* from, size_t count, T* to) { \
    return StoreOneN(from, count, to);                                \
  }                                                                   \
  void Round##T(const float* from, size_t size, float* to) {          \
    Round<T>(from, size, to);                                         \
  }
REPRO16_DEFINE_FOR(Binary16)
REPRO16_DEFINE_FOR(BFloat16)
REPRO16_DEFINE_FOR(float)
#undef REPRO16_DEFINE_FOR

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

HWY_EXPORT(Lanes);

// The functions above, dispatched to the selected target.
template <typename T>
struct Simd;

#define REPRO16_DISPATCH_FOR(T)                                             \
  HWY_EXPORT(Load##T);                                                      \
  HWY_EXPORT(LoadOneN##T);                                                  \
  HWY_EXPORT(Store##T);                                                     \
  HWY_EXPORT(StoreOneN##T);                                                 \
  HWY_EXPORT(Round##T);                                                     \
  template <>                                                               \
  struct Simd<T> {                                                          \
    static void Load(const T* from, size_t size, float* to) {               \
      HWY_DYNAMIC_DISPATCH(Load##T)(from, size, to);                        \
    }                                                                       \
    static void LoadOneN(const T* from, size_t count, float* to) {          \
      HWY_DYNAMIC_DISPATCH(LoadOneN##T)(from, count, to);                   \
    }                                                                       \
    static StoreCounter Store(const float* from, size_t size, T* to) {      \
      return HWY_DYNAMIC_DISPATCH(Store##T)(from, size, to);                \
    }                                                                       \
    static StoreCounter StoreOneN(const float* from, size_t count, T* to) { \
      return HWY_DYNAMIC_DISPATCH(StoreOneN##T)(from, count, to);           \
    }                                                                       \
    static void Round(const float* from, size_t size, float* to) {          \
      HWY_DYNAMIC_DISPATCH(Round##T)(from, size, to);                       \
    }                                                                       \
  };
REPRO16_DISPATCH_FOR(Binary16)
REPRO16_DISPATCH_FOR(BFloat16)
REPRO16_DISPATCH_FOR(float)
#undef REPRO16_DISPATCH_FOR

template <typename To, typename From>
To BitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "other size");
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

template <typename T>
bool SameBits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

template <typename T>
StoreCounter CountsOf(absl::Span<const float> x) {
  StoreCounter counter;
  for (const float value : x) {
    const float stored = ToFloat(RoundToStored<T>(value));
    counter.infinite += std::isinf(stored);
    counter.nan += std::isnan(stored);
    counter.underflow += value != 0 && stored == 0;
  }
  return counter;
}

void ExpectSameCounts(const StoreCounter& counter,
                      const StoreCounter& expected) {
  EXPECT_EQ(counter.infinite, expected.infinite);
  EXPECT_EQ(counter.nan, expected.nan);
  EXPECT_EQ(counter.underflow, expected.underflow);
}

// Edges of both 16-bit formats, some NaNs and a sample of all f32. Whole
// vectors and a tail.
std::vector<float> Operands() {
  std::vector<float> x = RoundingOracle(5, 10).EdgeCases<float>();
  const std::vector<float> brain = RoundingOracle(8, 7).EdgeCases<float>();
  x.insert(x.end(), brain.begin(), brain.end());
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 16381) {
    x.push_back(BitCast<float>(static_cast<uint32_t>(bits)));
  }
  for (const uint32_t nan : {0x7f800001, 0x7fbfffff, 0x7fc00000, 0x7fffffff}) {
    x.push_back(BitCast<float>(nan));
    x.push_back(BitCast<float>(nan | 0x80000000));
  }
  x.resize(x.size() / 64 * 64 + 5);
  return x;
}

template <typename T>
class RoundingTest : public testing::Test {
 protected:
  void TearDown() override { ASSERT_TRUE(SelectSimdTarget("auto").ok()); }

  template <typename Body>
  void OnEveryTarget(Body body) {
    ASSERT_FALSE(UsableSimdTargets().empty());
    for (const std::string& target : UsableSimdTargets()) {
      SCOPED_TRACE(target);
      ASSERT_TRUE(SelectSimdTarget(target).ok());
      body();
      if (this->HasFatalFailure()) return;
    }
  }
};

using StorageTypes = testing::Types<Binary16, BFloat16, float>;
TYPED_TEST_SUITE(RoundingTest, StorageTypes);

TYPED_TEST(RoundingTest, ScalarStoreCountsAndHasOneNan) {
  const std::vector<float> x = Operands();
  StoreCounter counter;
  for (const float value : x) {
    const auto stored = RoundAndCount<TypeParam>(value, counter);
    ASSERT_TRUE(SameBits(stored, RoundToStored<TypeParam>(value)));
    const float rounded = RoundTo<TypeParam>(value);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(rounded));
      ASSERT_TRUE(SameBits(ToFloat(stored), BitCast<float>(0x7fc00000)));
    } else {
      ASSERT_TRUE(SameBits(rounded, ToFloat(stored))) << value;
    }
  }
  ExpectSameCounts(counter, CountsOf<TypeParam>(x));
}

TYPED_TEST(RoundingTest, StoresAndCountsAsTheScalarConversion) {
  const std::vector<float> x = Operands();
  const StoreCounter expected = CountsOf<TypeParam>(x);
  ASSERT_GT(expected.nan, 1000u);
  ASSERT_GE(expected.infinite, 4u);
  this->OnEveryTarget([&] {
    std::vector<TypeParam> y(x.size());
    ExpectSameCounts(Simd<TypeParam>::Store(x.data(), x.size(), y.data()),
                     expected);
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_TRUE(SameBits(y[i], RoundToStored<TypeParam>(x[i])))
          << std::hexfloat << x[i] << " gives " << ToFloat(y[i]);
    }
  });
}

TYPED_TEST(RoundingTest, RoundToIsStoreAndLoad) {
  std::vector<float> x = Operands();
  x.resize(x.size() / 64 * 64);
  this->OnEveryTarget([&] {
    std::vector<float> y(x.size());
    Simd<TypeParam>::Round(x.data(), x.size(), y.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const float expected = ToFloat(RoundToStored<TypeParam>(x[i]));
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(y[i])) << BitCast<uint32_t>(x[i]);
      } else {
        ASSERT_TRUE(SameBits(y[i], expected)) << std::hexfloat << x[i];
      }
    }
  });
}

TYPED_TEST(RoundingTest, LoadsExactly) {
  std::vector<TypeParam> x;
  for (uint32_t bits = 0; bits < 0x10000 + 5; ++bits) {
    if constexpr (std::is_same_v<TypeParam, float>) {
      x.push_back(BitCast<float>(bits * 65521));
    } else {
      x.push_back(TypeParam{static_cast<uint16_t>(bits)});
    }
  }
  this->OnEveryTarget([&] {
    std::vector<float> y(x.size());
    Simd<TypeParam>::Load(x.data(), x.size(), y.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const float expected = ToFloat(x[i]);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(y[i])) << i;
      } else {
        ASSERT_TRUE(SameBits(y[i], expected)) << i;
      }
    }
  });
}

// Lane counts from none to far more than there are.
std::vector<size_t> CountsAround(size_t lanes) {
  std::vector<size_t> counts;
  for (size_t count = 0; count <= lanes + 3; ++count) counts.push_back(count);
  for (const size_t large : {255, 256, 257, 300, 65536, 65537}) {
    counts.push_back(large);
  }
  counts.push_back(size_t{1} << 32);
  counts.push_back((size_t{1} << 32) + 1);
  return counts;
}

TYPED_TEST(RoundingTest, LoadNFillsWithZeros) {
  this->OnEveryTarget([&] {
    const size_t lanes = HWY_DYNAMIC_DISPATCH(Lanes)();
    const std::vector<TypeParam> x(lanes, RoundToStored<TypeParam>(1.5f));
    for (const size_t count : CountsAround(lanes)) {
      std::vector<float> y(lanes, -1.0f);
      Simd<TypeParam>::LoadOneN(x.data(), count, y.data());
      for (size_t i = 0; i < lanes; ++i) {
        ASSERT_EQ(y[i], i < count ? 1.5f : 0.0f) << i << " of " << count;
      }
    }
  });
}

// Lanes beyond the count hold what would be counted.
TYPED_TEST(RoundingTest, StoreNTouchesAndCountsNothingElse) {
  const float rare[] = {NAN, INFINITY,
                        std::numeric_limits<float>::denorm_min()};
  this->OnEveryTarget([&] {
    const size_t lanes = HWY_DYNAMIC_DISPATCH(Lanes)();
    std::vector<float> x(lanes);
    for (size_t i = 0; i < lanes; ++i) x[i] = rare[i % 3];
    const TypeParam guard = RoundToStored<TypeParam>(-7.0f);
    for (const size_t count : CountsAround(lanes)) {
      const size_t stored = std::min(count, lanes);
      std::vector<TypeParam> y(2 * lanes + 4, guard);
      const StoreCounter counter =
          Simd<TypeParam>::StoreOneN(x.data(), count, y.data());
      ExpectSameCounts(counter,
                       CountsOf<TypeParam>(absl::MakeSpan(x.data(), stored)));
      for (size_t i = 0; i < y.size(); ++i) {
        const TypeParam expected =
            i < stored ? RoundToStored<TypeParam>(x[i]) : guard;
        ASSERT_TRUE(SameBits(y[i], expected)) << i << " of " << count;
      }
    }
  });
}

// Each kind of event alone in each lane, among values that are none.
TYPED_TEST(RoundingTest, CountsEachLane) {
  struct Event {
    float x;
    StoreCounter counts;
  };
  std::vector<Event> events = {
      {NAN, {0, 1, 0}},       {-NAN, {0, 1, 0}}, {INFINITY, {1, 0, 0}},
      {-INFINITY, {1, 0, 0}}, {0.0f, {0, 0, 0}}, {-0.0f, {0, 0, 0}},
  };
  const bool is_float = std::is_same_v<TypeParam, float>;
  const bool is_half = std::is_same_v<TypeParam, Binary16>;
  events.push_back({0x1p-149f, {0, 0, is_float ? 0u : 1u}});
  events.push_back({-0x1p-25f, {0, 0, is_half ? 1u : 0u}});
  events.push_back({0x1.000002p-25f, {0, 0, 0}});
  events.push_back({65520.0f, {is_half ? 1u : 0u, 0, 0}});
  events.push_back({65519.996f, {0, 0, 0}});
  events.push_back({-0x1.ffp+127f, {is_float ? 0u : 1u, 0, 0}});
  events.push_back({0x1.fefffep+127f, {is_half ? 1u : 0u, 0, 0}});
  this->OnEveryTarget([&] {
    const size_t lanes = HWY_DYNAMIC_DISPATCH(Lanes)();
    for (const Event& event : events) {
      for (size_t lane = 0; lane < lanes; ++lane) {
        std::vector<float> x(lanes, 1.0f);
        x[lane] = event.x;
        std::vector<TypeParam> y(lanes);
        SCOPED_TRACE(event.x);
        ExpectSameCounts(Simd<TypeParam>::Store(x.data(), lanes, y.data()),
                         event.counts);
      }
    }
  });
}

}  // namespace
}  // namespace repro16
#endif  // HWY_ONCE
