#include "experiments/table3/diagnoses.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "engine/io/proto_file.h"

namespace repro16 {
namespace {

// Nothing where the parameter has no second moment.
std::optional<SecondMoments> SecondMomentsOf(
    const ParameterDiagnosis& parameter, int64_t steps) {
  for (const SlotDiagnosis& slot : parameter.slots()) {
    if (slot.slot() != "second_moment") continue;
    SecondMoments moments;
    moments.finite = parameter.elements() * steps - slot.non_finite();
    moments.zero = slot.zero();
    if (slot.has_zero_while_first_moment_is_not()) {
      moments.lost = slot.zero_while_first_moment_is_not();
    }
    return moments;
  }
  return std::nullopt;
}

void Add(const std::optional<SecondMoments>& from,
         std::optional<SecondMoments>& to) {
  if (!from) return;
  if (!to) to.emplace();
  to->Add(*from);
}

// Adds an epoch to what is known of the epochs before it.
void Add(const ParameterDiagnosis& epoch, int64_t steps, WatchedParameter& to) {
  Add(SecondMomentsOf(epoch, steps), to.second_moments);
  if (epoch.largest_update() > to.largest_update.size) {
    to.largest_update = {epoch.largest_update(), epoch.largest_update_step(),
                         to.name};
  }
  if (epoch.has_first_non_finite_step() && !to.first_non_finite_step) {
    to.first_non_finite_step = epoch.first_non_finite_step();
  }
}

}  // namespace

void SecondMoments::Add(const SecondMoments& other) {
  finite += other.finite;
  zero += other.zero;
  if (other.lost) lost = lost.value_or(0) + *other.lost;
}

bool WatchedParameter::IsKernel() const {
  return absl::EndsWith(name, "/kernel");
}

std::optional<SecondMoments> WatchedRun::AllSecondMoments() const {
  std::optional<SecondMoments> all;
  for (const WatchedParameter& parameter : parameters) {
    Add(parameter.second_moments, all);
  }
  return all;
}

LargestUpdate WatchedRun::Largest() const {
  LargestUpdate largest;
  for (const WatchedParameter& parameter : parameters) {
    if (parameter.largest_update.size > largest.size) {
      largest = parameter.largest_update;
    }
  }
  return largest;
}

std::optional<FirstLoss> WatchedRun::FirstLost() const {
  std::optional<FirstLoss> first;
  for (const WatchedParameter& parameter : parameters) {
    const std::optional<int64_t> step = parameter.first_non_finite_step;
    if (step && (!first || *step < first->step)) {
      first = FirstLoss{*step, parameter.name};
    }
  }
  return first;
}

LargestUpdate LargestUpdateOf(absl::Span<const WatchedRun* const> watched) {
  LargestUpdate largest;
  for (const WatchedRun* run : watched) {
    const LargestUpdate other = run->Largest();
    if (other.size > largest.size) largest = other;
  }
  return largest;
}

WatchedRun Watch(const Diagnosis& diagnosis) {
  WatchedRun run;
  for (const EpochDiagnosis& epoch : diagnosis.epochs()) {
    for (int i = 0; i < epoch.parameters_size(); ++i) {
      if (i == static_cast<int>(run.parameters.size())) {
        run.parameters.emplace_back().name = epoch.parameters(i).parameter();
      }
      Add(epoch.parameters(i), epoch.steps(), run.parameters[i]);
    }
  }
  return run;
}

absl::StatusOr<Diagnoses> Diagnoses::Load(absl::Span<const RunSet> sets) {
  Diagnoses diagnoses;
  for (const RunSet& set : sets) {
    for (const TrainedRun& run : set.runs()) {
      if (run.diagnosis_path.empty()) continue;
      Diagnosis diagnosis;
      if (absl::Status status = ReadTextProto(run.diagnosis_path, &diagnosis);
          !status.ok()) {
        return status;
      }
      diagnoses.watched_[&run] = Watch(diagnosis);
    }
  }
  return diagnoses;
}

const WatchedRun* Diagnoses::Of(const TrainedRun& run) const {
  const auto found = watched_.find(&run);
  return found == watched_.end() ? nullptr : &found->second;
}

std::vector<const WatchedRun*> Diagnoses::OfPolicy(
    const RunSet& runs, std::string_view policy) const {
  std::vector<const WatchedRun*> found;
  for (const TrainedRun* run : runs.OfPolicy(policy)) {
    if (const WatchedRun* watched = Of(*run)) found.push_back(watched);
  }
  return found;
}

}  // namespace repro16
