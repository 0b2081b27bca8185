// Precision policies as data: which type each kind of tensor is stored in.
#ifndef REPRO16_ENGINE_NUMERICS_POLICY_H_
#define REPRO16_ENGINE_NUMERICS_POLICY_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// Every tensor that joins two operations has a storage type; an operation
// computes in f32 and rounds its result once, to nearest even, into the storage
// type of its output.
struct PrecisionPolicy {
  std::string_view name;

  // As kept by the optimizer. Where it differs from `activation` (MP),
  // operations read a copy that is rounded to `activation` after each update.
  DType parameter;
  // Activations, their gradients, and the parameters as operations read them.
  DType activation;
  // As the backward pass writes them.
  DType weight_gradient;
  // Optimizer slots; each elementary operation of the update rounds to this
  // type.
  DType update;
  // Batch normalisation's scale, offset, moving statistics and their gradients
  // and slots.
  DType batch_norm;
  // Sums of dot products. kF16: each multiply-add rounds twice, acc = r(acc +
  // r(a*b)).
  DType accumulator;
  // The loss is scaled by a factor that adapts (numerics contract, "MP").
  bool dynamic_loss_scale;
};

// FP32, FP16, FP16_BN32, MP, BF16, FP16_ACC16, in this order.
absl::Span<const PrecisionPolicy> AllPolicies();

// The policy of that name (case-sensitive). NotFound names the known ones.
absl::StatusOr<PrecisionPolicy> FindPolicy(std::string_view name);

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_POLICY_H_
