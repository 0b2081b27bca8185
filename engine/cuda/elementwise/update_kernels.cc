#include "engine/cuda/elementwise/update_kernels.h"

#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/run_time_type.h"
#include "engine/cuda/simt/store.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

SIMT_KERNEL(32, 1) BeginUpdateKernel(const BeginUpdateArgs args) {
  const auto i = static_cast<int>(ThreadIndex());
  if (i >= args.num_rules) return;
  UpdateRule& rule = args.rules[i];
  const UpdateState& state = args.step->update;
  rule.constants.inverse_loss_scale = f32::Div(1.0f, state.loss_scale);
  if (rule.constants.rule == UpdateConstants::kAdam) {
    rule.constants.alpha =
        AdamAlpha(rule.beta_1, rule.beta_2, rule.constants.learning_rate,
                  rule.type, state.updates);
  }
}

// Element i, T being the type of the update and G that of the gradient.
template <class T, class G>
SIMT_FUNCTION void UpdateElementOf(const UpdatedParameter& p,
                                   const UpdateConstants& constants, int64_t i,
                                   StoreCounts& counts) {
  auto* weights = static_cast<T*>(p.weights);
  T* slots[2] = {static_cast<T*>(p.slots[0]), static_cast<T*>(p.slots[1])};
  UpdateElement old = {ToFloat(weights[i]), {0.0f, 0.0f}};
  for (int s = 0; s < constants.num_slots; ++s) {
    old.slots[s] = ToFloat(slots[s][i]);
  }
  const float g =
      UpdateGradient<T>(LoadF32(static_cast<const G*>(p.gradient) + i),
                        constants.inverse_loss_scale,
                        p.has_l2 ? &p.l2_factor : nullptr, old.weight);
  const UpdateElement updated = UpdateStep<T>(constants, g, old);
  for (int s = 0; s < constants.num_slots; ++s) {
    counts.Store(updated.slots[s], slots[s] + i);
  }
  const T weight = counts.Round<T>(updated.weight);
  weights[i] = weight;
  if (p.copy == nullptr) return;
  StoreAs(p.copy_type, ToFloat(weight), p.copy, static_cast<int>(i), counts);
}

// The types that policies have.
SIMT_FUNCTION void UpdateOfTypes(const UpdatedParameter& p,
                                 const UpdateConstants& constants, int64_t i,
                                 StoreCounts& counts) {
  if (p.type == DType::kF16) {
    UpdateElementOf<Binary16, Binary16>(p, constants, i, counts);
  } else if (p.type == DType::kBF16) {
    UpdateElementOf<BFloat16, BFloat16>(p, constants, i, counts);
  } else if (p.gradient_type == DType::kF16) {
    UpdateElementOf<float, Binary16>(p, constants, i, counts);
  } else if (p.gradient_type == DType::kBF16) {
    UpdateElementOf<float, BFloat16>(p, constants, i, counts);
  } else {
    UpdateElementOf<float, float>(p, constants, i, counts);
  }
}

SIMT_KERNEL(kElementThreads, 1)
UpdateParametersKernel(const UpdateParametersArgs args) {
  // The same for all threads.
  if (args.step != nullptr && args.step->update.skipped) return;
  auto& shared = SharedMemory<CountsShared>();
  const UpdateTask task = args.tasks[BlockIndex().x];
  const UpdatedParameter& p = args.parameters[task.parameter];
  const UpdateConstants& constants = args.rules[p.rule].constants;
  StoreCounts counts;
  for (int k = 0; k < kUpdateElements; k += kElementThreads) {
    const int64_t i = task.begin + k + ThreadIndex();
    if (i < p.elements) UpdateOfTypes(p, constants, i, counts);
  }
  counts.AddTo(p.counter, shared);
}

}  // namespace

void BeginUpdate(const BeginUpdateArgs& args, Stream& stream) {
  Launch(stream, BeginUpdateKernel, {1}, 32, /*shared_bytes=*/0, args);
}

void UpdateParameters(const UpdateParametersArgs& args, Stream& stream) {
  Launch(stream, UpdateParametersKernel,
         {static_cast<unsigned>(args.num_tasks)}, kElementThreads,
         sizeof(CountsShared), args);
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
