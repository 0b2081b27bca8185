// One step of an update rule (engine/graph/update_rule.h has the formulas) on
// the elements of a parameter.
#ifndef REPRO16_ENGINE_CPU_ELEMENTWISE_OPTIMIZER_H_
#define REPRO16_ENGINE_CPU_ELEMENTWISE_OPTIMIZER_H_

#include <cstdint>

#include "engine/graph/update_rule.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// A stretch of n elements of one parameter.
struct UpdateArgs {
  int64_t n;
  DType type;  // of weights, slots and arithmetic: r() rounds to it
  void* weights;
  void* slots[2];  // velocity; m and v; or the mean square
  const void* gradients;
  DType gradient_type;
  // If given, receives the new weights rounded to copy_type, as operations
  // read them (MP).
  void* copy = nullptr;
  DType copy_type = DType::kF32;
};

// One step of the rule; every r() of it rounds to args.type. `l2` is the factor
// of the regularisation, 0 for none. Stores are counted.
void Update(const UpdateArgs& args, const UpdateConstants& constants, double l2,
            StoreCounter& counter);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_ELEMENTWISE_OPTIMIZER_H_
