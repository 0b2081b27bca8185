#include "programs/moving_average_study.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/graph/graph.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/random_stream.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/rounding.h"
#include "engine/numerics/version.h"
#include "engine/training/device_split.h"
#include "engine/training/evaluation.h"
#include "engine/training/initialize.h"
#include "engine/training/run_state.h"
#include "engine/training/statistics_estimator.h"
#include "engine/training/trainer.h"
#include "models/registry.h"
#include "programs/asked_network.h"

namespace repro16 {

template <class T>
float MoveAverage(float statistic, float batch, double momentum, float* lost) {
  const auto r = [](float x) { return RoundTo<T>(x); };
  const float rate = r(static_cast<float>(1 - momentum));
  const float change = r(f32::Mul(r(f32::Sub(batch, statistic)), rate));
  if (lost == nullptr) return r(f32::Add(statistic, change));
  const float y = r(f32::Sub(change, *lost));
  const float moved = r(f32::Add(statistic, y));
  *lost = r(f32::Sub(r(f32::Sub(moved, statistic)), y));
  return moved;
}
template float MoveAverage<Binary16>(float, float, double, float*);
template float MoveAverage<float>(float, float, double, float*);

namespace {

// One way of averaging, of every moving statistic of the network.
struct Averager {
  std::string rule;
  double momentum;  // negative: each layer's own
  DType storage;
  // By statistic, then by channel.
  StatisticValues values;
  StatisticValues lost;
};

class Study {
 public:
  Study(const RunSpec& spec, const Dataset& data, Backend& backend,
        const MovingAverageStudyOptions& options)
      : spec_(spec), data_(data), backend_(backend), options_(options) {}

  absl::StatusOr<MovingAverageStudy> Run() {
    absl::Status status = Prepare();
    for (int64_t epoch = 1; status.ok() && epoch <= spec_.epochs(); ++epoch) {
      status = RunEpoch(epoch);
    }
    if (!status.ok()) return status;
    return std::move(study_);
  }

 private:
  absl::Status Prepare() {
    const absl::StatusOr<PrecisionPolicy> policy = FindPolicy(spec_.policy());
    if (!policy.ok()) return policy.status();
    if (policy->batch_norm != DType::kF16) {
      return absl::InvalidArgumentError(
          absl::StrCat("policy: ", spec_.policy(),
                       " does not store the statistics of batch "
                       "normalisation in f16; give FP16"));
    }
    absl::Status status = BuildNetwork();
    if (!status.ok()) return status;
    status = Compile(*policy);
    if (!status.ok()) return status;
    MakeAveragers();
    if (status = Upload(); !status.ok()) return status;
    *study_.mutable_spec() = spec_;
    study_.set_data_digest(data_.digest);
    study_.set_made_up_data(data_.made_up);
    study_.set_numerics_version(kNumericsVersion);
    return InitializeParameters(graph_, spec_.seed(), *program_);
  }

  absl::Status BuildNetwork() {
    absl::StatusOr<Graph> graph =
        BuildModel(spec_.model(), AskedOptions(spec_, data_));
    if (!graph.ok()) return graph.status();
    graph_ = *std::move(graph);
    statistics_ = MovingStatisticsOf(graph_);
    if (statistics_.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "model: ", spec_.model(), " has no batch normalisation"));
    }
    for (const MovingStatistic& statistic : statistics_) {
      zeros_.emplace_back(static_cast<size_t>(
          graph_.parameters[statistic.id].shape.NumElements()));
    }
    return absl::OkStatus();
  }

