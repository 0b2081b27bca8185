// Operations that move values from one layout to another.
#ifndef REPRO16_ENGINE_CPU_LAYOUT_H_
#define REPRO16_ENGINE_CPU_LAYOUT_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/graph.h"

namespace repro16 {

// out: of one example.
std::unique_ptr<Kernel> MakeConcat(const Shape& out);
std::unique_ptr<Kernel> MakeZeroPad(const Shape& in, const Shape& out,
                                    const PadAttributes& pad);
std::unique_ptr<Kernel> MakePadChannels(const Shape& in, const Shape& out,
                                        const PadAttributes& pad);
std::unique_ptr<Kernel> MakePatches(const Shape& in,
                                    const PatchAttributes& patches);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_LAYOUT_H_
