// Every function of the headers that host and GPU share, called by the device:
// compiled by device_headers_test.sh.
#include "engine/graph/fused_activation.h"
#include "engine/graph/loss_scale.h"
#include "engine/graph/moving_average.h"
#include "engine/graph/step_record.h"
#include "engine/graph/update_step.h"
#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/random_draw.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/rounding.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

__global__ void Elementary(const float* x, float* y) {
  const float operand = *x;
  y[0] = Exp(operand);
  y[1] = Log(operand);
  y[2] = Tanh(operand);
  y[3] = Erf(operand);
  y[4] = Gelu(operand);
  y[5] = GeluDerivative(operand);
  y[6] = Rsqrt(operand);
  y[7] = CosTwoPi(operand);
}

template <class T>
__global__ void Stores(const float* x, T* stored, float* rounded,
                       StoreCounter* total) {
  StoreCounter counter;
  stored[0] = RoundAndCount<T>(x[0], counter);
  stored[1] = RoundToStored<T>(x[1]);
  rounded[0] = RoundTo<T>(x[2]);
  *total += counter;
}
template __global__ void Stores(const float*, float*, float*, StoreCounter*);
template __global__ void Stores(const float*, Binary16*, float*, StoreCounter*);
template __global__ void Stores(const float*, BFloat16*, float*, StoreCounter*);

__global__ void RunTimeTypes(const double* x, DType type, float* rounded,
                             uint8_t* stored) {
  *rounded = RoundToType(*x, type);
  StoreAsType(*x, type, stored + SizeOf(type));
}

__global__ void Dropout(uint64_t seed, uint32_t step, uint64_t index,
                        int32_t threshold, float* y) {
  const RandomStreamId stream =
      MakeRandomStreamId(seed, RandomPurpose::kDropout, step, /*part=*/3);
  const uint32_t word = RandomWord(stream, index);
  if (DropoutKeeps(word, threshold)) *y = UnitInterval(word);
}

__global__ void Sums(const float* a, const float* b, int64_t n,
                     DType accumulator, Moments* moments, float* y) {
  DotSum dot(accumulator);
  RowSum row;
  for (int64_t i = 0; i < n; ++i) {
    dot.AddTerm(a[i], b[i]);
    row.AddTerm(a[i]);
  }
  dot.SkipTerm();
  y[0] = dot.TotalWithBias(b[0]);
  y[1] = row.Total();
  y[2] = static_cast<float>(ReductionChunks(n));
  *moments = ComputeMoments(a, n);
}

template <class T>
__global__ void Update(const UpdateConstants constants, const float* l2_factor,
                       const T* gradient, T* weight, T* slots,
                       StoreCounter* total) {
  const UpdateElement old = {ToFloat(*weight),
                             {ToFloat(slots[0]), ToFloat(slots[1])}};
  const float g = UpdateGradient<T>(
      ToFloat(*gradient), constants.inverse_loss_scale, l2_factor, old.weight);
  const UpdateElement updated = UpdateStep<T>(constants, g, old);
  StoreCounter counter;
  for (int s = 0; s < constants.num_slots; ++s) {
    slots[s] = RoundAndCount<T>(updated.slots[s], counter);
  }
  *weight = RoundAndCount<T>(updated.weight, counter);
  *total += counter;
}
template __global__ void Update(const UpdateConstants, const float*,
                                const float*, float*, float*, StoreCounter*);
template __global__ void Update(const UpdateConstants, const float*,
                                const Binary16*, Binary16*, Binary16*,
                                StoreCounter*);
template __global__ void Update(const UpdateConstants, const float*,
                                const BFloat16*, BFloat16*, BFloat16*,
                                StoreCounter*);

template <class T>
__global__ void MovingAverage(const float* batch, float rate,
                              FusedActivation activation, T* statistic) {
  if (activation != FusedActivation::kNone) return;
  *statistic =
      RoundToStored<T>(MovedStatistic<T>(ToFloat(*statistic), *batch, rate));
}
template __global__ void MovingAverage(const float*, float, FusedActivation,
                                       float*);
template __global__ void MovingAverage(const float*, float, FusedActivation,
                                       Binary16*);
template __global__ void MovingAverage(const float*, float, FusedActivation,
                                       BFloat16*);

__global__ void StepSize(const UpdateState* state, const double* betas,
                         DType type, UpdateConstants* constants) {
  constants->alpha = AdamAlpha(betas[0], betas[1], constants->learning_rate,
                               type, state->updates);
}

__global__ void Summary(const StoreSite* sites, int count,
                        const StoreCounter* counters, StepRecord* record) {
  AddSites(sites, 0, count, counters, *record);
}

__global__ void EndOfStep(UpdateState* state, bool dynamic, bool finite,
                          bool start) {
  *state =
      start ? InitialUpdateState(dynamic) : AfterStep(*state, dynamic, finite);
}

}  // namespace repro16
