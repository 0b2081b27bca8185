#include "engine/graph/builder.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace repro16 {

int64_t Graph::ParameterCount() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters) {
    count += parameter.shape.NumElements();
  }
  return count;
}

TensorId GraphBuilder::Input(Shape shape) {
  if (graph_.input != kNoTensor) Fail("a graph has one input, set once");
  for (int64_t dim : shape.dims()) {
    if (dim < 1) {
      Fail(absl::StrCat("input ", shape.ToString(),
                        ": every dimension must be at least 1"));
    }
  }
  graph_.input = static_cast<TensorId>(graph_.tensors.size());
  graph_.tensors.push_back({"input", std::move(shape)});
  return graph_.input;
}

TensorId GraphBuilder::Dense(TensorId x, int64_t units, Initializer initializer,
                             double l2) {
  if (!Valid(x)) return kNoTensor;
  const Shape& in = graph_.tensors[x].shape;
  if (in.rank() != 1) {
    Fail(absl::StrCat("dense needs [N, features], but ", Describe(x),
                      "; put a flatten between them"));
    return kNoTensor;
  }
  if (units < 1) {
    Fail(absl::StrCat("dense after ", Describe(x), ": ", units,
                      " units; at least 1 is needed"));
    return kNoTensor;
  }
  const int64_t features = in[0];
  const TensorId y = AddOp(OpKind::kDense, {x}, Shape({units}));
  const std::string name = graph_.ops.back().name;
  const ParameterId kernel =
      AddParameter({absl::StrCat(name, "/kernel"), Shape({features, units}),
                    initializer, features, units, l2});
  const ParameterId bias =
      AddParameter({absl::StrCat(name, "/bias"), Shape({units}),
                    Initializer::kZeros, features, units, 0});
  graph_.ops.back().parameters = {kernel, bias};
  return y;
}

TensorId GraphBuilder::Relu(TensorId x) {
  if (!Valid(x)) return kNoTensor;
  return AddOp(OpKind::kRelu, {x}, graph_.tensors[x].shape);
}

TensorId GraphBuilder::Tanh(TensorId x) {
  if (!Valid(x)) return kNoTensor;
  return AddOp(OpKind::kTanh, {x}, graph_.tensors[x].shape);
}

TensorId GraphBuilder::Dropout(TensorId x, double rate) {
  if (!Valid(x)) return kNoTensor;
  if (!(rate >= 0 && rate < 1)) {
    Fail(absl::StrCat("dropout after ", Describe(x), ": rate ", rate,
                      " is not in [0, 1)"));
    return kNoTensor;
  }
  return AddOp(OpKind::kDropout, {x}, graph_.tensors[x].shape,
               DropoutAttributes{rate});
}

TensorId GraphBuilder::Flatten(TensorId x) {
  if (!Valid(x)) return kNoTensor;
  return AddOp(OpKind::kFlatten, {x},
               Shape({graph_.tensors[x].shape.NumElements()}));
}

TensorId GraphBuilder::Add(TensorId a, TensorId b) {
  if (!Valid(a) || !Valid(b)) return kNoTensor;
  if (graph_.tensors[a].shape != graph_.tensors[b].shape) {
    Fail(absl::StrCat("add needs two tensors of one shape, but ", Describe(a),
                      " and ", Describe(b)));
    return kNoTensor;
  }
  return AddOp(OpKind::kAdd, {a, b}, graph_.tensors[a].shape);
}

absl::StatusOr<Graph> GraphBuilder::Build(TensorId output) && {
  if (!error_.ok()) return error_;
  if (!Valid(output)) return error_;
  graph_.output = output;
  return std::move(graph_);
}

absl::StatusOr<Graph> GraphBuilder::Classifier(TensorId logits) && {
  if (!error_.ok()) return error_;
  if (!Valid(logits)) return error_;
  const Shape shape = graph_.tensors[logits].shape;
  if (shape.rank() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a classifier needs logits [N, classes], but ", Describe(logits)));
  }
  if (shape[0] > kMaxClasses) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a classifier has at most ", kMaxClasses,
        " classes, the values of its labels, but ", Describe(logits)));
  }
  graph_.output = logits;
  graph_.probabilities = AddOp(OpKind::kSoftmax, {logits}, shape);
  graph_.loss = AddOp(OpKind::kSoftmaxCrossEntropy, {logits}, Shape({}));
  return std::move(graph_);
}

TensorId GraphBuilder::AddOp(OpKind kind, std::vector<TensorId> inputs,
                             Shape output, OpAttributes attributes) {
  const auto id = static_cast<TensorId>(graph_.tensors.size());
  const std::string name = NextName(kind);
  graph_.tensors.push_back({name, std::move(output)});
  graph_.ops.push_back({kind, name, std::move(inputs), {}, id, attributes});
  return id;
}

ParameterId GraphBuilder::AddParameter(Parameter parameter) {
  graph_.parameters.push_back(std::move(parameter));
  return static_cast<ParameterId>(graph_.parameters.size() - 1);
}

bool GraphBuilder::Valid(TensorId id) {
  if (id >= 0 && id < static_cast<TensorId>(graph_.tensors.size())) return true;
  Fail(absl::StrCat("the graph has no tensor ", id));
  return false;
}

void GraphBuilder::Fail(std::string message) {
  if (error_.ok()) error_ = absl::InvalidArgumentError(message);
}

std::string GraphBuilder::Describe(TensorId id) const {
  const Tensor& tensor = graph_.tensors[id];
  return absl::StrCat(tensor.name, " gives ", tensor.shape.ToString());
}

std::string GraphBuilder::NextName(OpKind kind) {
  name_counts_.resize(kOps.size());
  const int count = ++name_counts_[static_cast<size_t>(kind)];
  return absl::StrCat(TraitsOf(kind).name, "_", count);
}

}  // namespace repro16
