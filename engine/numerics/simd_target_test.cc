#include "engine/numerics/simd_target.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/numerics/simd_target_test.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

// The target that this copy of the function was compiled for.
std::string CompiledTarget() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

HWY_EXPORT(CompiledTarget);

TEST(SimdTargetTest, DispatchFollowsTheSelection) {
  ASSERT_THAT(UsableSimdTargets(), Not(IsEmpty()));
  for (const std::string& name : UsableSimdTargets()) {
    ASSERT_TRUE(SelectSimdTarget(name).ok()) << name;
    EXPECT_EQ(SelectedSimdTarget(), name);
    EXPECT_EQ(HWY_DYNAMIC_DISPATCH(CompiledTarget)(), name);
  }
}

TEST(SimdTargetTest, SelectionDoesNotShortenTheList) {
  const std::vector<std::string> before = UsableSimdTargets();
  ASSERT_TRUE(SelectSimdTarget(before.back()).ok());
  EXPECT_EQ(UsableSimdTargets(), before);
}

TEST(SimdTargetTest, AutoIsTheBest) {
  ASSERT_TRUE(SelectSimdTarget(UsableSimdTargets().back()).ok());
  ASSERT_TRUE(SelectSimdTarget("auto").ok());
  EXPECT_EQ(SelectedSimdTarget(), UsableSimdTargets().front());
}

TEST(SimdTargetTest, TargetWithoutFusedMultiplyAddIsNotOffered) {
  EXPECT_THAT(UsableSimdTargets(), Not(Contains("SSE2")));
  EXPECT_EQ(SelectSimdTarget("SSE2").code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SimdTargetTest, UnknownNameListsTheUsable) {
  const absl::Status status = SelectSimdTarget("avx2");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"avx2\""));
  for (const std::string& name : UsableSimdTargets()) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
  }
}

#if HWY_ARCH_X86
TEST(SimdTargetTest, MachinesWithAvx512RunAtLeastTwo) {
  if (__builtin_cpu_supports("avx512bw") != 0) {
    EXPECT_THAT(UsableSimdTargets(), Not(SizeIs(1)));
  }
  EXPECT_THAT(UsableSimdTargets(), Contains("AVX2"));
}
#endif

}  // namespace
}  // namespace repro16
#endif  // HWY_ONCE
