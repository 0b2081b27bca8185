#include "experiments/common/runs.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/backend_names.h"
#include "engine/io/proto_file.h"
#include "engine/io/safetensors.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/version.h"
#include "google/protobuf/util/message_differencer.h"

namespace repro16 {
namespace {

// Place among AllPolicies(), a control's after all of them; none for an unknown
// name.
std::optional<size_t> PolicyRank(const TrainedRun& run) {
  const absl::Span<const PrecisionPolicy> all = AllPolicies();
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].name != run.result.spec().policy()) continue;
    return run.result.spec().flip_last_bit() ? all.size() + i : i;
  }
  return std::nullopt;
}

std::string Describe(const TrainedRun& run) {
  return absl::StrCat("the run ", run.policy(), " seed ", run.seed());
}

// Everything that a single run can have wrong.
absl::Status CheckRun(const TrainedRun& run, std::string_view scale) {
  if (!PolicyRank(run)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Describe(run),
                     " has a policy that engine/numerics/policy.h does not "
                     "name; train it again with this version"));
  }
  if (run.result.spec().scale() != scale) {
    return absl::InvalidArgumentError(
        absl::StrCat(Describe(run), " is of scale \"",
                     run.result.spec().scale(), "\", not \"", scale,
                     "\"; give runs of one scale, and name it in --scale"));
  }
  const std::string& backend = run.result.spec().backend();
  if (!backend.empty() && !IsBackendName(backend)) {  // empty: the default
    return absl::InvalidArgumentError(
        absl::StrCat(Describe(run), " is of the backend \"", backend,
                     "\", which gives no results; train it on \"",
                     absl::StrJoin(kBackendNames, "\" or \""), "\""));
  }
  if (run.result.epochs().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Describe(run), " has no epoch; train at least one"));
  }
  return absl::OkStatus();
}

bool Same(const google::protobuf::Message& a,
          const google::protobuf::Message& b) {
  return google::protobuf::util::MessageDifferencer::Equals(a, b);
}

// What two neighbours of the sorted runs must share.
absl::Status CheckTogether(const TrainedRun& a, const TrainedRun& b) {
  const std::string both = absl::StrCat(Describe(a), " and ", Describe(b));
  if (a.policy() == b.policy() && a.seed() == b.seed()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Describe(a), " is given twice; give each seed once"));
  }
  const RunSpec& sa = a.result.spec();
  const RunSpec& sb = b.result.spec();
  const std::pair<const char*, bool> fields[] = {
      {"model", sa.model() == sb.model()},
      {"backend", sa.backend() == sb.backend()},
      {"epochs", sa.epochs() == sb.epochs()},
      {"batch_size", sa.batch_size() == sb.batch_size()},
      {"optimizer", Same(sa.optimizer(), sb.optimizer())},
      {"data", Same(sa.data(), sb.data())},
      {"model_options", Same(sa.model_options(), sb.model_options())},
      {"evaluation", Same(sa.evaluation(), sb.evaluation())},
  };
  for (const auto& [field, same] : fields) {
    if (same) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(both, " are of specifications with another ", field,
                     "; train both by one, but for policy and seed"));
  }
  if (a.result.data_digest() != b.result.data_digest()) {
    return absl::InvalidArgumentError(absl::StrCat(
        both, " read different data; train both on the same data set"));
  }
  if (a.result.numerics_version() != b.result.numerics_version()) {
    return absl::InvalidArgumentError(
        absl::StrCat(both,
                     " are of different numerics versions; train both "
                     "with this version"));
  }
  if (a.result.epochs_size() != b.result.epochs_size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        both, " have ", a.result.epochs_size(), " and ", b.result.epochs_size(),
        " epochs; train both for the same number"));
  }
  return absl::OkStatus();
}

// What two sets of one experiment must share.
absl::Status CheckTogether(const RunSet& a, const RunSet& b) {
  const RunResult& ra = a.runs().front().result;
  const RunResult& rb = b.runs().front().result;
  const std::string both = absl::StrCat("the runs of ", ra.spec().model(),
                                        " and ", rb.spec().model());
  if (ra.numerics_version() != rb.numerics_version()) {
    return absl::InvalidArgumentError(absl::StrCat(
        both, " are of numerics versions ", ra.numerics_version(), " and ",
        rb.numerics_version(), "; train both with this version"));
  }
  if (Same(ra.spec().data(), rb.spec().data()) &&
      ra.data_digest() != rb.data_digest()) {
    return absl::InvalidArgumentError(absl::StrCat(
        both, " read different data under one name; train both on the same"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TrainedRun>> ReadRuns(const RunFiles& files) {
  const size_t n = files.results.size();
  if (n != files.probabilities.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--results names ", n, " files and --probabilities ",
        files.probabilities.size(), "; give one of each for every run"));
  }
  if (!files.diagnoses.empty() && n != files.diagnoses.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--results names ", n, " files and --diagnoses ",
        files.diagnoses.size(), "; give one of each for every run, or none"));
  }
  std::vector<TrainedRun> runs(n);
  for (size_t i = 0; i < n; ++i) {
    if (absl::Status status =
            ReadBinaryProto(files.results[i], &runs[i].result);
        !status.ok()) {
      return status;
    }
    if (runs[i].result.numerics_version() != kNumericsVersion) {
      return absl::InvalidArgumentError(
          absl::StrCat(files.results[i], ": of numerics version ",
                       runs[i].result.numerics_version(), ", this engine has ",
                       kNumericsVersion, "; train the run again"));
    }
    runs[i].probabilities_path = files.probabilities[i];
    if (!files.diagnoses.empty()) runs[i].diagnosis_path = files.diagnoses[i];
  }
  return runs;
}

}  // namespace

