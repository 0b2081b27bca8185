#include "engine/graph/pass_check.h"

#include "absl/strings/str_cat.h"
#include "engine/graph/update_rule.h"

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

absl::Status CheckExample(const SourceLabels& source, int64_t classes,
                          int64_t example) {
  const auto count = static_cast<int64_t>(source.labels.size());
  if (example < 0 || example >= count) {
    return absl::OutOfRangeError(absl::StrCat("example ", example,
                                              " of a source of ", count,
                                              ", named by its order"));
  }
  const uint8_t label = source.labels[static_cast<size_t>(example)];
  if (label < classes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("label ", label, " of example ", example,
                   "; the network has ", classes, " classes"));
}

absl::Status CheckWholeTensor(absl::Span<const uint8_t> bytes, int64_t wanted) {
  if (static_cast<int64_t>(bytes.size()) == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a tensor of ", wanted, " bytes was given ", bytes.size()));
}

absl::Status CheckExamples(absl::Span<const uint8_t> bytes,
                           int64_t example_bytes, int64_t max_batch) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (size > 0 && size <= example_bytes * max_batch &&
      size % example_bytes == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(size, " bytes are not 1 to ",
                                                 max_batch, " examples of ",
                                                 example_bytes, " bytes each"));
}

absl::Status CheckSlot(const CompileOptions& options, int slot) {
  const int slots =
      options.optimizer.has_value() ? NumSlots(*options.optimizer) : 0;
  if (slot >= 0 && slot < slots) return absl::OkStatus();
  return absl::OutOfRangeError(
      absl::StrCat("slot ", slot, "; the optimizer has ", slots, " slots"));
}

absl::Status CheckKept(const CompileOptions& options, bool after_a_pass) {
  if (options.keep_all_tensors && after_a_pass) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "tensors can be read after a pass of a program compiled with "
      "keep_all_tensors");
}

}  // namespace repro16
