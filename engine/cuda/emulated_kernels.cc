#include "engine/cuda/kernels.h"

namespace repro16 {
namespace emulated {

#define REPRO16_KERNEL(name, Arguments) \
  void name(const Arguments& arguments, Stream& stream);
REPRO16_CUDA_KERNELS(REPRO16_KERNEL)
#undef REPRO16_KERNEL

}  // namespace emulated

const Kernels& EmulatedKernels() {
  static constexpr Kernels kKernels = {
#define REPRO16_KERNEL(name, Arguments) &emulated::name,
      REPRO16_CUDA_KERNELS(REPRO16_KERNEL)
#undef REPRO16_KERNEL
  };
  return kKernels;
}

}  // namespace repro16
