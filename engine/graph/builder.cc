#include "engine/graph/builder.h"

#include <algorithm>
#include <cmath>
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
  if (!Valid(x) || ShapeOf(x).rank() < 1) return kNoTensor;
  const int64_t features = ShapeOf(x).dims().back();
  return DenseWithFans(x, units, initializer, l2, features, units);
}

TensorId GraphBuilder::DenseWithFans(TensorId x, int64_t units,
                                     Initializer initializer, double l2,
                                     int64_t fan_in, int64_t fan_out) {
  if (!Valid(x)) return kNoTensor;
  const Shape& in = ShapeOf(x);
  if (in.rank() != 1 && in.rank() != 2) {
    return Fail(
        absl::StrCat("dense needs [N, features] or [N, tokens, "
                     "features], but ",
                     Describe(x), "; put a flatten between them"));
  }
  if (units < 1) {
    return Fail(absl::StrCat("dense after ", Describe(x), ": ", units,
                             " units; at least 1 is needed"));
  }
  std::vector<int64_t> out = in.dims();
  const int64_t features = out.back();
  out.back() = units;
  const TensorId y = AddOp(OpKind::kDense, {x}, Shape(std::move(out)));
  AddParameter("kernel", {"", Shape({features, units}), initializer, fan_in,
                          fan_out, l2});
  AddParameter("bias", {"", Shape({units}), Initializer::kZeros});
  return y;
}

TensorId GraphBuilder::BatchNorm(TensorId x, double epsilon, double momentum) {
  if (!Valid(x)) return kNoTensor;
  if (ShapeOf(x).rank() != 1 && ShapeOf(x).rank() != 3) {
    return Fail(absl::StrCat("batch_norm needs [N, C] or [N, H, W, C], but ",
                             Describe(x)));
  }
  if (!(epsilon > 0) || !(momentum >= 0 && momentum < 1)) {
    return Fail(absl::StrCat("batch_norm after ", Describe(x), ": epsilon ",
                             epsilon, " must be above 0 and momentum ",
                             momentum, " in [0, 1)"));
  }
  const Shape channels({ShapeOf(x).dims().back()});
  const TensorId y =
      Map(OpKind::kBatchNorm, x, BatchNormAttributes{epsilon, momentum});
  const auto add = [&](std::string_view name, Initializer initializer,
                       ParameterRole role) {
    AddParameter(name, {"", channels, initializer, 0, 0, 0, role});
  };
  add("gamma", Initializer::kOnes, ParameterRole::kBatchNorm);
  add("beta", Initializer::kZeros, ParameterRole::kBatchNorm);
  add("moving_mean", Initializer::kZeros, ParameterRole::kMovingStatistic);
  add("moving_variance", Initializer::kOnes, ParameterRole::kMovingStatistic);
  return y;
}

TensorId GraphBuilder::LayerNorm(TensorId x, double epsilon) {
  if (!Valid(x)) return kNoTensor;
  if (ShapeOf(x).rank() < 1 || ShapeOf(x).dims().back() > kMaxRow) {
    return Fail(absl::StrCat("layer_norm needs a last axis of at most ",
                             kMaxRow, ", but ", Describe(x)));
  }
  const Shape channels({ShapeOf(x).dims().back()});
  const TensorId y = Map(OpKind::kLayerNorm, x, LayerNormAttributes{epsilon});
  AddParameter("gamma", {"", channels, Initializer::kOnes});
  AddParameter("beta", {"", channels, Initializer::kZeros});
  return y;
}

TensorId GraphBuilder::Relu(TensorId x) { return Map(OpKind::kRelu, x); }

TensorId GraphBuilder::Relu6(TensorId x) { return Map(OpKind::kRelu6, x); }

TensorId GraphBuilder::Tanh(TensorId x) { return Map(OpKind::kTanh, x); }

TensorId GraphBuilder::Gelu(TensorId x) { return Map(OpKind::kGelu, x); }

TensorId GraphBuilder::Softmax(TensorId x) {
  if (!Valid(x)) return kNoTensor;
  if (ShapeOf(x).rank() < 1 || ShapeOf(x).dims().back() > kMaxRow) {
    return Fail(absl::StrCat("softmax needs a last axis of at most ", kMaxRow,
                             ", but ", Describe(x)));
  }
  return Map(OpKind::kSoftmax, x);
}

TensorId GraphBuilder::Scale(TensorId x, double factor) {
  return Map(OpKind::kScale, x, ScaleAttributes{factor});
}

TensorId GraphBuilder::Dropout(TensorId x, double rate) {
  if (!Valid(x)) return kNoTensor;
  if (!(rate >= 0 && rate < 1)) {
    return Fail(absl::StrCat("dropout after ", Describe(x), ": rate ", rate,
                             " is not in [0, 1)"));
  }
  const auto stream = static_cast<uint32_t>(graph_.ops.size());
  return Map(OpKind::kDropout, x, DropoutAttributes{rate, stream});
}

