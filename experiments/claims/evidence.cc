#include "experiments/claims/evidence.h"

#include <functional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "experiments/claims/sources.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

using report::Expectation;
using report::Verdict;

// Whether a report's answers are those of a program of the machine.
bool OfToolkit(const report::Report& report) {
  return !report.provenance().toolkit().empty();
}

bool AnythingRun(const report::Report& report) {
  return OfToolkit(report) ||
         absl::c_any_of(report.expectations(), [](const Expectation& e) {
           return e.verdict() != report::VERDICT_NOT_RUN;
         });
}

Expectation Only(Verdict verdict) {
  Expectation expectation;
  expectation.set_verdict(verdict);
  return expectation;
}

absl::Status CheckReports(std::string_view scale,
                          const std::vector<std::string>& experiments,
                          const std::vector<report::Report>& reports) {
  const report::Report* versioned = nullptr;
  for (const report::Report& report : reports) {
    const std::string fault = absl::StrCat("report of ", report.experiment());
    if (!absl::c_linear_search(experiments, report.experiment())) {
      return absl::InvalidArgumentError(absl::StrCat(
          fault,
          ": no experiment of this name is listed; add it to the claims "
          "(experiments)"));
    }
    if (report.scale() != scale) {
      return absl::InvalidArgumentError(
          absl::StrCat(fault, ": its scale is \"", report.scale(), "\", not \"",
                       scale, "\"; give reports of one scale"));
    }
    const int64_t version = report.provenance().numerics_version();
    if (version == 0) continue;  // no runs
    if (versioned == nullptr) versioned = &report;
    const int64_t expected = versioned->provenance().numerics_version();
    if (version != expected) {
      return absl::InvalidArgumentError(
          absl::StrCat(fault, ": of numerics version ", version, ", that of ",
                       versioned->experiment(), " is of version ", expected,
                       "; make both by one version"));
    }
  }
  return absl::OkStatus();
}

const PaperValue& ValueOf(const Golden& golden, const std::string& id) {
  return *absl::c_find_if(golden.paper(), [&id](const PaperValue& value) {
    return value.id() == id;
  });
}

}  // namespace

Verdict VerdictOf(const Evidence::DerivedNumber& number) {
  return number.finding.kind() == report::Finding::AGREEMENT
             ? report::VERDICT_MATCH
             : report::VERDICT_DIFFER;
}

absl::StatusOr<Evidence> Evidence::Create(
    std::string_view scale, const std::vector<std::string>& experiments,
    std::vector<report::Report> reports, const std::vector<Golden>& goldens,
    std::optional<CostModelReport> cost_model) {
  absl::Status status = CheckReports(scale, experiments, reports);
  if (!status.ok()) return status;
  Evidence evidence;
  evidence.scale_ = std::string(scale);
  evidence.experiments_ = experiments;
  evidence.cost_model_ = std::move(cost_model);
  for (report::Report& report : reports) {
    const std::string name = report.experiment();
    if (!evidence.reports_.emplace(name, std::move(report)).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "report of ", name, ": there are two; give one of each experiment"));
    }
  }
  for (const Golden& golden : goldens) {
    const absl::StatusOr<std::vector<report::Finding>> findings =
        CheckArithmetic(golden);
    if (!findings.ok()) return findings.status();
    std::vector<DerivedNumber>& numbers =
        evidence.derived_[golden.experiment()];
    for (int i = 0; i < golden.checks_size(); ++i) {
      numbers.push_back(
          {ValueOf(golden, golden.checks(i).result()), (*findings)[i]});
    }
  }
  return evidence;
}

absl::StatusOr<const report::Report*> Evidence::ReportOf(
    const std::string& experiment) const {
  if (!absl::c_linear_search(experiments_, experiment)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the source \"", experiment,
                     "\" is no experiment of the claims (experiments)"));
  }
  const auto report = reports_.find(experiment);
  return report != reports_.end() && AnythingRun(report->second)
             ? &report->second
             : nullptr;
}

