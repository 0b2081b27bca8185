#include <cmath>

#include "engine/graph/testing/op_reference.h"

namespace repro16 {
namespace {

// Half the distance of the two points of a difference. A power of two, so that
// linear operations are differentiated to the last digits of f64.
constexpr double kStep = 0x1p-17;

}  // namespace

Derivatives Differentiate(const Graph& graph, const Op& op,
                          std::vector<Values> inputs,
                          std::vector<Values> parameters,
                          const Values& upstream, const ReferencePass& pass) {
  const Values y = EvaluateOp(graph, op, inputs, parameters, pass);
  Derivatives result;
  result.output_magnitude.resize(y.size(), 0);
  result.output_terms.resize(y.size(), 0);
  const auto differentiate = [&](Values& x) {
    Gradient gradient;
    for (double& element : x) {
      const double original = element;
      element = original + kStep;
      const Values above = EvaluateOp(graph, op, inputs, parameters, pass);
      element = original - kStep;
      const Values below = EvaluateOp(graph, op, inputs, parameters, pass);
      element = original;
      double value = 0;
      double magnitude = 0;
      double reach = 0;
      double weighted_reach = 0;
      int64_t terms = 0;
      for (size_t i = 0; i < y.size(); ++i) {
        if (above[i] == below[i]) continue;
        const double slope = (above[i] - below[i]) / (2 * kStep);
        value += upstream[i] * slope;
        magnitude += std::abs(upstream[i] * slope);
        reach += std::abs(upstream[i]);
        weighted_reach += std::abs(upstream[i] * y[i]);
        ++terms;
        result.output_magnitude[i] += std::abs(original * slope);
        ++result.output_terms[i];
      }
      gradient.value.push_back(value);
      gradient.magnitude.push_back(magnitude);
      gradient.reach.push_back(reach);
      gradient.weighted_reach.push_back(weighted_reach);
      gradient.terms.push_back(terms);
    }
    return gradient;
  };
  for (Values& x : inputs) result.inputs.push_back(differentiate(x));
  for (Values& x : parameters) result.parameters.push_back(differentiate(x));
  return result;
}

}  // namespace repro16
