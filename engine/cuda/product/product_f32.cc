#include "engine/cuda/product/product_launch.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

template struct ProductLauncher<InF32<float>>;

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
