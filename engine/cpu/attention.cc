#include "engine/cpu/attention.h"

namespace repro16 {
std::unique_ptr<Kernel> MakeAttentionScores(const AttentionShape&, DType) {
  return nullptr;
}
std::unique_ptr<Kernel> MakeAttentionContext(const AttentionShape&, DType) {
  return nullptr;
}
}  // namespace repro16
