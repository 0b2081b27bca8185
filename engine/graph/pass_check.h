// What must hold before a pass is begun: the same for every backend.
#ifndef REPRO16_ENGINE_GRAPH_PASS_CHECK_H_
#define REPRO16_ENGINE_GRAPH_PASS_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
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

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_PASS_CHECK_H_
