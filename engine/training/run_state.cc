#include "engine/training/run_state.h"

#include "engine/training/diagnosis.h"

namespace repro16 {
namespace {

void AddCounts(const RoundingTotals& totals, RoundingCounts& counts) {
  const auto add = [&](RoundingTotals::Kind kind, StoreCounts& to) {
    AddStores(totals.counters[kind], totals.stored[kind], to);
  };
  add(RoundingTotals::kActivations, *counts.mutable_activations());
  add(RoundingTotals::kActivationGradients,
      *counts.mutable_activation_gradients());
  add(RoundingTotals::kWeightGradients, *counts.mutable_weight_gradients());
  add(RoundingTotals::kParameters, *counts.mutable_parameters());
}

void AddLossScale(float loss_scale, int64_t step, RunResult& result) {
  const int changes = result.loss_scale_history_size();
  if (changes > 0 &&
      result.loss_scale_history(changes - 1).loss_scale() == loss_scale) {
    return;
  }
  LossScaleChange& change = *result.add_loss_scale_history();
  change.set_step(step);
  change.set_loss_scale(loss_scale);
}

}  // namespace

void AddBatch(const BatchRecord& batch, PassTotals& totals) {
  totals.set_examples(totals.examples() + batch.examples);
  totals.set_correct(totals.correct() + batch.correct);
  totals.set_loss(totals.loss() + static_cast<double>(batch.loss) *
                                      static_cast<double>(batch.examples));
}

double MeanLoss(const PassTotals& totals) {
  return totals.examples() > 0
             ? totals.loss() / static_cast<double>(totals.examples())
             : 0;
}

double Accuracy(const PassTotals& totals) {
  return totals.examples() > 0 ? static_cast<double>(totals.correct()) /
                                     static_cast<double>(totals.examples())
                               : 0;
}

void AddStep(const BatchRecord& step, bool dynamic_loss_scale,
             RunState& state) {
  RunResult& result = *state.mutable_result();
  EpochResult& epoch = *result.mutable_epochs(result.epochs_size() - 1);
  const int64_t index = result.steps_size();
  AddBatch(step, *state.mutable_epoch_totals());
  AddCounts(step.rounding, *epoch.mutable_rounding());

  StepResult& recorded = *result.add_steps();
  recorded.set_loss(step.loss);
  recorded.set_skipped(step.skipped);
  for (const StoreCounter& counter : step.rounding.counters) {
    recorded.set_non_finite(recorded.non_finite() + counter.infinite +
                            counter.nan);
    recorded.set_underflow(recorded.underflow() + counter.underflow);
  }
  if (!step.first_non_finite.empty() && !result.has_first_non_finite()) {
    result.mutable_first_non_finite()->set_step(index);
    result.mutable_first_non_finite()->set_tensor(step.first_non_finite);
  }
  if (dynamic_loss_scale) AddLossScale(step.loss_scale, index, result);
  if (!step.tensors.empty()) {
    Diagnose(step, epoch.epoch(), *state.mutable_diagnosis());
  }
}

}  // namespace repro16
