// Whether a run that was made again gives what its record holds.
#ifndef REPRO16_EXPERIMENTS_RECORDED_RECHECK_H_
#define REPRO16_EXPERIMENTS_RECORDED_RECHECK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "experiments/recorded/recorded.pb.h"

namespace repro16 {

// InvalidArgument, naming the flag or field, unless the first `epochs` epochs
// of the record can be made again by this engine.
absl::Status CheckRecheck(const RecordedRun& record, int64_t epochs);

// What a record says of its first `epochs` epochs, which had so many steps:
// without what is of the whole run (weights, skipped steps) where they are not
// all of it, and without provenance and telemetry.
RecordedRun FirstEpochs(const RecordedRun& record, int64_t epochs,
                        int64_t steps);

// The first field in which the two differ, with both values, e.g.
// "result.epochs[0].train_loss: 1.5 -> 1.6"; "" where all are equal. A NaN is
// equal to a NaN.
std::string FirstDifference(const RecordedRun& recorded,
                            const RecordedRun& again);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_RECORDED_RECHECK_H_
