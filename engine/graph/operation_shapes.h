// What operations are made from besides the attributes of graph.h: the same for
// every backend.
#ifndef REPRO16_ENGINE_GRAPH_OPERATION_SHAPES_H_
#define REPRO16_ENGINE_GRAPH_OPERATION_SHAPES_H_

#include <cstdint>

namespace repro16 {

enum class UnaryFunction : uint8_t {
  // y = x where x > 0 or x is NaN, else +0; dx = y > 0 ? dy : 0.
  kRelu,
  // y = x where 0 < x < 6 or x is NaN, else +0 or 6; dx = 0 < y < 6 ? dy : 0.
  kRelu6,
  // y = tanh(x) (engine/numerics/elementary.h); dx = dy * (1 - y * y), the
  // bracket one fused multiply-add, y as stored.
  kTanh,
  // y = Gelu(x), dx = dy * GeluDerivative(x) (engine/numerics/elementary.h), x
  // as stored.
  kGelu,
};

// Of multi-head attention: features are [N, tokens, heads * key_size].
struct AttentionShape {
  int64_t tokens;
  int64_t heads;
  int64_t key_size;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_OPERATION_SHAPES_H_
