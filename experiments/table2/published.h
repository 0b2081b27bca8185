// What is published of table 2, number by number.
#ifndef REPRO16_EXPERIMENTS_TABLE2_PUBLISHED_H_
#define REPRO16_EXPERIMENTS_TABLE2_PUBLISHED_H_

#include <string>

#include "absl/status/statusor.h"
#include "experiments/table2/published.pb.h"
#include "reports/golden.pb.h"

namespace repro16 {

// Each number of the table as a paper value, and each that is derived from
// others with its check (CheckArithmetic, reports/paper_values.h):
//   "vgg16/FP16"       accuracy, percent, with deviation and 50 runs
//   "vgg16/FP16_s"     seconds
//   "vgg16/FP16-FP32"  points: accuracies subtracted; row "mean": their mean
//   "vgg16/FP32/FP16"  speed-up: seconds divided; row "mean": their mean
// A check allows what the printed digits do: half a unit of each last digit.
// InvalidArgument for a row with too few numbers, or text that is none.
absl::StatusOr<Golden> PublishedValues(const PublishedTable& table);

struct Published {
  PublishedTable table;
  Golden values;
};

// From published.textproto.
absl::StatusOr<Published> ReadPublished(const std::string& path);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE2_PUBLISHED_H_
