// What the runs' diagnoses (engine/run/diagnosis.proto) say of second moments
// and updates, over all epochs of a run.
#ifndef REPRO16_EXPERIMENTS_TABLE3_DIAGNOSES_H_
#define REPRO16_EXPERIMENTS_TABLE3_DIAGNOSES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/run/diagnosis.pb.h"
#include "experiments/common/runs.h"

namespace repro16 {

// Second moments that are finite, counted after each step, an element at a
// time.
struct SecondMoments {
  int64_t finite = 0;
  int64_t zero = 0;
  // Those where Adam's first moment is not 0, so that epsilon alone divides;
  // none for RMSProp, which has no first moment.
  std::optional<int64_t> lost;

  double ZeroShare() const { return Share(zero); }
  double LostShare() const { return Share(lost.value_or(0)); }
  void Add(const SecondMoments& other);

 private:
  double Share(int64_t count) const {
    return finite == 0 ? 0 : static_cast<double>(count) / finite;
  }
};

struct LargestUpdate {
  double size = 0;
  int64_t step = 0;  // the first with it, from 0
  std::string parameter;
};

struct WatchedParameter {
  std::string name;
  std::optional<SecondMoments> second_moments;  // none where the rule has none
  LargestUpdate largest_update;
  std::optional<int64_t> first_non_finite_step;

  bool IsKernel() const;  // of a convolution or dense layer
};

// A parameter and the step after which it first was not finite.
struct FirstLoss {
  int64_t step = 0;
  std::string parameter;
};

struct WatchedRun {
  std::vector<WatchedParameter> parameters;  // in order of creation

  std::optional<SecondMoments> AllSecondMoments() const;
  LargestUpdate Largest() const;
  std::optional<FirstLoss> FirstLost() const;
};

WatchedRun Watch(const Diagnosis& diagnosis);

// Of all these runs; of size 0 where nothing moved.
LargestUpdate LargestUpdateOf(absl::Span<const WatchedRun* const> watched);

// The diagnoses of all runs that have one.
class Diagnoses {
 public:
  // Errors name the file. The runs outlive this.
  static absl::StatusOr<Diagnoses> Load(absl::Span<const RunSet> sets);

  // Null where none was made.
  const WatchedRun* Of(const TrainedRun& run) const;
  // Of one policy's runs that have one.
  std::vector<const WatchedRun*> OfPolicy(const RunSet& runs,
                                          std::string_view policy) const;

 private:
  std::map<const TrainedRun*, WatchedRun> watched_;
};

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE3_DIAGNOSES_H_
