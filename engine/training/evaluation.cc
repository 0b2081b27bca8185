#include "engine/training/evaluation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/tensor/dtype.h"
#include "engine/training/run_state.h"

namespace repro16 {

bool EstimatesStatistics(const RunSpec& spec, const Graph& graph) {
  return spec.evaluation().estimated_epochs() > 0 &&
         !MovingStatisticsOf(graph).empty();
}

absl::StatusOr<Evaluation> Evaluation::Create(
    const RunSpec& spec, const Graph& graph, const PrecisionPolicy& policy,
    const CompileOptions& options, const std::array<double, 256>& input_table,
    const Dataset& data, Backend& backend, Program& program) {
  Evaluation evaluation(spec, data, backend, program);
  auto test = UploadSplit(data.test, backend);
  if (!test.ok()) return test.status();
  evaluation.test_ = *std::move(test);
  auto probabilities =
      backend.Allocate(data.test.count * data.classes *
                       static_cast<int64_t>(SizeOf(policy.activation)));
  if (!probabilities.ok()) return probabilities.status();
  evaluation.probabilities_ = *std::move(probabilities);
  if (EstimatesStatistics(spec, graph)) {
    auto estimator = StatisticsEstimator::Create(graph, policy, options,
                                                 input_table, backend);
    if (!estimator.ok()) return estimator.status();
    evaluation.estimator_.emplace(*std::move(estimator));
  }
  return evaluation;
}

absl::StatusOr<bool> Evaluation::AfterEpoch(const BatchSource& train,
                                            const std::function<bool()>& stop,
                                            EpochResult& result) {
  const EvaluationSpec& spec = spec_->evaluation();
  const bool last = result.epoch() == spec_->epochs();
  const bool estimated =
      result.epoch() > spec_->epochs() - spec.estimated_epochs();
  int64_t examples = data_->test.count;
  if (!last && spec.early_test_examples() > 0) {
    examples = std::min(examples, spec.early_test_examples());
  }
  const auto own = Evaluate(examples, stop);
  if (!own.ok()) return own.status();
  if (!own->has_value()) return false;
  result.set_test_accuracy(Accuracy(**own));
  result.set_test_loss(MeanLoss(**own));
  if (!estimated) return true;
  // Without statistics there is nothing to estimate.
  PassTotals totals = **own;
  if (estimator_.has_value() || examples < data_->test.count) {
    const auto other = EvaluateWithEstimates(train, stop);
    if (!other.ok()) return other.status();
    if (!other->has_value()) return false;
    totals = **other;
  }
  result.set_estimated_test_accuracy(Accuracy(totals));
  result.set_estimated_test_loss(MeanLoss(totals));
  return true;
}

absl::StatusOr<std::optional<PassTotals>> EvaluateExamples(
    const DeviceSplit& split, int64_t examples, int64_t batch_size,
    DeviceBuffer* probabilities, const std::function<bool()>& stop,
    Program& program) {
  const BatchSource source = split.InOrder(nullptr);
  bool stopped = false;
  for (int64_t first = 0; first < examples && !stopped; first += batch_size) {
    const absl::Status status = program.EvaluateBatch(
        source, first, std::min(batch_size, examples - first), probabilities);
    if (!status.ok()) return status;
    stopped = stop && stop();
  }
  const auto records = program.TakeRecords();
  if (!records.ok()) return records.status();
  if (stopped) return std::nullopt;
  PassTotals totals;
  for (const BatchRecord& record : *records) AddBatch(record, totals);
  return totals;
}

absl::StatusOr<std::optional<PassTotals>> Evaluation::Evaluate(
    int64_t examples, const std::function<bool()>& stop) {
  return EvaluateExamples(test_, examples, spec_->batch_size(),
                          probabilities_.get(), stop, *program_);
}

absl::StatusOr<std::optional<PassTotals>> Evaluation::EvaluateWithEstimates(
    const BatchSource& train, const std::function<bool()>& stop) {
  if (!estimator_.has_value()) return Evaluate(data_->test.count, stop);
  StatisticValues moving;
  for (const MovingStatistic& statistic : estimator_->statistics()) {
    auto values = ReadStatistic(*program_, statistic);
    if (!values.ok()) return values.status();
    moving.push_back(*std::move(values));
  }
  const auto estimated = estimator_->Estimate(
      *program_, train, spec_->evaluation().estimation_examples());
  if (!estimated.ok()) return estimated.status();
  absl::Status status =
      WriteStatistics(*estimated, estimator_->statistics(), *program_);
  if (!status.ok()) return status;
  auto pass = Evaluate(data_->test.count, stop);
  status = WriteStatistics(moving, estimator_->statistics(), *program_);
  if (!status.ok()) return status;
  return pass;
}

absl::StatusOr<std::string> Evaluation::Probabilities() const {
  std::string bytes(static_cast<size_t>(probabilities_->bytes()), '\0');
  const absl::Status status = backend_->Download(
      *probabilities_,
      {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  if (!status.ok()) return status;
  return bytes;
}

}  // namespace repro16
