// The products of a convolution that slide over images: the forward pass and
// the gradient of the input (see ImagePlan).
#ifndef REPRO16_ENGINE_CPU_CONV_CONV_IMAGES_H_
#define REPRO16_ENGINE_CPU_CONV_CONV_IMAGES_H_

#include <cstdint>

#include "engine/cpu/conv/conv_plan.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

struct ConvImagesArgs {
  int64_t batch;
  const void* source;
  DType source_type;
  const void* weights;
  DType weights_type;
  const void* bias;  // [target_channels]; null: nothing is added
  DType bias_type;
  void* target;
  DType target_type;
  DType accumulator;  // kF32 or kF16 (DotSum)
};

// Bytes that ConvImages needs for batches up to this.
int64_t ConvImagesWorkspaceBytes(const ImagePlan& plan, int64_t max_batch);

// Writes the target; `workspace` is aligned to 64, its contents mean nothing.
void ConvImages(const ImagePlan& plan, const ConvImagesArgs& args,
                void* workspace, ThreadPool& pool, StoreCounter& counter);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONV_CONV_IMAGES_H_
