// Runs of table 3 that nobody trained, for tests.
#ifndef REPRO16_EXPERIMENTS_TABLE3_MADE_UP_RUNS_H_
#define REPRO16_EXPERIMENTS_TABLE3_MADE_UP_RUNS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/run/diagnosis.pb.h"
#include "experiments/common/runs.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

struct MadeUpRun {
  std::string model = "resnet18";
  std::string rule = "Adam";
  double rate = 1e-3;
  double epsilon = 1e-2;  // of no meaning for SGD
  std::string policy = "FP16";
  uint64_t seed = 1;
  double accuracy = 40;        // in percent, of the test set
  double train_accuracy = 90;  // in percent
  int epochs = 10;
  double width = 0;  // 0: full
  std::string scale = "lite";
};

TrainedRun Make(const MadeUpRun& run);

// Gives it a diagnosis, in a file of the test's folder that is named after
// `name`.
void Attach(const Diagnosis& diagnosis, std::string_view name, TrainedRun* run);

// Their sets; fails the test if they are none.
std::vector<RunSet> SetsOf(std::vector<TrainedRun> runs,
                           std::string_view scale = "lite");

// FP16 runs by Adam of a network at all six epsilons, one seed; accuracies in
// their order.
std::vector<TrainedRun> MakeSweep(MadeUpRun base,
                                  const std::vector<double>& accuracies);

// The golden file of the experiment.
Golden GoldenOfTable3();

// Fails the test if it is not there.
report::Expectation ExpectationOf(const report::Report& report,
                                  std::string_view id);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE3_MADE_UP_RUNS_H_