TensorId GraphBuilder::Flatten(TensorId x) {
  if (!Valid(x)) return kNoTensor;
  return AddOp(OpKind::kFlatten, {x}, Shape({ShapeOf(x).NumElements()}));
}

TensorId GraphBuilder::Add(TensorId a, TensorId b) {
  if (!Valid(a) || !Valid(b)) return kNoTensor;
  if (ShapeOf(a) != ShapeOf(b)) {
    return Fail(absl::StrCat("add needs two tensors of one shape, but ",
                             Describe(a), " and ", Describe(b)));
  }
  return AddOp(OpKind::kAdd, {a, b}, ShapeOf(a));
}

TensorId GraphBuilder::Concat(const std::vector<TensorId>& parts) {
  if (parts.empty()) return Fail("concat needs at least one tensor");
  std::vector<int64_t> out;
  for (TensorId part : parts) {
    if (!Valid(part)) return kNoTensor;
    const std::vector<int64_t>& dims = ShapeOf(part).dims();
    if (dims.empty()) return Fail("concat needs an axis to join");
    if (out.empty()) {
      out = dims;
      continue;
    }
    out.back() += dims.back();
    if (out.size() != dims.size() ||
        !std::equal(dims.begin(), dims.end() - 1, out.begin())) {
      return Fail(
          absl::StrCat("concat needs tensors that differ in the last "
                       "axis alone, but ",
                       Describe(parts[0]), " and ", Describe(part)));
    }
  }
  return AddOp(OpKind::kConcat, parts, Shape(std::move(out)));
}

TensorId GraphBuilder::PositionEmbedding(TensorId x) {
  if (!HasRank(OpKind::kPositionEmbedding, x, 2, "[N, tokens, features]")) {
    return kNoTensor;
  }
  const Shape shape = ShapeOf(x);
  const TensorId y = Map(OpKind::kPositionEmbedding, x);
  AddParameter("embeddings", {"", shape, Initializer::kUniform});
  return y;
}

TensorId GraphBuilder::MultiHeadAttention(TensorId x, int64_t heads,
                                          int64_t key_size) {
  if (!HasRank(OpKind::kAttentionScores, x, 2, "[N, tokens, features]")) {
    return kNoTensor;
  }
  const int64_t tokens = ShapeOf(x)[0];
  const int64_t features = ShapeOf(x)[1];
  if (heads < 1 || key_size < 1 || tokens > kMaxRow) {
    return Fail(absl::StrCat(
        "attention after ", Describe(x), ": ", heads, " heads of ", key_size,
        "; both must be at least 1, and tokens at most ", kMaxRow));
  }
  // Keras takes the fans of a kernel [a, b, c] as b * a and c * a.
  const auto project_in = [&] {
    return DenseWithFans(x, heads * key_size, Initializer::kGlorotUniform, 0,
                         heads * features, key_size * features);
  };
  const TensorId query = project_in();
  const TensorId key = project_in();
  const TensorId value = project_in();
  const TensorId scaled =
      Scale(query, 1 / std::sqrt(static_cast<double>(key_size)));
  const AttentionAttributes attributes{heads};
  const TensorId scores = AddOp(OpKind::kAttentionScores, {scaled, key},
                                Shape({heads, tokens, tokens}), attributes);
  const TensorId context =
      AddOp(OpKind::kAttentionContext, {Softmax(scores), value}, ShapeOf(value),
            attributes);
  return DenseWithFans(context, features, Initializer::kGlorotUniform, 0,
                       key_size * heads, features * heads);
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

TensorId GraphBuilder::Map(OpKind kind, TensorId x, OpAttributes attributes) {
  if (!Valid(x)) return kNoTensor;
  return AddOp(kind, {x}, ShapeOf(x), attributes);
}

void GraphBuilder::AddParameter(std::string_view name, Parameter parameter) {
  Op& op = graph_.ops.back();
  parameter.name = absl::StrCat(op.name, "/", name);
  op.parameters.push_back(static_cast<ParameterId>(graph_.parameters.size()));
  graph_.parameters.push_back(std::move(parameter));
}

bool GraphBuilder::Valid(TensorId id) {
  if (id >= 0 && id < static_cast<TensorId>(graph_.tensors.size())) return true;
  Fail(absl::StrCat("the graph has no tensor ", id));
  return false;
}

bool GraphBuilder::HasRank(OpKind kind, TensorId x, size_t rank,
                           std::string_view layout) {
  if (!Valid(x)) return false;
  if (ShapeOf(x).rank() == rank) return true;
  Fail(absl::StrCat(TraitsOf(kind).name, " needs ", layout, ", but ",
                    Describe(x)));
  return false;
}

TensorId GraphBuilder::Fail(std::string message) {
  if (error_.ok()) error_ = absl::InvalidArgumentError(message);
  return kNoTensor;
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
