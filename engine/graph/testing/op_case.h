// The one list of cases that the tests of operations iterate over, and small
// networks of many operations.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_OP_CASE_H_
#define REPRO16_ENGINE_GRAPH_TESTING_OP_CASE_H_

#include <functional>
#include <string>
#include <vector>

#include "engine/graph/builder.h"
#include "engine/graph/graph.h"

namespace repro16 {

// How a case's input is drawn.
enum class InputKind : uint8_t {
  kUniform,   // in [-scale, scale)
  kDistinct,  // differs between all elements, in every storage type
  // As kUniform, parameters and gradients too, but for some numbers that are
  // out of the ordinary. For comparisons of backends: the results say little.
  kExtreme,    // zeros of either sign, subnormal, tiny and large ones
  kNonFinite,  // these, infinities and NaNs
};

// A small graph that has operations of `kind`: they are what the case is about.
// The others give them inputs that differ from each other. Only operations of
// this kind read these inputs, so that their gradients are not sums.
struct OpCase {
  std::string name;  // letters, digits and underscores
  OpKind kind;
  Shape input;
  std::function<TensorId(GraphBuilder&, TensorId)> build;
  double scale = 1;
  InputKind input_kind = InputKind::kUniform;
};

const std::vector<OpCase>& OpCases();

// A whole classifier.
struct NetworkCase {
  std::string name;
  Shape input;
  std::function<TensorId(GraphBuilder&, TensorId)> build;  // to the logits
};

const std::vector<NetworkCase>& NetworkCases();

// With a loss where that is what the case is about. Ends the test on an error.
Graph BuildGraph(const OpCase& c);
Graph BuildGraph(const NetworkCase& c);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_OP_CASE_H_
