#include "experiments/recorded/recheck.h"

#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/numerics/version.h"
#include "google/protobuf/util/field_comparator.h"
#include "google/protobuf/util/message_differencer.h"

namespace repro16 {

absl::Status CheckRecheck(const RecordedRun& record, int64_t epochs) {
  const RunResult& result = record.result();
  if (result.numerics_version() != kNumericsVersion) {
    return absl::InvalidArgumentError(absl::StrCat(
        "numerics_version: recorded with ", result.numerics_version(),
        ", this engine has ", kNumericsVersion,
        "; check it by the engine of commit ", record.provenance().commit()));
  }
  if (epochs < 1 || epochs > result.epochs_size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--epochs: ", epochs, " is not in [1, ",
                     result.epochs_size(), "], the epochs of the record"));
  }
  return absl::OkStatus();
}

RecordedRun FirstEpochs(const RecordedRun& record, int64_t epochs,
                        int64_t steps) {
  RecordedRun first;
  RunResult& result = *first.mutable_result();
  result = record.result();
  if (epochs == result.epochs_size()) {
    first.set_skipped_steps(record.skipped_steps());
  }
  while (result.epochs_size() > epochs) result.mutable_epochs()->RemoveLast();
  if (epochs < result.spec().epochs()) result.clear_weights_sha256();
  auto& scales = *result.mutable_loss_scale_history();
  while (!scales.empty() && scales.rbegin()->step() >= steps) {
    scales.RemoveLast();
  }
  if (result.first_non_finite().step() >= steps) {
    result.clear_first_non_finite();
  }
  return first;
}

std::string FirstDifference(const RecordedRun& recorded,
                            const RecordedRun& again) {
  using google::protobuf::util::DefaultFieldComparator;
  using google::protobuf::util::MessageDifferencer;
  DefaultFieldComparator comparator;
  comparator.set_treat_nan_as_equal(true);
  MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  std::string differences;  // a line each
  differencer.ReportDifferencesToString(&differences);
  if (differencer.Compare(recorded, again)) return "";
  const std::vector<std::string_view> lines =
      absl::StrSplit(differences, absl::MaxSplits('\n', 1));
  return std::string(absl::StripPrefix(lines[0], "modified: "));
}

}  // namespace repro16
