// The products of a convolution that slide over images: the forward pass and
// the gradient of the input (see ImagePlan).
#ifndef REPRO16_ENGINE_CPU_CONV_CONV_IMAGES_H_
#define REPRO16_ENGINE_CPU_CONV_CONV_IMAGES_H_

#include <cstdint>

#include "engine/cpu/conv/conv_plan.h"
#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

struct ConvImagesArgs {
  int64_t batch;
  TensorRef source;
  TensorRef weights;
  TensorRef bias;  // [target_channels]; null: nothing is added
  TensorRef target;
  DType accumulator;  // kF32 or kF16 (DotSum)
};

// Bytes that ConvImages needs for batches up to this.
int64_t ConvImagesWorkspaceBytes(const ImagePlan& plan, int64_t max_batch);

// Writes the target, and counts the stores with its counter; `workspace` is
// aligned to 64, its contents mean nothing.
void ConvImages(const ImagePlan& plan, const ConvImagesArgs& args,
                void* workspace, ThreadPool& pool);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONV_CONV_IMAGES_H_
