// An array by channel (a parameter, its gradient, a statistic), whose type is
// not that of the tensors that a kernel is compiled for.
#ifndef REPRO16_ENGINE_CUDA_SUMS_CHANNEL_ARRAY_H_
#define REPRO16_ENGINE_CUDA_SUMS_CHANNEL_ARRAY_H_

#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

struct ChannelArray {
  void* data;
  DType type;
  StoreCounter* counter;  // not of one that is only read
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SUMS_CHANNEL_ARRAY_H_
