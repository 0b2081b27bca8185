#include "reports/environment.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/io/proto_file.h"
#include "engine/run/run.pb.h"

namespace repro16 {

absl::StatusOr<report::Environment> EnvironmentOf(
    const std::vector<std::string>& telemetry_paths) {
  report::Environment environment;
  double seconds = 0;
  for (const std::string& path : telemetry_paths) {
    RunTelemetry telemetry;
    absl::Status status = ReadBinaryProto(path, &telemetry);
    if (!status.ok()) return status;
    for (const auto& [value, field] :
         {std::pair(telemetry.device(), environment.mutable_device()),
          std::pair(telemetry.simd_target(),
                    environment.mutable_simd_target())}) {
      if (field->find(value) == std::string::npos) {
        absl::StrAppend(field, field->empty() ? "" : ", ", value);
      }
    }
    seconds += telemetry.train_seconds() + telemetry.evaluate_seconds();
  }
  environment.set_wall_seconds(seconds);
  return environment;
}

}  // namespace repro16
