#include "engine/graph/pass_check.h"

#include "absl/strings/str_cat.h"

namespace repro16 {

absl::Status CheckPass(const CompileOptions& options, int64_t batch,
                       bool trains) {
  if (batch < 1 || batch > options.max_batch) {
    return absl::InvalidArgumentError(absl::StrCat(
        "batch of ", batch, " examples; the program was compiled for 1 to ",
        options.max_batch));
  }
  if (trains && !options.optimizer.has_value() && !options.keep_all_tensors) {
    return absl::FailedPreconditionError(
        "the program was compiled without an optimizer");
  }
  return absl::OkStatus();
}

absl::Status CheckBatch(const Graph& graph, const CompileOptions& options,
                        const BatchSource& source, int64_t first, int64_t batch,
                        bool trains) {
  if (absl::Status status = CheckPass(options, batch, trains); !status.ok()) {
    return status;
  }
  if (trains && !options.optimizer.has_value()) {
    return absl::FailedPreconditionError(
        "the program was compiled without an optimizer");
  }
  if (graph.loss == kNoTensor || graph.probabilities == kNoTensor) {
    return absl::FailedPreconditionError("the graph is no classifier");
  }
  const int64_t pixels = graph.tensors[graph.input].shape.NumElements();
  if (source.images->bytes() != source.labels->bytes() * pixels) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.labels->bytes(), " labels do not go with ",
                     source.images->bytes(), " bytes of images"));
  }
  const int64_t count =
      source.order != nullptr
          ? source.order->bytes() / static_cast<int64_t>(sizeof(uint32_t))
          : source.labels->bytes();
  if (first < 0 || first > count - batch) {
    return absl::OutOfRangeError(absl::StrCat(
        "examples ", first, " to ", first + batch, " of a source of ", count));
  }
  return absl::OkStatus();
}

}  // namespace repro16
