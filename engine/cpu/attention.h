// The batched matrix products of multi-head attention.
#ifndef REPRO16_ENGINE_CPU_ATTENTION_H_
#define REPRO16_ENGINE_CPU_ATTENTION_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/graph.h"

namespace repro16 {

struct AttentionShape {
  int64_t tokens;
  int64_t heads;
  int64_t key_size;
};

std::unique_ptr<Kernel> MakeAttentionScores(const AttentionShape& shape,
                                            DType accumulator);
std::unique_ptr<Kernel> MakeAttentionContext(const AttentionShape& shape,
                                             DType accumulator);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_ATTENTION_H_
