// Pooling over windows and whole images.
#ifndef REPRO16_ENGINE_CPU_POOL_H_
#define REPRO16_ENGINE_CPU_POOL_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/image_window.h"
#include "engine/cpu/kernel.h"

namespace repro16 {

std::unique_ptr<Kernel> MakeMaxPool(const ImageWindow& shape);
std::unique_ptr<Kernel> MakeAveragePool(const ImageWindow& shape);
// in: [H, W, C].
std::unique_ptr<Kernel> MakeGlobalAveragePool(const Shape& in);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_POOL_H_
