// One recorded run: how it is made from what //programs:train left, what makes
// it fit to be kept, and its file.
#ifndef REPRO16_EXPERIMENTS_RECORDED_RECORDED_RUN_H_
#define REPRO16_EXPERIMENTS_RECORDED_RECORDED_RUN_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/run/checkpoint.pb.h"
#include "engine/run/run.pb.h"
#include "experiments/recorded/recorded.pb.h"

namespace repro16 {

// The record of a run that has ended, without provenance.
RecordedRun RecordOfResult(const RunResult& result);

// The record of a run on its way: its whole epochs, and of loss scale, skipped
// steps and non-finite values what happened in them. InvalidArgument where the
// state contradicts itself.
absl::StatusOr<RecordedRun> RecordOfState(const RunState& state);

// InvalidArgument unless the run is of the full protocol (scale "paper", no
// field that reduces network or data) on published data, whole epoch by whole
// epoch from the first, and says where it comes from. Its numerics version may
// be another than this engine's. The error names the field.
absl::Status CheckRecordedRun(const RecordedRun& run);

// InvalidArgument unless the run is of this engine's numerics version.
absl::Status CheckNumericsVersion(const RunResult& result);

// A record in text form; checked. Errors name the file.
absl::StatusOr<RecordedRun> ReadRecordedRun(const std::string& path);

// Writes beside `path` and renames, so that a reader finds the old record or
// the new one, whole. Equal records give equal bytes.
absl::Status WriteRecordedRun(const std::string& path, const RecordedRun& run);

// "MobileNetV2 FP16 seed 1".
std::string TitleOf(const RunSpec& spec);
// "37 of 100".
std::string EpochsReached(const RecordedRun& run);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_RECORDED_RECORDED_RUN_H_
