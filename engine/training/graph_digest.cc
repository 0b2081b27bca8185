#include "engine/training/graph_digest.h"

#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/io/sha256.h"

namespace repro16 {
namespace {

// The values of an operation's attributes, f64 in full.
struct AttributeText {
  std::string operator()(const std::monostate& /*none*/) const { return ""; }
  std::string operator()(const DropoutAttributes& a) const {
    return absl::StrFormat("%a %d", a.rate, a.stream);
  }
  std::string operator()(const WindowAttributes& a) const {
    return absl::StrCat(a.height, " ", a.width, " ", a.stride, " ", a.pad_top,
                        " ", a.pad_left);
  }
  std::string operator()(const BatchNormAttributes& a) const {
    return absl::StrFormat("%a %a %d", a.epsilon, a.momentum,
                           static_cast<int>(a.activation));
  }
  std::string operator()(const LayerNormAttributes& a) const {
    return absl::StrFormat("%a", a.epsilon);
  }
  std::string operator()(const PadAttributes& a) const {
    return absl::StrCat(a.top, " ", a.left, " ", a.before);
  }
  std::string operator()(const PatchAttributes& a) const {
    return absl::StrCat(a.size);
  }
  std::string operator()(const ScaleAttributes& a) const {
    return absl::StrFormat("%a", a.factor);
  }
  std::string operator()(const AttentionAttributes& a) const {
    return absl::StrCat(a.heads);
  }
};

}  // namespace

std::string GraphDigest(const Graph& graph) {
  Sha256 sha;
  for (const Op& op : graph.ops) {
    sha.Update(absl::StrCat("op ", TraitsOf(op.kind).name, " ", op.name, " (",
                            absl::StrJoin(op.inputs, " "), ") (",
                            absl::StrJoin(op.parameters, " "), ") ", op.output,
                            " (", std::visit(AttributeText(), op.attributes),
                            ")\n"));
  }
  for (const Tensor& tensor : graph.tensors) {
    sha.Update(absl::StrCat("tensor ", tensor.shape.ToString(), "\n"));
  }
  for (const Parameter& p : graph.parameters) {
    sha.Update(absl::StrCat(
        "parameter ", p.name, " ", p.shape.ToString(), " ",
        absl::StrFormat("%d %d %d %a %d\n", static_cast<int>(p.initializer),
                        p.fan_in, p.fan_out, p.l2, static_cast<int>(p.role))));
  }
  sha.Update(absl::StrCat("input ", graph.input, " output ", graph.output,
                          " loss ", graph.loss, "\n"));
  return sha.HexDigest();
}

}  // namespace repro16
