#include "reports/environment.h"

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/io/proto_file.h"
#include "engine/run/run.pb.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

struct RunFiles {
  RunResult result;
  RunTelemetry telemetry;
};

absl::StatusOr<std::vector<RunFiles>> ReadRuns(
    const std::vector<std::string>& result_paths,
    const std::vector<std::string>& telemetry_paths) {
  if (result_paths.size() != telemetry_paths.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--runs names ", result_paths.size(), " files and --telemetry ",
        telemetry_paths.size(), "; give one of each for every run"));
  }
  std::vector<RunFiles> runs;
  for (size_t i = 0; i < result_paths.size(); ++i) {
    RunFiles& run = runs.emplace_back();
    absl::Status status = ReadBinaryProto(result_paths[i], &run.result);
    status.Update(ReadBinaryProto(telemetry_paths[i], &run.telemetry));
    if (!status.ok()) return status;
  }
  return runs;
}

// Whether the telemetry is of a part of the run alone, as that of a process
// that went on from a checkpoint is.
bool IsPartial(const RunFiles& run) {
  const double told =
      run.telemetry.train_images_per_second() * run.telemetry.train_seconds();
  // Too many by less than half: the last batch of an epoch may be small.
  const double trained = static_cast<double>(run.result.steps_size()) *
                         static_cast<double>(run.result.spec().batch_size());
  return told < trained / 2;
}

}  // namespace

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
  const absl::StatusOr<std::vector<RunFiles>> runs =
      ReadRuns(result_paths, telemetry_paths);
  if (!runs.ok()) return runs.status();
  std::vector<report::Memory> rows;
  for (const RunFiles& run : *runs) {
    const std::string& policy = run.result.spec().policy();
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const report::Memory& memory) {
                              return memory.policy() == policy;
                            });
    if (row == rows.end()) {
      row = rows.emplace(rows.end());
      row->set_policy(policy);
    }
    row->set_parameters(run.result.parameter_count());
    row->set_planned_bytes(
        std::max(row->planned_bytes(), run.telemetry.planned_bytes()));
    row->set_peak_rss_bytes(
        std::max(row->peak_rss_bytes(), run.telemetry.peak_rss_bytes()));
  }
  return rows;
}

absl::StatusOr<std::vector<report::RunTime>> RunTimesOf(
    const std::vector<std::string>& result_paths,
    const std::vector<std::string>& telemetry_paths) {
  const absl::StatusOr<std::vector<RunFiles>> runs =
      ReadRuns(result_paths, telemetry_paths);
  if (!runs.ok()) return runs.status();
  std::vector<report::RunTime> times;
  for (const RunFiles& run : *runs) {
    report::RunTime& time = times.emplace_back();
    time.set_run(RunName(run.result.spec()));
    time.set_train_seconds(run.telemetry.train_seconds());
    time.set_evaluate_seconds(run.telemetry.evaluate_seconds());
    time.set_device(run.telemetry.device());
    time.set_simd_target(run.telemetry.simd_target());
    time.set_partial(IsPartial(run));
  }
  return times;
}

}  // namespace repro16
