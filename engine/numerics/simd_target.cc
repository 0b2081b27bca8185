#include "engine/numerics/simd_target.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hwy/highway.h"

namespace repro16 {
namespace {

// Compiled for, but without fused multiply-add.
constexpr int64_t kUnusable = HWY_SSE2 | HWY_SCALAR | HWY_EMU128;

// What the processor has, whatever is selected.
int64_t DetectUsable() {
  static const int64_t usable =
      hwy::SupportedTargets() & HWY_TARGETS & ~kUnusable;
  return usable;
}

// A lower bit is a better target.
int64_t Best(int64_t targets) { return targets & -targets; }

}  // namespace

std::vector<std::string> UsableSimdTargets() {
  std::vector<std::string> names;
  for (int64_t rest = DetectUsable(); rest != 0; rest &= rest - 1) {
    names.emplace_back(hwy::TargetName(Best(rest)));
  }
  return names;
}

absl::Status SelectSimdTarget(std::string_view name) {
  if (DetectUsable() == 0) {
    return absl::FailedPreconditionError(
        "simd target: this processor has no fused multiply-add (AVX2 with FMA "
        "or NEON), without which the documented bits cannot be computed; use "
        "another machine");
  }
  for (int64_t rest = DetectUsable(); rest != 0; rest &= rest - 1) {
    const int64_t target = Best(rest);
    if (name == "auto" || name == hwy::TargetName(target)) {
      hwy::SetSupportedTargetsForTest(target);
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "simd target: \"", name, "\" is not one that this machine can use; use ",
      absl::StrJoin(UsableSimdTargets(), ", "), " or auto"));
}

std::string SelectedSimdTarget() {
  const int64_t selected =
      Best(hwy::SupportedTargets() & HWY_TARGETS & DetectUsable());
  return selected == 0 ? "" : hwy::TargetName(selected);
}

}  // namespace repro16
