#include "programs/moving_average_study.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
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
#include "engine/training/initialize.h"
#include "engine/training/run_state.h"
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

// So small that r(1 - momentum) is 1: a statistic that is 0 before a step is
// the batch's after it.
constexpr double kNoMomentum = 1e-12;

// One way of averaging, of every moving statistic of the network.
struct Averager {
  std::string rule;
  double momentum;  // negative: each layer's own
  DType storage;
  // By statistic, then by channel.
  std::vector<std::vector<float>> values;
  std::vector<std::vector<float>> lost;
};

// A moving statistic of the network.
struct Statistic {
  ParameterId id;
  bool is_variance;
  double momentum;  // its layer's
  size_t channels;
};

std::vector<Statistic> StatisticsOf(const Graph& graph) {
  std::vector<Statistic> statistics;
  for (const Op& op : graph.ops) {
    if (op.kind != OpKind::kBatchNorm) continue;
    for (const size_t i : {2, 3}) {
      const ParameterId id = op.parameters[i];
      statistics.push_back(
          {id, i == 3, std::get<BatchNormAttributes>(op.attributes).momentum,
           static_cast<size_t>(graph.parameters[id].shape.NumElements())});
    }
  }
  return statistics;
}

std::vector<uint8_t> ToF16(const std::vector<float>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(Binary16));
  for (size_t i = 0; i < values.size(); ++i) {
    StoreAsType(values[i], DType::kF16, bytes.data() + i * sizeof(Binary16));
  }
  return bytes;
}

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
    absl::Status status = BuildNetworks();
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

  // Twice: as it is, for each layer's momentum, and without momentum.
  absl::Status BuildNetworks() {
    ModelOptions network = AskedOptions(spec_, data_);
    const absl::StatusOr<Graph> own = BuildModel(spec_.model(), network);
    if (!own.ok()) return own.status();
    statistics_ = StatisticsOf(*own);
    if (statistics_.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "model: ", spec_.model(), " has no batch normalisation"));
    }
    network.batch_norm_momentum = kNoMomentum;
    absl::StatusOr<Graph> graph = BuildModel(spec_.model(), network);
    if (!graph.ok()) return graph.status();
    graph_ = *std::move(graph);
    return absl::OkStatus();
  }

  // The program that trains, and one of the same network that moves nothing but
  // its statistics.
  absl::Status Compile(const PrecisionPolicy& policy) {
    CompileOptions options;
    options.max_batch = spec_.batch_size();
    options.seed = spec_.seed();
    options.optimizer = spec_.optimizer();
    auto program = backend_.Compile(graph_, policy, options);
    if (!program.ok()) return program.status();
    program_ = *std::move(program);
    options.optimizer.emplace().mutable_sgd()->set_learning_rate(0);
    auto still = backend_.Compile(graph_, policy, options);
    if (!still.ok()) return still.status();
    still_ = *std::move(still);
    const auto table =
        NormalizationTable(spec_.data().normalization(), data_.train);
    if (!table.ok()) return table.status();
    const absl::Status status = program_->SetInputTable(*table);
    return status.ok() ? still_->SetInputTable(*table) : status;
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
      for (const Statistic& statistic : statistics_) {
        averager.values.emplace_back(statistic.channels,
                                     statistic.is_variance ? 1.0f : 0.0f);
        averager.lost.emplace_back(statistic.channels, 0.0f);
      }
    }
  }

  absl::Status Upload() {
    const auto upload = [&](const std::vector<uint8_t>& bytes,
                            std::unique_ptr<DeviceBuffer>& to) {
      auto buffer = backend_.Allocate(static_cast<int64_t>(bytes.size()));
      if (!buffer.ok()) return buffer.status();
      to = *std::move(buffer);
      return backend_.Upload(bytes, *to);
    };
    for (auto [split, device] :
         {std::pair{&data_.train, &train_}, std::pair{&data_.test, &test_}}) {
      absl::Status status = upload(split->images, device->images);
      if (status.ok()) status = upload(split->labels, device->labels);
      if (!status.ok()) return status;
    }
    auto order = backend_.Allocate(data_.train.count *
                                   static_cast<int64_t>(sizeof(uint32_t)));
    if (!order.ok()) return order.status();
    order_ = *std::move(order);
    return absl::OkStatus();
  }

  // Every moving statistic of `program` becomes 0.
  absl::Status ClearStatistics(Program& program) {
    for (const Statistic& statistic : statistics_) {
      const absl::Status status = program.WriteParameter(
          statistic.id, ToF16(std::vector<float>(statistic.channels)));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<float>> ReadStatistic(Program& program,
                                                   const Statistic& statistic) {
    const auto bytes = program.ReadParameter(statistic.id);
    if (!bytes.ok()) return bytes.status();
    std::vector<float> values(statistic.channels);
    for (size_t c = 0; c < values.size(); ++c) {
      Binary16 stored;
      std::memcpy(&stored, bytes->data() + c * sizeof(stored), sizeof(stored));
      values[c] = ToFloat(stored);
    }
    return values;
  }

  // One step, whose batch's statistics are left in `program`.
  absl::Status Step(Program& program, const BatchSource& source, int64_t first,
                    int64_t batch, int64_t step) {
    const absl::Status status = ClearStatistics(program);
    return status.ok() ? program.TrainStep(source, first, batch, step) : status;
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
    const BatchSource source{train_.images.get(), train_.labels.get(),
                             order_.get()};
    for (int64_t first = 0; first < data_.train.count;
         first += spec_.batch_size()) {
      const int64_t batch =
          std::min(spec_.batch_size(), data_.train.count - first);
      status = Step(*program_, source, first, batch, step_++);
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

  // The mean over all whole batches of training images, in their own order.
  absl::StatusOr<std::vector<std::vector<float>>> Estimate() {
    for (size_t p = 0; p < graph_.parameters.size(); ++p) {
      const auto id = static_cast<ParameterId>(p);
      const auto bytes = program_->ReadParameter(id);
      if (!bytes.ok()) return bytes.status();
      const absl::Status status = still_->WriteParameter(id, *bytes);
      if (!status.ok()) return status;
    }
    std::vector<std::vector<double>> sums;
    for (const Statistic& statistic : statistics_) {
      sums.emplace_back(statistic.channels, 0.0);
    }
    const BatchSource source{train_.images.get(), train_.labels.get()};
    const int64_t batches = data_.train.count / spec_.batch_size();
    for (int64_t b = 0; b < batches; ++b) {
      absl::Status status =
          Step(*still_, source, b * spec_.batch_size(), spec_.batch_size(), b);
      if (!status.ok()) return status;
      for (size_t s = 0; s < statistics_.size(); ++s) {
        const auto batch = ReadStatistic(*still_, statistics_[s]);
        if (!batch.ok()) return batch.status();
        for (size_t c = 0; c < batch->size(); ++c) sums[s][c] += (*batch)[c];
      }
    }
    const auto records = still_->TakeRecords();
    if (!records.ok()) return records.status();
    std::vector<std::vector<float>> means;
    for (const std::vector<double>& sum : sums) {
      means.emplace_back();
      for (const double value : sum) {
        means.back().push_back(
            static_cast<float>(value / static_cast<double>(batches)));
      }
    }
    return means;
  }

  absl::Status EvaluateAll(MovingAverageStudy::Epoch& epoch) {
    const auto estimated = Estimate();
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

  absl::Status Evaluate(const std::vector<std::vector<float>>& values,
                        const std::vector<std::vector<float>>& estimated,
                        MovingAverageStudy::Average& average) {
    for (size_t s = 0; s < statistics_.size(); ++s) {
      const absl::Status status =
          program_->WriteParameter(statistics_[s].id, ToF16(values[s]));
      if (!status.ok()) return status;
    }
    const BatchSource source{test_.images.get(), test_.labels.get()};
    for (int64_t first = 0; first < data_.test.count;
         first += spec_.batch_size()) {
      const absl::Status status = program_->EvaluateBatch(
          source, first, std::min(spec_.batch_size(), data_.test.count - first),
          nullptr);
      if (!status.ok()) return status;
    }
    const auto records = program_->TakeRecords();
    if (!records.ok()) return records.status();
    PassTotals totals;
    for (const BatchRecord& record : *records) AddBatch(record, totals);
    average.set_test_accuracy(Accuracy(totals));
    average.set_test_loss(MeanLoss(totals));
    SetRatios(values, estimated, average);
    return absl::OkStatus();
  }

  void SetRatios(const std::vector<std::vector<float>>& values,
                 const std::vector<std::vector<float>>& estimated,
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

  struct DeviceSplit {
    std::unique_ptr<DeviceBuffer> images;
    std::unique_ptr<DeviceBuffer> labels;
  };

  const RunSpec& spec_;
  const Dataset& data_;
  Backend& backend_;
  const MovingAverageStudyOptions& options_;

  Graph graph_;  // without momentum
  std::vector<Statistic> statistics_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<Program> still_;
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