  // The program that trains, whose averages are its batches' statistics, and
  // what estimates them.
  absl::Status Compile(const PrecisionPolicy& policy) {
    CompileOptions options;
    options.max_batch = spec_.batch_size();
    options.seed = spec_.seed();
    options.optimizer = spec_.optimizer();
    auto program = backend_.Compile(WithoutMomentum(graph_), policy, options);
    if (!program.ok()) return program.status();
    program_ = *std::move(program);
    const auto table =
        NormalizationTable(spec_.data().normalization(), data_.train);
    if (!table.ok()) return table.status();
    auto estimator =
        StatisticsEstimator::Create(graph_, policy, options, *table, backend_);
    if (!estimator.ok()) return estimator.status();
    estimator_.emplace(*std::move(estimator));
    return program_->SetInputTable(*table);
  }

  void MakeAveragers() {
    std::vector<double> momenta = {-1};
    momenta.insert(momenta.end(), options_.momenta.begin(),
                   options_.momenta.end());
    for (const double momentum : momenta) {
      averagers_.push_back({"average", momentum, DType::kF16, {}, {}});
      averagers_.push_back({"compensated", momentum, DType::kF16, {}, {}});
      averagers_.push_back({"average", momentum, DType::kF32, {}, {}});
    }
    for (Averager& averager : averagers_) {
      averager.lost = zeros_;
      for (const MovingStatistic& statistic : statistics_) {
        const auto channels = static_cast<size_t>(
            graph_.parameters[statistic.id].shape.NumElements());
        averager.values.emplace_back(channels,
                                     statistic.is_variance ? 1.0f : 0.0f);
      }
    }
  }

  absl::Status Upload() {
    auto train = UploadSplit(data_.train, backend_);
    if (!train.ok()) return train.status();
    train_ = *std::move(train);
    auto test = UploadSplit(data_.test, backend_);
    if (!test.ok()) return test.status();
    test_ = *std::move(test);
    auto order = backend_.Allocate(data_.train.count *
                                   static_cast<int64_t>(sizeof(uint32_t)));
    if (!order.ok()) return order.status();
    order_ = *std::move(order);
    return absl::OkStatus();
  }

  // One step, which leaves the batch's statistics in the program.
  absl::Status Step(const BatchSource& source, int64_t first, int64_t batch) {
    const absl::Status status = WriteStatistics(zeros_, statistics_, *program_);
    if (!status.ok()) return status;
    return program_->TrainStep(source, first, batch, step_++);
  }

