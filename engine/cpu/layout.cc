#include "engine/cpu/layout.h"

namespace repro16 {
std::unique_ptr<Kernel> MakeConcat(const Shape& /*out*/) { return nullptr; }
std::unique_ptr<Kernel> MakeZeroPad(const Shape&, const Shape&,
                                    const PadAttributes&) {
  return nullptr;
}
std::unique_ptr<Kernel> MakePadChannels(const Shape&, const Shape&,
                                        const PadAttributes&) {
  return nullptr;
}
std::unique_ptr<Kernel> MakePatches(const Shape&, const PatchAttributes&) {
  return nullptr;
}
}  // namespace repro16
