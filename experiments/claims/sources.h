// What a report says about one source of a claim (Measured, claims.proto), each
// of its parts as an expectation. Errors name what the report does not have.
#ifndef REPRO16_EXPERIMENTS_CLAIMS_SOURCES_H_
#define REPRO16_EXPERIMENTS_CLAIMS_SOURCES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "experiments/claims/claims.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

absl::StatusOr<std::vector<report::Expectation>> FindExpectations(
    const report::Report& report, const Measured::Source& source);

// Text, note and verdict of each cell; "not run" where it says so.
absl::StatusOr<std::vector<report::Expectation>> FindCells(
    const report::Report& report, const Measured::Cells& source);

// The statement about each of `sources`, which are not empty: one source as it
// is; of several the verdict, how many have it, and the first of these.
report::Expectation OnAll(const std::vector<report::Expectation>& sources);

// Where the parts of a claim come from, in short: "fig1, delta_mean; ...".
std::string SourceNames(const Measured& measured);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_CLAIMS_SOURCES_H_
