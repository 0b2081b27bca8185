// The results of one network's runs, asked by precision.
//
// The paper's one column FP16 is read twice: "FP16", everything that is stored
// in 16 bits, as its text has it, and "FP16_BN32", what its framework did. A
// network without batch normalisation has one FP16, which stands for both.
#ifndef REPRO16_EXPERIMENTS_COMMON_NETWORK_RESULTS_H_
#define REPRO16_EXPERIMENTS_COMMON_NETWORK_RESULTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/runs.h"
#include "experiments/common/statements.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// The columns of the paper's table 2, FP16 twice.
inline constexpr std::string_view kPrecisions[] = {"FP16", "FP16_BN32", "FP32",
                                                   "MP"};

// Which of a run's accuracies.
using Split = double (EpochResult::*)() const;
inline constexpr Split kTraining = &EpochResult::train_accuracy;
// With the moving averages of batch normalisation.
inline constexpr Split kTest = &EpochResult::test_accuracy;
// FinalTestAccuracy (cifar10.h): not of one epoch.
inline constexpr Split kFinal = nullptr;

class NetworkResults {
 public:
  // `runs` outlive this; null: nothing was run.
  NetworkResults(const Network& network, const RunSet* runs)
      : network_(network), runs_(runs) {}

  const Network& network() const { return network_; }
  const RunSet* runs() const { return runs_; }
  // Of each run; 0 where there is none.
  int epochs() const;

  // Whose runs stand in a column.
  std::string_view PolicyOf(std::string_view precision) const;
  // In order of seed; empty where the cell was not run.
  std::vector<const TrainedRun*> OfPrecision(std::string_view precision) const;
  // In percent after an epoch (from 0; by default the last), a value a seed.
  std::vector<double> Accuracies(std::string_view precision,
                                 Split split = kFinal,
                                 std::optional<int> epoch = {}) const;
  // a - b in points, a value for each seed that both have.
  std::vector<double> Differences(std::string_view a, std::string_view b,
                                  Split split = kFinal,
                                  std::optional<int> epoch = {}) const;

 private:
  Network network_;
  const RunSet* runs_;
};

// One for each set, in their order.
std::vector<NetworkResults> ResultsOf(absl::Span<const RunSet> sets);

// One for each network of table 2, in its order. InvalidArgument for runs of a
// network that the table does not have, or of two specifications of one.
absl::StatusOr<std::vector<NetworkResults>> Table2Results(
    absl::Span<const RunSet> sets);

// What the least trained of these networks went through: accuracies are the
// mean over seeds of FP32's, or of the first precision where it has none.
Training TrainingOf(absl::Span<const NetworkResults> networks);

// What these networks went through (Measurement::training). Where they were
// trained as the paper trains, at full width for 100 epochs, also whether their
// baseline is the paper's; smaller networks have no baseline to miss.
void SetTraining(absl::Span<const NetworkResults> networks,
                 const Golden& published, Measurement* measured);

// "our FP32 is not the paper's: it ends at 62.1%, the paper's at 70.0% (...)":
// of the networks whose FP32 ends more than three published deviations under
// the published mean, in the order given; "" where there is none.
std::string MissedBaseline(absl::Span<const NetworkResults> networks,
                           const Golden& published);

// Says it first in the report's summary, if there is one.
void AddBaseline(absl::Span<const NetworkResults> networks,
                 const Golden& published, report::Report* report);

// Whether an accuracy in percent reaches a published mean: it is at most three
// of its deviations lower, which is what chance does to one run.
bool Reaches(double percent, const PaperValue& published);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_NETWORK_RESULTS_H_
