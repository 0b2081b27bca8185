// What must hold before a pass is begun: the same for every backend.
#ifndef REPRO16_ENGINE_GRAPH_PASS_CHECK_H_
#define REPRO16_ENGINE_GRAPH_PASS_CHECK_H_

#include <cstdint>

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