  absl::Status MoveAverages() {
    for (size_t s = 0; s < statistics_.size(); ++s) {
      const auto batch = ReadStatistic(*program_, statistics_[s]);
      if (!batch.ok()) return batch.status();
      for (Averager& averager : averagers_) {
        const double momentum =
            averager.momentum < 0 ? statistics_[s].momentum : averager.momentum;
        const bool compensated = averager.rule == "compensated";
        for (size_t c = 0; c < batch->size(); ++c) {
          float* lost = compensated ? &averager.lost[s][c] : nullptr;
          float& value = averager.values[s][c];
          value =
              averager.storage == DType::kF16
                  ? MoveAverage<Binary16>(value, (*batch)[c], momentum, lost)
                  : MoveAverage<float>(value, (*batch)[c], momentum, lost);
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status RunEpoch(int64_t epoch) {
    const std::vector<uint32_t> order =
        Permutation(static_cast<uint32_t>(data_.train.count),
                    RandomStream(spec_.seed(), RandomPurpose::kShuffle,
                                 static_cast<uint32_t>(epoch)));
    absl::Status status =
        backend_.Upload({reinterpret_cast<const uint8_t*>(order.data()),
                         order.size() * sizeof(uint32_t)},
                        *order_);
    if (!status.ok()) return status;
    const BatchSource source = train_.InOrder(order_.get());
    for (int64_t first = 0; first < data_.train.count;
         first += spec_.batch_size()) {
      const int64_t batch =
          std::min(spec_.batch_size(), data_.train.count - first);
      status = Step(source, first, batch);
      if (status.ok()) status = MoveAverages();
      if (!status.ok()) return status;
    }
    const auto records = program_->TakeRecords();
    if (!records.ok()) return records.status();
    PassTotals totals;
    for (const BatchRecord& record : *records) AddBatch(record, totals);
    MovingAverageStudy::Epoch told;
    told.set_epoch(epoch);
    told.set_train_loss(MeanLoss(totals));
    told.set_train_accuracy(Accuracy(totals));
    const bool evaluates =
        epoch == spec_.epochs() ||
        (options_.every_epochs > 0 && epoch % options_.every_epochs == 0);
    if (evaluates) {
      if (status = EvaluateAll(told); !status.ok()) return status;
      *study_.add_epochs() = told;
    }
    if (options_.tell) options_.tell(told);
    return absl::OkStatus();
  }

  absl::Status EvaluateAll(MovingAverageStudy::Epoch& epoch) {
    const auto estimated = estimator_->Estimate(
        *program_, train_.InOrder(nullptr), data_.train.count);
    if (!estimated.ok()) return estimated.status();
    for (const Averager& averager : averagers_) {
      MovingAverageStudy::Average& average = *epoch.add_averages();
      average.set_rule(averager.rule);
      average.set_momentum(averager.momentum < 0 ? statistics_[0].momentum
                                                 : averager.momentum);
      average.set_storage(Name(averager.storage));
      absl::Status status = Evaluate(averager.values, *estimated, average);
      if (!status.ok()) return status;
    }
    MovingAverageStudy::Average& average = *epoch.add_averages();
    average.set_rule("estimated");
    average.set_storage("F64");
    return Evaluate(*estimated, *estimated, average);
  }

  absl::Status Evaluate(const StatisticValues& values,
                        const StatisticValues& estimated,
                        MovingAverageStudy::Average& average) {
    const absl::Status status = WriteStatistics(values, statistics_, *program_);
    if (!status.ok()) return status;
    const auto totals = EvaluateExamples(
        test_, data_.test.count, spec_.batch_size(),
        /*probabilities=*/nullptr, /*stop=*/nullptr, *program_);
    if (!totals.ok()) return totals.status();
    average.set_test_accuracy(Accuracy(**totals));
    average.set_test_loss(MeanLoss(**totals));
    SetRatios(values, estimated, average);
    return absl::OkStatus();
  }

  void SetRatios(const StatisticValues& values,
                 const StatisticValues& estimated,
                 MovingAverageStudy::Average& average) const {
    std::vector<double> ratios;
    for (size_t s = 0; s < statistics_.size(); ++s) {
      if (!statistics_[s].is_variance) continue;
      for (size_t c = 0; c < values[s].size(); ++c) {
        if (estimated[s][c] == 0) continue;
        ratios.push_back(double{values[s][c]} / double{estimated[s][c]});
      }
    }
    if (ratios.empty()) return;
    std::sort(ratios.begin(), ratios.end());
    const auto quantile = [&](double q) {
      return ratios[static_cast<size_t>(
          q * static_cast<double>(ratios.size() - 1))];
    };
    average.set_ratio_10(quantile(0.1));
    average.set_ratio_50(quantile(0.5));
    average.set_ratio_90(quantile(0.9));
  }

  const RunSpec& spec_;
  const Dataset& data_;
  Backend& backend_;
  const MovingAverageStudyOptions& options_;

  Graph graph_;
  std::vector<MovingStatistic> statistics_;
  StatisticValues zeros_;  // of all of them
  std::unique_ptr<Program> program_;
  std::optional<StatisticsEstimator> estimator_;
  DeviceSplit train_, test_;
  std::unique_ptr<DeviceBuffer> order_;
  std::vector<Averager> averagers_;
  int64_t step_ = 0;
  MovingAverageStudy study_;
};

}  // namespace

absl::StatusOr<MovingAverageStudy> StudyMovingAverages(
    const RunSpec& spec, const Dataset& data, Backend& backend,
    const MovingAverageStudyOptions& options) {
  if (absl::Status status = CheckSpec(spec); !status.ok()) return status;
  return Study(spec, data, backend, options).Run();
}

}  // namespace repro16
