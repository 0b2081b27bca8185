#include "experiments/common/report_parts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "analysis/statistics.h"
#include "engine/numerics/policy.h"
#include "reports/format.h"

namespace repro16 {
namespace {

void Add(const StoreCounts& from, StoreCounts* to) {
  to->set_stored(to->stored() + from.stored());
  to->set_infinite(to->infinite() + from.infinite());
  to->set_nan(to->nan() + from.nan());
  to->set_underflow(to->underflow() + from.underflow());
}

void Add(const RoundingCounts& from, RoundingCounts* to) {
  Add(from.activations(), to->mutable_activations());
  Add(from.activation_gradients(), to->mutable_activation_gradients());
  Add(from.weight_gradients(), to->mutable_weight_gradients());
  Add(from.parameters(), to->mutable_parameters());
}

// Policies that have a run, in the order of their first one.
std::vector<std::string> PoliciesOf(absl::Span<const RunSet> sets) {
  std::vector<std::string> policies;
  for (const PrecisionPolicy& policy : AllPolicies()) {
    for (const RunSet& set : sets) {
      if (set.OfPolicy(policy.name).empty()) continue;
      policies.emplace_back(policy.name);
      break;
    }
  }
  return policies;
}

// "seed 3, step 118, dense_2/kernel", with the model before it where there are
// several.
std::string Describe(const TrainedRun& run, bool names_model) {
  const NonFinite& first = run.result.first_non_finite();
  return absl::StrCat(
      names_model ? absl::StrCat(run.result.spec().model(), " ") : "", "seed ",
      run.seed(), ", step ", first.step(), ", ", first.tensor());
}

void Add(const TrainedRun& run, bool names_model,
         report::PolicyCounts* counts) {
  counts->set_runs(counts->runs() + 1);
  for (const EpochResult& epoch : run.result.epochs()) {
    Add(epoch.rounding(), counts->mutable_counts());
  }
  for (const StepResult& step : run.result.steps()) {
    counts->set_skipped_steps(counts->skipped_steps() + step.skipped());
  }
  if (!run.result.has_first_non_finite()) return;
  counts->set_non_finite_runs(counts->non_finite_runs() + 1);
  if (counts->first_non_finite().empty()) {
    counts->set_first_non_finite(Describe(run, names_model));
  }
}

report::PolicyCounts CountsOf(absl::Span<const RunSet> sets,
                              const std::string& policy) {
  report::PolicyCounts counts;
  counts.set_policy(policy);
  for (const RunSet& set : sets) {
    for (const TrainedRun* run : set.OfPolicy(policy)) {
      Add(*run, sets.size() > 1, &counts);
    }
  }
  return counts;
}

report::Provenance ProvenanceOf(absl::Span<const RunSet> sets) {
  report::Provenance provenance;
  std::set<uint64_t> seeds;
  for (const RunSet& set : sets) {
    for (const TrainedRun& run : set.runs()) seeds.insert(run.seed());
  }
  for (const std::string& policy : PoliciesOf(sets)) {
    provenance.add_policies(policy);
  }
  for (uint64_t seed : seeds) provenance.add_seeds(seed);
  std::vector<std::string> digests;
  for (const RunSet& set : sets) {
    const RunResult& first = set.runs().front().result;
    if (!absl::c_linear_search(digests, first.data_digest())) {
      digests.push_back(first.data_digest());
    }
    provenance.set_data(first.spec().data().dataset());
    provenance.set_made_up_data(first.made_up_data());
    provenance.set_numerics_version(first.numerics_version());
    provenance.set_backend(first.spec().backend());
  }
  provenance.set_data_digest(absl::StrJoin(digests, ", "));
  return provenance;
}

bool SameLoss(const StepResult& a, const StepResult& b) {
  return a.loss() == b.loss() || (std::isnan(a.loss()) && std::isnan(b.loss()));
}

std::string RunName(const TrainedRun& run) {
  return absl::StrCat(run.policy(), " seed ", run.seed());
}

}  // namespace

report::Report StartReport(std::string_view experiment, const RunSet& runs) {
  return StartReport(experiment, runs.scale(), absl::MakeConstSpan(&runs, 1));
}

report::Report StartReport(std::string_view experiment, std::string_view scale,
                           absl::Span<const RunSet> sets) {
  report::Report report;
  report.set_experiment(std::string(experiment));
  report.set_scale(std::string(scale));
  *report.mutable_provenance() = ProvenanceOf(sets);
  for (const std::string& policy : report.provenance().policies()) {
    *report.add_counts() = CountsOf(sets, policy);
  }
  report.set_command(absl::StrCat("./bazelw run --//experiments:scale=", scale,
                                  " //experiments/", experiment));
  std::vector<const RunResult*> results;
  for (const RunSet& set : sets) {
    for (const TrainedRun& run : set.runs()) results.push_back(&run.result);
  }
  AddRunWarnings("Runs", results, &report);
  return report;
}

void AddMnistReductions(const RunSet& runs, report::Report* report) {
  constexpr int kSeeds = 50, kEpochs = 10;
  report::Provenance& provenance = *report->mutable_provenance();
  const RunResult& first = runs.runs().front().result;
  const auto add = [&provenance](auto... parts) {
    provenance.add_reductions(absl::StrCat(parts...));
  };
  const int seeds = provenance.seeds_size();
  if (seeds < kSeeds) {
    add(seeds, seeds == 1 ? " seed" : " seeds", " instead of ", kSeeds);
  }
  if (first.epochs_size() < kEpochs) {
    add(first.epochs_size(), " epochs instead of ", kEpochs);
  }
  const DataSpec& data = first.spec().data();
  if (data.train_examples() > 0) {
    add("the first ", FormatCount(data.train_examples()), " training examples");
  }
  if (data.test_examples() > 0) {
    add("the first ", FormatCount(data.test_examples()), " test examples");
  }
}

void AddPartings(const RunSet& runs, std::string_view policy_a,
                 std::string_view policy_b, report::Report* report) {
  for (const RunSet::Pair& pair : runs.Pairs(policy_a, policy_b)) {
    report::Parting* parting = report->add_partings();
    parting->set_run_a(RunName(*pair.a));
    parting->set_run_b(RunName(*pair.b));
    const auto& a = pair.a->result.steps();
    const auto& b = pair.b->result.steps();
    for (int step = 0; step < std::min(a.size(), b.size()); ++step) {
      if (!SameLoss(a[step], b[step])) {
        parting->set_step(step);
        break;
      }
    }
  }
}

void AddRunWarnings(std::string_view whose,
                    absl::Span<const RunResult* const> results,
                    report::Report* report) {
  std::map<std::string, int> runs;  // by policy
  // By policy and field: the results with such a warning, and the first's.
  std::map<std::pair<std::string, std::string>,
           std::pair<std::vector<const RunResult*>, std::string>>
      warned;
  for (const RunResult* result : results) {
    const std::string& policy = result->spec().policy();
    ++runs[policy];
    for (const std::string& warning : result->warnings()) {
      const std::string field = warning.substr(0, warning.find(':'));
      auto& [of, first] = warned[{policy, field}];
      if (of.empty()) first = warning;
      if (of.empty() || of.back() != result) of.push_back(result);
    }
  }
  for (const auto& [key, value] : warned) {
    const auto& [policy, field] = key;
    const auto& [of, first] = value;
    const RunSpec& spec = of.front()->spec();
    AddFinding(
        report::Finding::LIMITATION,
        absl::StrCat(whose, " in ", policy, " and their ", field),
        absl::StrCat(first, ". Seen in ", of.size(), " of ", runs[policy],
                     runs[policy] == 1 ? " run" : " runs", " in ", policy,
                     ", first in ", spec.model(), " seed ", spec.seed(), "."),
        "", report);
  }
}

void AddFinding(report::Finding::Kind kind, std::string_view title,
                std::string_view text, std::string_view place,
                report::Report* report) {
  report::Finding* finding = report->add_findings();
  finding->set_kind(kind);
  finding->set_title(std::string(title));
  finding->set_text(std::string(text));
  finding->set_place(std::string(place));
}

void AddContradictions(report::Report* report) {
  for (const report::Expectation& e : report->expectations()) {
    if (e.verdict() != report::VERDICT_DIFFER) continue;
    AddFinding(
        report::Finding::CONTRADICTION, e.what(),
        absl::StrCat("The paper: ", PaperText(e), ". Ours: ", OursText(e), ".",
                     e.note().empty() ? "" : " ", e.note()),
        e.place(), report);
  }
}

void AddMnistProtocol(report::Report* report) {
  AddFinding(report::Finding::UNSTATED, "Network and training on MNIST",
             "The paper gives neither the network nor the training for MNIST. "
             "Ours: 784-512-256-10 with ReLU, 10 epochs, batch 128, SGD 0.01 "
             "with momentum 0.9, pixels / 255, Glorot initialisation.",
             "section 3.3", report);
}

report::Estimate EstimateOf(absl::Span<const double> values) {
  const Sample sample = SampleOf(values);
  report::Estimate estimate;
  estimate.set_mean(sample.mean);
  if (sample.n > 1) estimate.set_sd(sample.sd);
  estimate.set_n(sample.n);
  return estimate;
}

report::Cell TextCell(std::string_view text) {
  report::Cell cell;
  cell.set_text(std::string(text));
  return cell;
}

report::Cell CountCell(int64_t count) {
  return NumberCell(count, FormatCount(count));
}

report::Cell NumberCell(double number, std::string_view text) {
  report::Cell cell = TextCell(text);
  cell.set_number(number);
  return cell;
}

report::Cell EstimateCell(absl::Span<const double> values, bool sign) {
  if (values.empty()) return TextCell("-");
  const report::Estimate estimate = EstimateOf(values);
  std::string text = sign ? absl::StrFormat("%+.2f", estimate.mean())
                          : absl::StrFormat("%.2f", estimate.mean());
  if (estimate.has_sd()) absl::StrAppendFormat(&text, " ± %.2f", estimate.sd());
  absl::StrAppend(&text, " (", estimate.n(), ")");
  return NumberCell(estimate.mean(), text);
}

std::string Scientific(double value) { return absl::StrFormat("%.2E", value); }

std::string Percent(double share) {
  return absl::StrFormat("%.2f%%", 100 * share);
}

void AddRow(std::vector<report::Cell> cells, report::Table* table) {
  report::Row* row = table->add_rows();
  for (report::Cell& cell : cells) *row->add_cells() = std::move(cell);
}

void AddColumns(absl::Span<const std::string_view> titles,
                report::Table* table) {
  for (std::string_view title : titles) {
    table->add_columns()->set_title(std::string(title));
  }
}

report::Value ChartNumber(double number) {
  report::Value value;
  value.set_number(number);
  return value;
}

report::Value ChartText(std::string_view text) {
  report::Value value;
  value.set_text(std::string(text));
  return value;
}

void AddRecord(std::vector<report::Value> values, report::Dataset* dataset) {
  report::Record* record = dataset->add_records();
  for (report::Value& value : values) *record->add_values() = std::move(value);
}

}  // namespace repro16
