// The optimizer: one kernel for all parameters.
#ifndef REPRO16_ENGINE_CUDA_ELEMENTWISE_UPDATE_KERNELS_H_
#define REPRO16_ENGINE_CUDA_ELEMENTWISE_UPDATE_KERNELS_H_

#include <cstdint>

#include "engine/cuda/step_state.h"
#include "engine/graph/update_step.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// The constants of one type of update. What a step changes, Adam's alpha and
// the inverse of the loss scale, is computed on the device.
struct UpdateRule {
  UpdateConstants constants;
  DType type;
  double beta_1;  // of Adam
  double beta_2;
};

// A trained parameter; all but the copy have its elements.
struct UpdatedParameter {
  DType type;  // of weights and slots, and of the arithmetic
  DType gradient_type;
  DType copy_type;
  bool has_l2;
  float l2_factor;  // L2Factor
  int rule;         // of UpdateArgs::rules
  void* weights;
  void* slots[2];
  const void* gradient;
  void* copy;  // null: operations read the weights themselves
  int64_t elements;
  StoreCounter* counter;
};

// Elements [begin, begin + kUpdateElements) of a parameter, or as many as there
// are: what one block updates.
struct UpdateTask {
  int parameter;
  int64_t begin;
};
inline constexpr int kUpdateElements = 1024;

// rules[i].constants for this step, from step->update.
struct BeginUpdateArgs {
  UpdateRule* rules;
  int num_rules;
  const StepState* step;
};

// Each element as UpdateGradient and UpdateStep (engine/graph/update_step.h)
// have it, its copy rounded from the weight as stored. Nothing where `step` is
// given and skipped: step->update.skipped.
struct UpdateParametersArgs {
  const UpdateRule* rules;
  const UpdatedParameter* parameters;
  const UpdateTask* tasks;
  int num_tasks;
  const StepState* step;
};

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_UPDATE_KERNELS(K) \
  K(BeginUpdate, BeginUpdateArgs) \
  K(UpdateParameters, UpdateParametersArgs)

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_ELEMENTWISE_UPDATE_KERNELS_H_
