// The command line that the programs about golden values share:
//
//   --golden=golden.textproto --report=report.pb
//   --golden=runs.textproto --runs=a/result.pb,b/result.pb
#ifndef REPRO16_REPORTS_GOLDEN_INPUT_H_
#define REPRO16_REPORTS_GOLDEN_INPUT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/status/statusor.h"
#include "engine/run/run.pb.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

ABSL_DECLARE_FLAG(std::string, golden);

namespace repro16 {

struct GoldenInput {
  Golden golden;
  // One of both:
  std::optional<report::Report> report;
  std::vector<RunResult> runs;

  std::string Scale() const {
    return report ? report->scale() : runs.front().spec().scale();
  }
};

// What the flags name. Errors name the flag or the file.
absl::StatusOr<GoldenInput> ReadGoldenInput();

}  // namespace repro16

#endif  // REPRO16_REPORTS_GOLDEN_INPUT_H_
