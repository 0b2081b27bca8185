#include "reports/environment.h"

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/io/proto_file.h"
#include "engine/run/run.pb.h"

namespace repro16 {

absl::StatusOr<report::Environment> EnvironmentOf(
    const std::vector<std::string>& telemetry_paths) {
  report::Environment environment;
  std::set<std::string> devices, simd_targets;
  double seconds = 0;
  for (const std::string& path : telemetry_paths) {
    RunTelemetry telemetry;
    absl::Status status = ReadBinaryProto(path, &telemetry);
    if (!status.ok()) return status;
    devices.insert(telemetry.device());
    simd_targets.insert(telemetry.simd_target());
    seconds += telemetry.train_seconds() + telemetry.evaluate_seconds();
  }
  environment.set_device(absl::StrJoin(devices, "; "));
  environment.set_simd_target(absl::StrJoin(simd_targets, ", "));
  environment.set_wall_seconds(seconds);
  return environment;
}

absl::StatusOr<std::vector<report::Memory>> MemoryOf(
    const std::vector<std::string>& result_paths,
    const std::vector<std::string>& telemetry_paths) {
  if (result_paths.size() != telemetry_paths.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--runs names ", result_paths.size(), " files and --telemetry ",
        telemetry_paths.size(), "; give one of each for every run"));
  }
  std::vector<report::Memory> rows;
  for (size_t i = 0; i < result_paths.size(); ++i) {
    RunResult result;
    RunTelemetry telemetry;
    absl::Status status = ReadBinaryProto(result_paths[i], &result);
    status.Update(ReadBinaryProto(telemetry_paths[i], &telemetry));
    if (!status.ok()) return status;
    const std::string& policy = result.spec().policy();
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const report::Memory& memory) {
                              return memory.policy() == policy;
                            });
    if (row == rows.end()) {
      row = rows.emplace(rows.end());
      row->set_policy(policy);
    }
    row->set_parameters(result.parameter_count());
    row->set_planned_bytes(
        std::max(row->planned_bytes(), telemetry.planned_bytes()));
    row->set_peak_rss_bytes(
        std::max(row->peak_rss_bytes(), telemetry.peak_rss_bytes()));
  }
  return rows;
}

}  // namespace repro16
