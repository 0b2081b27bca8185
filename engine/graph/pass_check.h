// What must hold before a pass is begun: the same for every backend.
#ifndef REPRO16_ENGINE_GRAPH_PASS_CHECK_H_
#define REPRO16_ENGINE_GRAPH_PASS_CHECK_H_

#include <cstdint>
#include <cstring>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"

namespace repro16 {

// InvalidArgument if the program was not compiled for `batch` examples;
// FailedPrecondition if a pass that trains was asked of one that cannot.
absl::Status CheckPass(const CompileOptions& options, int64_t batch,
                       bool trains);

// Also whether the source's buffers belong together (InvalidArgument) and hold
// examples [first, first + batch) (OutOfRange).
absl::Status CheckBatch(const Graph& graph, const CompileOptions& options,
                        const BatchSource& source, int64_t first, int64_t batch,
                        bool trains);

// A BatchSource's labels and order, in memory that the host reads.
struct SourceLabels {
  absl::Span<const uint8_t> labels;
  const uint8_t* order = nullptr;  // of u32, unaligned; null: none
};

absl::Status CheckExample(const SourceLabels& source, int64_t classes,
                          int64_t example);

// Calls take(i, example, label) for the examples of a batch, in order;
// OutOfRange or InvalidArgument at the first that the source or the network
// does not have.
template <class Take>
absl::Status ForEachExample(const SourceLabels& source, int64_t classes,
                            int64_t first, int64_t batch, const Take& take) {
  for (int64_t i = 0; i < batch; ++i) {
    int64_t example = first + i;
    if (source.order != nullptr) {
      uint32_t ordered;
      std::memcpy(&ordered, source.order + example * 4, sizeof(ordered));
      example = ordered;
    }
    absl::Status status = CheckExample(source, classes, example);
    if (!status.ok()) return status;
    take(i, example, source.labels[static_cast<size_t>(example)]);
  }
  return absl::OkStatus();
}

// InvalidArgument unless `bytes` is the whole tensor, no less and no more.
absl::Status CheckWholeTensor(absl::Span<const uint8_t> bytes, int64_t wanted);

// InvalidArgument unless `bytes` is one to max_batch examples, none in part.
absl::Status CheckExamples(absl::Span<const uint8_t> bytes,
                           int64_t example_bytes, int64_t max_batch);

// OutOfRange where the optimizer has no such slot.
absl::Status CheckSlot(const CompileOptions& options, int slot);

// FailedPrecondition unless every tensor can be read, and a pass was made.
absl::Status CheckKept(const CompileOptions& options, bool after_a_pass);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_PASS_CHECK_H_
