#include "engine/training/statistics_estimator.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>

#include "engine/io/safetensors.h"
#include "engine/numerics/round_to_type.h"
#include "engine/tensor/dtype.h"
#include "engine/tensor/shape.h"

namespace repro16 {
namespace {

// So small that 1 - momentum rounds to 1 in every type.
constexpr double kNoMomentum = 1e-12;

}  // namespace

std::vector<MovingStatistic> MovingStatisticsOf(const Graph& graph) {
  std::vector<MovingStatistic> statistics;
  for (const Op& op : graph.ops) {
    if (op.kind != OpKind::kBatchNorm) continue;
    const double momentum =
        std::get<BatchNormAttributes>(op.attributes).momentum;
    statistics.push_back({op.parameters[2], /*is_variance=*/false, momentum});
    statistics.push_back({op.parameters[3], /*is_variance=*/true, momentum});
  }
  return statistics;
}

absl::StatusOr<std::vector<float>> ReadStatistic(
    Program& program, const MovingStatistic& statistic) {
  const auto bytes = program.ReadParameter(statistic.id);
  if (!bytes.ok()) return bytes.status();
  const std::vector<double> values =
      ToDoubles({"", ToSafetensorsType(program.ParameterType(statistic.id)),
                 Shape(), std::string(bytes->begin(), bytes->end())});
  return std::vector<float>(values.begin(), values.end());
}

absl::Status WriteStatistics(const StatisticValues& values,
                             const std::vector<MovingStatistic>& statistics,
                             Program& program) {
  for (size_t s = 0; s < statistics.size(); ++s) {
    const DType type = program.ParameterType(statistics[s].id);
    std::vector<uint8_t> bytes(values[s].size() * SizeOf(type));
    for (size_t c = 0; c < values[s].size(); ++c) {
      StoreAsType(values[s][c], type, bytes.data() + c * SizeOf(type));
    }
    const absl::Status status = program.WriteParameter(statistics[s].id, bytes);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

Graph WithoutMomentum(Graph graph) {
  for (Op& op : graph.ops) {
    if (op.kind != OpKind::kBatchNorm) continue;
    std::get<BatchNormAttributes>(op.attributes).momentum = kNoMomentum;
  }
  return graph;
}

absl::StatusOr<StatisticsEstimator> StatisticsEstimator::Create(
    const Graph& graph, const PrecisionPolicy& policy, CompileOptions options,
    const std::array<double, 256>& input_table, Backend& backend) {
  options.optimizer.emplace().mutable_sgd()->set_learning_rate(0);
  options.record_tensors = false;
  auto program = backend.Compile(WithoutMomentum(graph), policy, options);
  if (!program.ok()) return program.status();
  StatisticsEstimator estimator;
  estimator.statistics_ = MovingStatisticsOf(graph);
  estimator.num_parameters_ = graph.parameters.size();
  estimator.batch_ = options.max_batch;
  estimator.program_ = *std::move(program);
  const absl::Status status = estimator.program_->SetInputTable(input_table);
  if (!status.ok()) return status;
  return estimator;
}

absl::StatusOr<StatisticValues> StatisticsEstimator::Estimate(
    Program& trained, const BatchSource& source, int64_t examples) {
  std::vector<std::vector<uint8_t>> parameters;
  for (size_t p = 0; p < num_parameters_; ++p) {
    auto bytes = trained.ReadParameter(static_cast<ParameterId>(p));
    if (!bytes.ok()) return bytes.status();
    parameters.push_back(*std::move(bytes));
  }
  for (const MovingStatistic& statistic : statistics_) {
    std::vector<uint8_t>& bytes = parameters[static_cast<size_t>(statistic.id)];
    std::fill(bytes.begin(), bytes.end(), uint8_t{0});
  }
  std::vector<std::vector<double>> sums(statistics_.size());
  const int64_t batches = std::max<int64_t>(examples / batch_, 1);
  for (int64_t b = 0; b < batches; ++b) {
    absl::Status status = ResetTo(parameters);
    if (status.ok()) {
      status = program_->TrainStep(source, b * batch_, batch_, b);
    }
    if (!status.ok()) return status;
    for (size_t s = 0; s < statistics_.size(); ++s) {
      const auto batch = ReadStatistic(*program_, statistics_[s]);
      if (!batch.ok()) return batch.status();
      sums[s].resize(batch->size());
      for (size_t c = 0; c < batch->size(); ++c) sums[s][c] += (*batch)[c];
    }
  }
  const auto records = program_->TakeRecords();
  if (!records.ok()) return records.status();
  StatisticValues means;
  for (const std::vector<double>& sum : sums) {
    means.emplace_back();
    for (const double value : sum) {
      means.back().push_back(
          static_cast<float>(value / static_cast<double>(batches)));
    }
  }
  return means;
}

// All of them, as an infinite gradient times a rate of 0 is no 0.
absl::Status StatisticsEstimator::ResetTo(
    const std::vector<std::vector<uint8_t>>& parameters) {
  for (size_t p = 0; p < parameters.size(); ++p) {
    const absl::Status status =
        program_->WriteParameter(static_cast<ParameterId>(p), parameters[p]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace repro16
