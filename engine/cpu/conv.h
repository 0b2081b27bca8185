// Conv2D: one operation with its bias, rounded once.
#ifndef REPRO16_ENGINE_CPU_CONV_H_
#define REPRO16_ENGINE_CPU_CONV_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/image_window.h"
#include "engine/cpu/kernel.h"

namespace repro16 {

std::unique_ptr<Kernel> MakeConv2D(const ImageWindow& shape, DType accumulator);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONV_H_
