// A training run on its way, kept in a file so that it can go on later.
//
// A run that goes on from a checkpoint gives the very bits of the uninterrupted
// one, on any machine, with any number of threads: what a step hands to the
// next is all here (parameters with moving statistics, the optimizer's slots
// and count of updates, the loss scale and its count of good steps), and random
// numbers and the order of examples depend on seed, step and epoch alone.
#ifndef REPRO16_ENGINE_TRAINING_CHECKPOINT_H_
#define REPRO16_ENGINE_TRAINING_CHECKPOINT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"
#include "engine/run/checkpoint.pb.h"

namespace repro16 {

// The state of a run and of the program that trains it. `run.result` says of
// which specification, data and numerics version.
absl::StatusOr<Checkpoint> MakeCheckpoint(const RunState& run,
                                          const Graph& graph, Program& program);

// Puts the program where it was. The program is compiled from `graph` in the
// policy of the checkpoint; one of other parameters is refused.
absl::Status RestoreProgram(const Checkpoint& checkpoint, const Graph& graph,
                            Program& program);

// Writes beside `path` and renames (engine/io/file.h), sealed with a SHA-256
// over all of it (engine/io/proto_file.h): a reader finds the old checkpoint or
// the new one, whole. A checkpoint takes less than 2 GiB.
absl::Status WriteCheckpoint(const std::string& path,
                             const Checkpoint& checkpoint);

// Reads a checkpoint of a run of `spec` on the data of that digest
// (Dataset::digest). One that is damaged, or of another specification, data,
// numerics version or network, is refused; the error names what differs.
absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path,
                                          const RunSpec& spec,
                                          const std::string& data_digest,
                                          const Graph& graph);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_CHECKPOINT_H_
