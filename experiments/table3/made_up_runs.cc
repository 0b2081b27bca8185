#include "experiments/table3/made_up_runs.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/io/proto_file.h"
#include "experiments/table3/verdicts.h"
#include "gtest/gtest.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

void SetOptimizer(const MadeUpRun& run, OptimizerSpec* optimizer) {
  if (run.rule == "SGD") {
    optimizer->mutable_sgd()->set_learning_rate(run.rate);
  } else if (run.rule == "RMSProp") {
    optimizer->mutable_rmsprop()->set_learning_rate(run.rate);
    optimizer->mutable_rmsprop()->set_epsilon(run.epsilon);
  } else {
    optimizer->mutable_adam()->set_learning_rate(run.rate);
    optimizer->mutable_adam()->set_epsilon(run.epsilon);
  }
}

}  // namespace

TrainedRun Make(const MadeUpRun& run) {
  TrainedRun trained;
  RunSpec* spec = trained.result.mutable_spec();
  spec->set_model(run.model);
  spec->set_policy(run.policy);
  spec->set_seed(run.seed);
  spec->set_scale(run.scale);
  SetOptimizer(run, spec->mutable_optimizer());
  spec->set_epochs(run.epochs);
  if (run.width > 0) spec->mutable_model_options()->set_width(run.width);
  for (int i = 0; i < run.epochs; ++i) {
    EpochResult* epoch = trained.result.add_epochs();
    epoch->set_train_accuracy(run.train_accuracy / 100);
    epoch->set_test_accuracy(run.accuracy / 100);
  }
  return trained;
}

void Attach(const Diagnosis& diagnosis, std::string_view name,
            TrainedRun* run) {
  run->diagnosis_path = absl::StrCat(testing::TempDir(), name, ".textproto");
  const absl::Status status = WriteTextProto(run->diagnosis_path, diagnosis);
  EXPECT_TRUE(status.ok()) << status;
}

std::vector<RunSet> SetsOf(std::vector<TrainedRun> runs,
                           std::string_view scale) {
  absl::StatusOr<std::vector<RunSet>> sets =
      RunSet::CreateSets(std::move(runs), scale);
  EXPECT_TRUE(sets.ok()) << sets.status();
  return sets.ok() ? *std::move(sets) : std::vector<RunSet>();
}

std::vector<TrainedRun> MakeSweep(MadeUpRun base,
                                  const std::vector<double>& accuracies) {
  std::vector<TrainedRun> runs;
  for (size_t i = 0; i < accuracies.size(); ++i) {
    base.epsilon = kTable3Epsilons[i];
    base.accuracy = accuracies[i];
    runs.push_back(Make(base));
  }
  return runs;
}

Golden GoldenOfTable3() {
  absl::StatusOr<Golden> golden =
      ReadGolden("experiments/table3/golden.textproto");
  EXPECT_TRUE(golden.ok()) << golden.status();
  return golden.ok() ? *std::move(golden) : Golden();
}

report::Expectation ExpectationOf(const report::Report& report,
                                  std::string_view id) {
  for (const report::Expectation& e : report.expectations()) {
    if (e.id() == id) return e;
  }
  ADD_FAILURE() << "no expectation " << id;
  return {};
}

}  // namespace repro16
