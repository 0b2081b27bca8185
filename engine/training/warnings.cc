#include "engine/training/warnings.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/training/hyper_parameters.h"

namespace repro16 {
namespace {

// The first batch normalisation that sees one position of each example, and
// moves its variance by the unbiased one; null if none does.
const Op* FirstOnOnePosition(const Graph& graph) {
  for (const Op& op : graph.ops) {
    if (op.kind != OpKind::kBatchNorm) continue;
    const Shape& in = graph.tensors[static_cast<size_t>(op.inputs[0])].shape;
    if (in.rank() == 3 && in[0] * in[1] == 1) return &op;
  }
  return nullptr;
}

std::optional<std::string> LastBatchWarning(const RunSpec& spec,
                                            const Graph& graph,
                                            int64_t train_examples) {
  const Op* op = FirstOnOnePosition(graph);
  const bool one_at_a_time = spec.batch_size() == 1;
  if (op == nullptr ||
      !(one_at_a_time || train_examples % spec.batch_size() == 1)) {
    return std::nullopt;
  }
  return absl::StrCat(
      "batch_size: ", spec.batch_size(), " leaves one of ", train_examples,
      " training examples for ", one_at_a_time ? "each" : "the last",
      " batch, and ", op->name,
      " sees 1 x 1 maps: the unbiased variance of one value is 0 / 0, so that "
      "the moving variance, and with it every test result, is NaN");
}

}  // namespace

std::vector<std::string> WarningsBeforeTraining(const RunSpec& spec,
                                                const PrecisionPolicy& policy,
                                                const Graph& graph,
                                                int64_t train_examples) {
  std::vector<std::string> warnings =
      HyperParameterWarnings(spec.optimizer(), policy, graph);
  if (auto warning = LastBatchWarning(spec, graph, train_examples)) {
    warnings.push_back(*std::move(warning));
  }
  return warnings;
}

std::optional<std::string> LossScaleWarning(const RunResult& result) {
  const auto& history = result.loss_scale_history();
  int64_t lost = 0;
  float scale = 0;  // of the step
  int next = 0;     // change of the scale
  for (int step = 0; step < result.steps_size(); ++step) {
    for (; next < history.size() && history[next].step() <= step; ++next) {
      scale = history[next].loss_scale();
    }
    lost += result.steps(step).skipped() && scale == 1;
  }
  if (lost == 0) return std::nullopt;
  return absl::StrCat("loss scale: at its least, 1, ", lost, " of ",
                      result.steps_size(),
                      " steps were still skipped for an infinity or NaN among "
                      "their gradients: no scale would have kept them");
}

}  // namespace repro16
