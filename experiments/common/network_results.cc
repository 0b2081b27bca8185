#include "experiments/common/network_results.h"

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "analysis/statistics.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

// Full width, and as many epochs.
bool TrainedAsThePaper(const Training& training) {
  return training.full_width() && training.epochs() >= kPaperEpochs;
}

// Our FP32 beside the published one.
struct Baseline {
  double mean;  // percent
  const PaperValue* paper;

  bool Reached() const { return Reaches(mean, *paper); }
};

// None where the network has no run in FP32, or no published accuracy.
std::optional<Baseline> BaselineOf(const NetworkResults& network,
                                   const Golden& published) {
  const PaperValue* paper =
      FindPaperValue(published, absl::StrCat(network.network().model, "/FP32"));
  const std::vector<double> fp32 = network.Accuracies("FP32");
  if (paper == nullptr || fp32.empty()) return std::nullopt;
  return Baseline{SampleOf(fp32).mean, paper};
}

double Percent(const TrainedRun& run, Split split, std::optional<int> epoch) {
  if (split == kFinal) return FinalTestAccuracy(run.result);
  const auto& epochs = run.result.epochs();
  return 100 * (epochs[epoch.value_or(epochs.size() - 1)].*split)();
}

}  // namespace

int NetworkResults::epochs() const {
  return runs_ == nullptr ? 0 : runs_->runs().front().result.epochs_size();
}

std::string_view NetworkResults::PolicyOf(std::string_view precision) const {
  return precision == "FP16_BN32" && !network_.has_batch_norm ? "FP16"
                                                              : precision;
}

std::vector<const TrainedRun*> NetworkResults::OfPrecision(
    std::string_view precision) const {
  if (runs_ == nullptr) return {};
  return runs_->OfPolicy(PolicyOf(precision));
}

std::vector<double> NetworkResults::Accuracies(std::string_view precision,
                                               Split split,
                                               std::optional<int> epoch) const {
  std::vector<double> values;
  for (const TrainedRun* run : OfPrecision(precision)) {
    values.push_back(Percent(*run, split, epoch));
  }
  return values;
}

std::vector<double> NetworkResults::Differences(
    std::string_view a, std::string_view b, Split split,
    std::optional<int> epoch) const {
  std::vector<double> values;
  if (runs_ == nullptr) return values;
  for (const RunSet::Pair& pair : runs_->Pairs(PolicyOf(a), PolicyOf(b))) {
    values.push_back(Percent(*pair.a, split, epoch) -
                     Percent(*pair.b, split, epoch));
  }
  return values;
}

std::vector<NetworkResults> ResultsOf(absl::Span<const RunSet> sets) {
  std::vector<NetworkResults> results;
  for (const RunSet& set : sets) {
    results.emplace_back(NetworkOf(set.spec().model()), &set);
  }
  return results;
}

absl::StatusOr<std::vector<NetworkResults>> Table2Results(
    absl::Span<const RunSet> sets) {
  std::vector<NetworkResults> results;
  for (const Network& network : Table2Networks()) {
    results.emplace_back(network, nullptr);
  }
  for (const RunSet& set : sets) {
    const std::string& model = set.spec().model();
    const auto row = std::find_if(
        results.begin(), results.end(),
        [&](const NetworkResults& r) { return r.network().model == model; });
    if (row == results.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--results: table 2 has no network ", model, "; leave its runs out"));
    }
    if (row->runs() != nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("--results: the runs of ", model,
                       " are of two specifications; give those of one, but for "
                       "policy and seed"));
    }
    *row = NetworkResults(row->network(), &set);
  }
  return results;
}

Training TrainingOf(absl::Span<const NetworkResults> networks) {
  Training least;
  least.set_epochs(std::numeric_limits<int>::max());
  least.set_seeds(std::numeric_limits<int>::max());
  least.set_train_accuracy(100);
  least.set_test_accuracy(100);
  least.set_full_width(true);
  bool any = false;
  for (const NetworkResults& network : networks) {
    if (network.runs() == nullptr) continue;
    any = true;
    const std::string precision = network.OfPrecision("FP32").empty()
                                      ? network.runs()->Policies().front()
                                      : "FP32";
    const std::vector<double> accuracies =
        network.Accuracies(precision, kTraining);
    least.set_epochs(std::min(least.epochs(), network.epochs()));
    least.set_train_accuracy(
        std::min(least.train_accuracy(), SampleOf(accuracies).mean));
    least.set_test_accuracy(std::min(
        least.test_accuracy(), SampleOf(network.Accuracies(precision)).mean));
    least.set_seeds(
        std::min(least.seeds(), static_cast<int>(accuracies.size())));
    const double width = network.runs()->spec().model_options().width();
    least.set_full_width(least.full_width() && (width == 0 || width == 1));
  }
  return any ? least : Training();
}

bool Reaches(double percent, const PaperValue& published) {
  constexpr double kDeviations = 3;
  return percent >= published.value() - kDeviations * published.sd();
}

std::string MissedBaseline(absl::Span<const NetworkResults> networks,
                           const Golden& published) {
  std::vector<std::string> missed;
  for (const NetworkResults& network : networks) {
    const std::optional<Baseline> baseline = BaselineOf(network, published);
    if (!baseline || baseline->Reached()) continue;
    missed.push_back(absl::StrFormat("%s %.1f, published %.1f",
                                     network.network().name, baseline->mean,
                                     baseline->paper->value()));
  }
  if (missed.empty()) return "";
  constexpr size_t kNamed = 3;
  const size_t count = missed.size();
  if (count > kNamed) missed.resize(kNamed);
  return absl::StrCat(
      "our FP32 is not the paper's, whose accuracy it misses (",
      absl::StrJoin(missed, "; "),
      count > kNamed ? absl::StrCat("; ", count - kNamed, " more") : "", ")");
}

void SetTraining(absl::Span<const NetworkResults> networks,
                 const Golden& published, Measurement* measured) {
  measured->training = TrainingOf(networks);
  if (!TrainedAsThePaper(measured->training)) return;
  measured->baseline = MissedBaseline(networks, published);
  for (size_t k = 0; k < networks.size(); ++k) {
    const std::optional<Baseline> baseline = BaselineOf(networks[k], published);
    if (baseline && baseline->Reached()) measured->reached.push_back(k);
  }
}

void AddBaseline(absl::Span<const NetworkResults> networks,
                 const Golden& published, report::Report* report) {
  const std::string missed = MissedBaseline(networks, published);
  if (missed.empty()) return;
  report->add_summary(absl::StrCat(
      "First: ", missed,
      TrainedAsThePaper(TrainingOf(networks))
          ? ". A difference between precisions is held against the paper only "
            "where the networks that reach its accuracy differ as well."
          : ", as was to be expected of smaller networks that learn fewer "
            "images: verdicts here are on such networks."));
}

}  // namespace repro16