template <typename Sources, typename Find>
absl::Status Evidence::Collect(const Sources& sources, Find find,
                               std::vector<Expectation>* collected) const {
  for (const auto& source : sources) {
    const absl::StatusOr<const report::Report*> report =
        ReportOf(source.experiment());
    if (!report.ok()) return report.status();
    if (*report == nullptr) {
      collected->push_back(Only(report::VERDICT_NOT_RUN));
      continue;
    }
    absl::StatusOr<std::vector<Expectation>> found = find(**report, source);
    if (!found.ok()) return found.status();
    const bool hidden = scale_ == "smoke" && OfToolkit(**report);
    for (Expectation& expectation : *found) {
      collected->push_back(hidden
                               ? Only(report::VERDICT_NOT_JUDGED_AT_THIS_SCALE)
                               : std::move(expectation));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Expectation> Evidence::JudgeMeasured(
    const Measured& measured) const {
  std::vector<Expectation> collected;
  absl::Status status =
      Collect(measured.sources(), FindExpectations, &collected);
  status.Update(Collect(measured.cells(), FindCells, &collected));
  if (!status.ok()) return status;
  if (collected.empty()) {
    return absl::InvalidArgumentError(
        "it names nothing that was measured; give a source");
  }
  Expectation result = OnAll(collected);
  result.set_note(absl::StrCat("By ", SourceNames(measured), ".",
                               result.note().empty() ? "" : " ",
                               result.note()));
  return result;
}

absl::StatusOr<std::vector<Evidence::DerivedNumber>> Evidence::DerivedNumbers(
    std::string_view experiment) const {
  const auto found = derived_.find(experiment);
  if (found != derived_.end()) return found->second;
  return absl::InvalidArgumentError(absl::StrCat(
      "the published table of ", experiment, " is not among --inputs; add it"));
}

absl::StatusOr<Expectation> Evidence::JudgeDerived(
    const Derived& derived) const {
  const absl::StatusOr<std::vector<DerivedNumber>> numbers =
      DerivedNumbers(derived.experiment());
  if (!numbers.ok()) return numbers.status();
  Expectation result;
  result.set_verdict(report::VERDICT_MATCH);
  std::vector<std::string> texts;
  for (const std::string& id : derived.results()) {
    const auto number = absl::c_find_if(
        *numbers,
        [&id](const DerivedNumber& n) { return n.printed.id() == id; });
    if (number == numbers->end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the published table of ", derived.experiment(),
          " has no check with the result \"", id, "\"; correct the id"));
    }
    if (VerdictOf(*number) == report::VERDICT_DIFFER) {
      result.set_verdict(report::VERDICT_DIFFER);
    }
    texts.push_back(number->finding.text());
  }
  if (texts.empty()) {
    return absl::InvalidArgumentError("it names no derived number; give one");
  }
  result.set_ours_text(absl::StrJoin(texts, " "));
  result.set_note("The paper's own numbers; nothing was run.");
  return result;
}

absl::StatusOr<std::string> Evidence::Prediction(
    const NotMeasured& not_measured) const {
  if (!cost_model_ ||
      not_measured.prediction_case() == NotMeasured::PREDICTION_NOT_SET) {
    return "";
  }
  const std::string model =
      absl::StrCat("The cost model of ", cost_model_->device_name());
  if (not_measured.all_networks()) {
    return absl::StrFormat(
        "%s is off by %.0f%% on average over the paper's FP32 / FP16, by "
        "%.0f%% over its MP / FP16. %s",
        model, 100 * cost_model_->error().fp32_speedup(),
        100 * cost_model_->error().mp_speedup(), cost_model_->caveat());
  }
  const auto network = absl::c_find_if(
      cost_model_->networks(), [&](const CostModelReport::Network& n) {
        return n.model() == not_measured.network();
      });
  if (network == cost_model_->networks().end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the cost model has no network \"", not_measured.network(),
                     "\"; correct the name"));
  }
  std::vector<std::string> seconds;
  for (const CostModelReport::Precision& precision : network->precisions()) {
    if (precision.published_seconds() == 0) continue;
    seconds.push_back(absl::StrFormat("%s %.0f s (published: %.0f s)",
                                      precision.name(), precision.seconds(),
                                      precision.published_seconds()));
  }
  return absl::StrCat(model, ": ", absl::StrJoin(seconds, ", "), ". ",
                      cost_model_->caveat());
}

absl::StatusOr<Expectation> Evidence::JudgeNotMeasured(
    const NotMeasured& not_measured) const {
  absl::StatusOr<std::string> prediction = Prediction(not_measured);
  if (!prediction.ok()) return prediction.status();
  Expectation result;
  result.set_ours_text("not measured");
  result.set_note(absl::StrCat(not_measured.reason(),
                               prediction->empty() ? "" : " ", *prediction));
  return result;
}

absl::StatusOr<Expectation> Evidence::Judge(const PaperClaim& claim) const {
  absl::StatusOr<Expectation> result;
  switch (claim.held_against_case()) {
    case PaperClaim::kMeasured:
      result = JudgeMeasured(claim.measured());
      break;
    case PaperClaim::kDerived:
      result = JudgeDerived(claim.derived());
      break;
    case PaperClaim::kReading:
      result = Only(claim.reading().verdict());
      result->set_ours_text(claim.reading().found());
      result->set_note("Read, not run.");
      break;
    case PaperClaim::kNotMeasured:
      result = JudgeNotMeasured(claim.not_measured());
      break;
    default:
      result = absl::InvalidArgumentError(
          "nothing says what it is held against; give measured, derived, "
          "reading or not_measured");
  }
  if (!result.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "claim \"", claim.id(), "\": ", result.status().message()));
  }
  // What the paper derives from its own numbers are identities.
  if (claim.has_derived()) result->set_uncounted(true);
  if (!claim.again_of().empty()) {
    result->set_uncounted(true);
    result->set_note(absl::StrCat(
        result->note(), result->note().empty() ? "" : " ", "The evidence of \"",
        claim.again_of(), "\", counted there."));
  }
  result->set_id(claim.id());
  result->set_what(claim.subject());
  result->set_place(claim.place());
  result->clear_paper_value();
  result->set_paper_text(absl::StrCat("“", claim.quote(), "”"));
  return result;
}

}  // namespace repro16
