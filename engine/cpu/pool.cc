#include "engine/cpu/pool.h"

namespace repro16 {
std::unique_ptr<Kernel> MakeMaxPool(const ImageWindow& /*shape*/) {
  return nullptr;
}
std::unique_ptr<Kernel> MakeAveragePool(const ImageWindow& /*shape*/) {
  return nullptr;
}
std::unique_ptr<Kernel> MakeGlobalAveragePool(const Shape& /*in*/) {
  return nullptr;
}
}  // namespace repro16
