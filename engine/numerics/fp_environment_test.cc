#include "engine/numerics/fp_environment.h"

#include <cfenv>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace repro16 {
namespace {

using ::testing::HasSubstr;

TEST(FpEnvironmentTest, DefaultIsFine) {
  EXPECT_TRUE(CheckFpEnvironment().ok()) << CheckFpEnvironment();
}

TEST(FpEnvironmentTest, EveryOtherRoundingIsRefused) {
  for (const int rounding : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(rounding);
    const absl::Status status = CheckFpEnvironment();
    std::fesetround(FE_TONEAREST);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("nearest"));
  }
}

#if defined(__x86_64__)
TEST(FpEnvironmentTest, FlushingIsRefused) {
  const unsigned saved = _mm_getcsr();
  _mm_setcsr(saved | 0x8000);
  const absl::Status results = CheckFpEnvironment();
  _mm_setcsr(saved | 0x0040);
  const absl::Status operands = CheckFpEnvironment();
  _mm_setcsr(saved);
  EXPECT_THAT(std::string(results.message()), HasSubstr("results"));
  EXPECT_THAT(std::string(operands.message()), HasSubstr("operands"));
}
#endif

}  // namespace
}  // namespace repro16