std::string TrainedRun::policy() const {
  const RunSpec& spec = result.spec();
  return absl::StrCat(spec.policy(), spec.flip_last_bit() ? "_CONTROL" : "");
}

absl::StatusOr<RunSet> RunSet::Load(const RunFiles& files,
                                    std::string_view scale) {
  absl::StatusOr<std::vector<TrainedRun>> runs = ReadRuns(files);
  if (!runs.ok()) return runs.status();
  return Create(*std::move(runs), scale);
}

absl::StatusOr<std::vector<RunSet>> RunSet::LoadSets(const RunFiles& files,
                                                     std::string_view scale) {
  absl::StatusOr<std::vector<TrainedRun>> runs = ReadRuns(files);
  if (!runs.ok()) return runs.status();
  return CreateSets(*std::move(runs), scale);
}

absl::StatusOr<std::vector<RunSet>> RunSet::CreateSets(
    std::vector<TrainedRun> runs, std::string_view scale) {
  std::vector<std::vector<TrainedRun>> groups;
  std::map<std::string, size_t> group_of;
  for (TrainedRun& run : runs) {
    RunSpec spec = run.result.spec();
    spec.clear_policy();
    spec.clear_flip_last_bit();
    spec.clear_seed();
    const auto [found, is_new] =
        group_of.emplace(spec.SerializeAsString(), groups.size());
    if (is_new) groups.emplace_back();
    groups[found->second].push_back(std::move(run));
  }
  std::vector<RunSet> sets;
  for (std::vector<TrainedRun>& group : groups) {
    absl::StatusOr<RunSet> set = Create(std::move(group), scale);
    if (!set.ok()) return set.status();
    for (const RunSet& other : sets) {
      absl::Status status = CheckTogether(other, *set);
      if (!status.ok()) return status;
    }
    sets.push_back(*std::move(set));
  }
  return sets;
}

absl::StatusOr<RunSet> RunSet::Create(std::vector<TrainedRun> runs,
                                      std::string_view scale) {
  if (runs.empty()) {
    return absl::InvalidArgumentError(
        "--results names no run; give the result.pb of at least one");
  }
  for (const TrainedRun& run : runs) {
    if (absl::Status status = CheckRun(run, scale); !status.ok()) return status;
  }
  std::sort(runs.begin(), runs.end(),
            [](const TrainedRun& a, const TrainedRun& b) {
              return std::pair(PolicyRank(a), a.seed()) <
                     std::pair(PolicyRank(b), b.seed());
            });
  for (size_t i = 1; i < runs.size(); ++i) {
    if (absl::Status status = CheckTogether(runs[i - 1], runs[i]);
        !status.ok()) {
      return status;
    }
  }
  RunSet set;
  set.scale_ = std::string(scale);
  set.runs_ = std::move(runs);
  return set;
}

std::vector<std::string> RunSet::Policies() const {
  std::vector<std::string> policies;
  for (const TrainedRun& run : runs_) {
    if (policies.empty() || policies.back() != run.policy()) {
      policies.push_back(run.policy());
    }
  }
  return policies;
}

std::vector<const TrainedRun*> RunSet::OfPolicy(std::string_view policy) const {
  std::vector<const TrainedRun*> found;
  for (const TrainedRun& run : runs_) {
    if (run.policy() == policy) found.push_back(&run);
  }
  return found;
}

std::vector<RunSet::Pair> RunSet::Pairs(std::string_view policy_a,
                                        std::string_view policy_b) const {
  std::vector<Pair> pairs;
  for (const TrainedRun* a : OfPolicy(policy_a)) {
    for (const TrainedRun* b : OfPolicy(policy_b)) {
      if (a->seed() == b->seed()) pairs.push_back({a, b});
    }
  }
  return pairs;
}

bool RunSet::Judged() const {
  return scale_ != "smoke" && !runs_.front().result.made_up_data();
}

bool Judged(absl::Span<const RunSet> sets) {
  return !sets.empty() &&
         std::all_of(sets.begin(), sets.end(),
                     [](const RunSet& set) { return set.Judged(); });
}

absl::StatusOr<Probabilities> LoadProbabilities(const TrainedRun& run) {
  const std::string& path = run.probabilities_path;
  absl::StatusOr<Safetensors> file = ReadSafetensors(path);
  if (!file.ok()) return file.status();
  const SafetensorsTensor* values = file->Find("probabilities");
  const SafetensorsTensor* labels = file->Find("labels");
  if (values == nullptr || labels == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": no tensor \"", values == nullptr ? "probabilities" : "labels",
        "\"; give the file that //programs:train wrote to "
        "--probabilities_out"));
  }
  if (values->shape.rank() != 2 || values->shape[1] < 2 ||
      labels->shape != Shape({values->shape[0]})) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": shapes ", values->shape.ToString(), " and ",
        labels->shape.ToString(),
        " are not [examples, classes] and [examples]; train the run again"));
  }
  Probabilities probabilities;
  probabilities.examples = values->shape[0];
  probabilities.classes = values->shape[1];
  probabilities.values = ToDoubles(*values);
  for (double label : ToDoubles(*labels)) {
    probabilities.labels.push_back(static_cast<int64_t>(label));
  }
  return probabilities;
}

absl::Status CheckSameExamples(const TrainedRun& a, const Probabilities& pa,
                               const TrainedRun& b, const Probabilities& pb) {
  if (pa.classes != pb.classes || pa.labels != pb.labels) {
    return absl::InvalidArgumentError(absl::StrCat(
        a.probabilities_path, " and ", b.probabilities_path,
        ": not of the same test examples; train both runs on the same data"));
  }
  return absl::OkStatus();
}

}  // namespace repro16
