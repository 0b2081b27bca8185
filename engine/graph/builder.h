// Builds a Graph operation by operation, inferring shapes as it goes.
//
//   GraphBuilder b;
//   TensorId x = b.Input(Shape({28, 28, 1}));
//   x = b.Relu(b.Dense(b.Flatten(x), 512));
//   ASSIGN_OR_RETURN(Graph graph, std::move(b).Classifier(b.Dense(x, 10)));
#ifndef REPRO16_ENGINE_GRAPH_BUILDER_H_
#define REPRO16_ENGINE_GRAPH_BUILDER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/graph/graph.h"

namespace repro16 {

// Every method returns the tensor that the new operation writes. An operation
// that does not fit its inputs is remembered; Build and Classifier return the
// first such error, naming the operations and their shapes, so that calls can
// be chained without checks.
class GraphBuilder {
 public:
  // The network's input, without the batch axis. Called once, first.
  TensorId Input(Shape shape);

  // x: [N, in]. Kernel [in, units] by `initializer`, bias [units] zeros.
  TensorId Dense(TensorId x, int64_t units,
                 Initializer initializer = Initializer::kGlorotUniform,
                 double l2 = 0);
  TensorId Relu(TensorId x);
  TensorId Tanh(TensorId x);
  // rate in [0, 1).
  TensorId Dropout(TensorId x, double rate);
  TensorId Flatten(TensorId x);
  // a and b of one shape.
  TensorId Add(TensorId a, TensorId b);

  // Finishes a graph that ends at `output`, without a loss.
  absl::StatusOr<Graph> Build(TensorId output) &&;

  // Finishes a classifier: `logits` [N, classes] feed a softmax (evaluation)
  // and a softmax cross entropy (training).
  absl::StatusOr<Graph> Classifier(TensorId logits) &&;

 private:
  TensorId AddOp(OpKind kind, std::vector<TensorId> inputs, Shape output,
                 OpAttributes attributes = {});
  ParameterId AddParameter(Parameter parameter);
  // False, and an error unless there is one already, if no such tensor exists.
  bool Valid(TensorId id);
  void Fail(std::string message);
  std::string Describe(TensorId id) const;
  std::string NextName(OpKind kind);

  Graph graph_;
  std::vector<int> name_counts_;
  absl::Status error_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_BUILDER_H_
