// The runs that an experiment compares.
#ifndef REPRO16_EXPERIMENTS_COMMON_RUNS_H_
#define REPRO16_EXPERIMENTS_COMMON_RUNS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/run/run.pb.h"

namespace repro16 {

// The label of FP32 runs with a flipped last bit (RunSpec::flip_last_bit): what
// becomes of so small a change is chaos alone, whatever the precision.
inline constexpr std::string_view kControl = "FP32_CONTROL";

struct TrainedRun {
  RunResult result;
  std::string probabilities_path;
  std::string diagnosis_path;  // Diagnosis, text form; empty: none was made

  // What sets of runs tell apart, beside the seed: the policy's name, with
  // "_CONTROL" after it where a bit was flipped.
  std::string policy() const;
  uint64_t seed() const { return result.spec().seed(); }
};

// What the actions of runs left behind: results[i] (RunResult, binary) has its
// probabilities in probabilities[i], and its Diagnosis in diagnoses[i] if that
// is not empty.
struct RunFiles {
  std::vector<std::string> results;
  std::vector<std::string> probabilities;
  std::vector<std::string> diagnoses;  // as many, or none at all
};

// Runs that may be compared: of one specification but for policy, flipped bit
// and seed, no two of which agree in all; on the same data, by the same version
// of the numerics. In order of policy (that of AllPolicies(),
// engine/numerics/policy.h; controls come last), then of seed.
class RunSet {
 public:
  // Errors name the file or run that does not fit; one of another numerics
  // version than this engine's is refused.
  static absl::StatusOr<RunSet> Load(const RunFiles& files,
                                     std::string_view scale);

  // The same from runs in memory, for tests.
  static absl::StatusOr<RunSet> Create(std::vector<TrainedRun> runs,
                                       std::string_view scale);

  // Sets of runs of several specifications: one set for each, in the order of
  // its first run. No runs give no sets. All sets have one numerics version,
  // and those of one DataSpec one digest.
  static absl::StatusOr<std::vector<RunSet>> LoadSets(const RunFiles& files,
                                                      std::string_view scale);
  static absl::StatusOr<std::vector<RunSet>> CreateSets(
      std::vector<TrainedRun> runs, std::string_view scale);

  const std::string& scale() const { return scale_; }
  // The specification, with policy, flipped bit and seed of the first run.
  const RunSpec& spec() const { return runs_.front().result.spec(); }
  // Not empty.
  const std::vector<TrainedRun>& runs() const { return runs_; }
  // Policies that have a run, in order.
  std::vector<std::string> Policies() const;
  // Runs of one policy, in order of seed.
  std::vector<const TrainedRun*> OfPolicy(std::string_view policy) const;

  struct Pair {
    const TrainedRun* a;
    const TrainedRun* b;
  };
  // Runs of two policies that share a seed, in order of seed.
  std::vector<Pair> Pairs(std::string_view policy_a,
                          std::string_view policy_b) const;

  // Statements of the paper are judged on these runs: they are not those of the
  // tests, and their data are real.
  bool Judged() const;

 private:
  RunSet() = default;

  std::string scale_;
  std::vector<TrainedRun> runs_;
};

// All sets are judged, and there is one.
bool Judged(absl::Span<const RunSet> sets);

// Class probabilities of a run's test set, [examples, classes], as stored.
struct Probabilities {
  int64_t examples = 0;
  int64_t classes = 0;
  std::vector<double> values;   // row-major; every storage type is exact in f64
  std::vector<int64_t> labels;  // [examples]

  absl::Span<const double> Row(int64_t example) const {
    return absl::MakeConstSpan(values).subspan(example * classes, classes);
  }
};

absl::StatusOr<Probabilities> LoadProbabilities(const TrainedRun& run);

// InvalidArgument unless both are of the same examples.
absl::Status CheckSameExamples(const TrainedRun& a, const Probabilities& pa,
                               const TrainedRun& b, const Probabilities& pb);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_RUNS_H_
