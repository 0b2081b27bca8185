#include "engine/numerics/policy.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "engine/tensor/dtype.h"

namespace repro16 {
namespace {

constexpr DType kF32 = DType::kF32;
constexpr DType kF16 = DType::kF16;
constexpr DType kBF16 = DType::kBF16;

// Columns: parameter, activation, weight_gradient, update, batch_norm,
// accumulator, dynamic_loss_scale.
constexpr PrecisionPolicy kPolicies[] = {
    {"FP32", kF32, kF32, kF32, kF32, kF32, kF32, false},
    {"FP16", kF16, kF16, kF16, kF16, kF16, kF32, false},
    {"FP16_BN32", kF16, kF16, kF16, kF16, kF32, kF32, false},
    {"MP", kF32, kF16, kF16, kF32, kF32, kF32, true},
    {"BF16", kBF16, kBF16, kBF16, kBF16, kBF16, kF32, false},
    {"FP16_ACC16", kF16, kF16, kF16, kF16, kF16, kF16, false},
};

}  // namespace

absl::Span<const PrecisionPolicy> AllPolicies() { return kPolicies; }

absl::StatusOr<PrecisionPolicy> FindPolicy(std::string_view name) {
  for (const PrecisionPolicy& policy : kPolicies) {
    if (policy.name == name) return policy;
  }
  const std::string known = absl::StrJoin(
      kPolicies, ", ", [](std::string* out, const PrecisionPolicy& policy) {
        absl::StrAppend(out, policy.name);
      });
  return absl::NotFoundError(absl::StrCat("policy: no precision policy \"",
                                          absl::CEscape(name),
                                          "\"; use one of ", known));
}

}  // namespace repro16
