// A position in a grid of blocks, and a grid's size.
#ifndef REPRO16_ENGINE_CUDA_SIMT_INDEX3_H_
#define REPRO16_ENGINE_CUDA_SIMT_INDEX3_H_

namespace repro16 {

struct Index3 {
  unsigned x = 1;
  unsigned y = 1;
  unsigned z = 1;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_INDEX3_H_
