#include "experiments/recorded/recorded_pairs.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "engine/numerics/policy.h"
#include "experiments/common/cifar10.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

size_t NetworkRank(const RunSpec& spec) {
  const absl::Span<const Network> networks = Table2Networks();
  return std::find_if(networks.begin(), networks.end(),
                      [&](const Network& network) {
                        return network.model == spec.model();
                      }) -
         networks.begin();
}

size_t PolicyRank(const RunSpec& spec) {
  const absl::Span<const PrecisionPolicy> all = AllPolicies();
  return std::find_if(all.begin(), all.end(),
                      [&](const PrecisionPolicy& policy) {
                        return policy.name == spec.policy();
                      }) -
         all.begin();
}

// What the runs of a pair share.
std::string WithoutPolicy(RunSpec spec) {
  spec.clear_policy();
  return spec.SerializeAsString();
}

}  // namespace

bool Before(const RecordedRun& a, const RecordedRun& b) {
  const auto key = [](const RecordedRun& run) {
    const RunSpec& spec = run.result().spec();
    return std::tuple(NetworkRank(spec), spec.model(), PolicyRank(spec),
                      spec.seed(), spec.SerializeAsString());
  };
  return key(a) < key(b);
}

const RecordedRun* FindBase(const RecordedRun& run,
                            absl::Span<const RecordedRun> runs) {
  const RunSpec& spec = run.result().spec();
  if (spec.policy() == kBase) return nullptr;
  for (const RecordedRun& base : runs) {
    if (base.result().spec().policy() == kBase &&
        base.result().numerics_version() == run.result().numerics_version() &&
        WithoutPolicy(base.result().spec()) == WithoutPolicy(spec)) {
      return &base;
    }
  }
  return nullptr;
}

const ReferenceCurve* FindCurve(const RecordedRun& run,
                                absl::Span<const ReferenceCurve> curves) {
  RunSpec spec = run.result().spec();
  spec.clear_backend();
  for (const ReferenceCurve& curve : curves) {
    if (curve.spec().SerializeAsString() == spec.SerializeAsString()) {
      return &curve;
    }
  }
  return nullptr;
}

const PaperValue* FindAccuracy(const RunSpec& spec, const Golden& table2) {
  if (!spec.optimizer().has_sgd()) return nullptr;
  return FindPaperValue(
      table2, absl::StrCat(spec.model(), "/",
                           spec.policy() == "FP16_BN32" ? std::string("FP16")
                                                        : spec.policy()));
}

double TestPercent(const EpochResult& epoch) {
  return 100 * epoch.test_accuracy();
}

const EpochResult& LastEpoch(const RecordedRun& run) {
  return *run.result().epochs().rbegin();
}

bool Ended(const RecordedRun& run) {
  return run.result().epochs_size() == run.result().spec().epochs();
}

}  // namespace repro16
