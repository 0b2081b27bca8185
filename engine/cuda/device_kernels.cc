#include "engine/cuda/kernels.h"

namespace repro16 {
namespace on_device {

#define REPRO16_KERNEL(name, Arguments) \
  void name(const Arguments& arguments, Stream& stream);
REPRO16_CUDA_KERNELS(REPRO16_KERNEL)
#undef REPRO16_KERNEL

}  // namespace on_device

const Kernels& DeviceKernels() {
  static constexpr Kernels kKernels = {
#define REPRO16_KERNEL(name, Arguments) &on_device::name,
      REPRO16_CUDA_KERNELS(REPRO16_KERNEL)
#undef REPRO16_KERNEL
  };
  return kKernels;
}

}  // namespace repro16
