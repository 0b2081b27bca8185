// The machine, and the time and memory that runs took, from their telemetry.
#ifndef REPRO16_REPORTS_ENVIRONMENT_H_
#define REPRO16_REPORTS_ENVIRONMENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "reports/report.pb.h"

namespace repro16 {

// Device, SIMD target and time of all runs together; each path is a
// RunTelemetry, binary. The runs may come from several machines.
absl::StatusOr<report::Environment> EnvironmentOf(
    const std::vector<std::string>& telemetry_paths);

// The memory of each policy, in the order of its first run: the most that a run
// of it took. result_paths[i] (RunResult, binary) is of telemetry_paths[i].
absl::StatusOr<std::vector<report::Memory>> MemoryOf(
    const std::vector<std::string>& result_paths,
    const std::vector<std::string>& telemetry_paths);

// How long each run took, in the order given; the files as for MemoryOf.
absl::StatusOr<std::vector<report::RunTime>> RunTimesOf(
    const std::vector<std::string>& result_paths,
    const std::vector<std::string>& telemetry_paths);

}  // namespace repro16

#endif  // REPRO16_REPORTS_ENVIRONMENT_H_
