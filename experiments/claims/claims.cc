#include "experiments/claims/claims.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/io/proto_file.h"
#include "experiments/common/report_parts.h"
#include "experiments/table2/published.h"
#include "reports/format.h"

namespace repro16 {
namespace {

using report::Expectation;
using report::Finding;

// ---- One section ------------------------------------------------------------

report::Cell VerdictCell(const Expectation& expectation) {
  report::Cell cell =
      TextCell(expectation.has_interval() ? FormatDifference(expectation)
                                          : OursText(expectation));
  cell.set_note(expectation.note());
  cell.set_verdict(expectation.verdict());
  return cell;
}

// The claims that people wrote.
absl::Status AddClaims(const ClaimSection& section, const Evidence& evidence,
                       report::Report* report) {
  if (section.claims().empty()) return absl::OkStatus();
  report::Table* table = report->add_tables();
  table->set_title(section.title());
  table->set_main(true);
  AddColumns({"The paper", "Confirmed by", "Refuted by", "Found"}, table);
  for (const PaperClaim& claim : section.claims()) {
    absl::StatusOr<Expectation> expectation = evidence.Judge(claim);
    if (!expectation.ok()) return expectation.status();
    report::Cell paper = TextCell(expectation->paper_text());
    paper.set_note(absl::StrCat(claim.subject(), "; ", claim.place()));
    AddRow({paper, TextCell(claim.confirm()), TextCell(claim.refute()),
            VerdictCell(*expectation)},
           table);
    *report->add_expectations() = *std::move(expectation);
  }
  return absl::OkStatus();
}

// What the paper derives from its own numbers, and how many follow.
absl::Status AddDerived(const ClaimSection& section, const Evidence& evidence,
                        report::Report* report) {
  if (section.derived_of().empty()) return absl::OkStatus();
  const auto numbers = evidence.DerivedNumbers(section.derived_of());
  if (!numbers.ok()) return numbers.status();
  report::Table* table = report->add_tables();
  table->set_title(section.title());
  table->set_caption(
      "Each number that the paper derives from others that it prints. It is "
      "confirmed when some rounding of those others gives it, and refuted when "
      "none does. These are identities, and in no count of statements.");
  AddColumns({"Number", "Printed", "Recomputed"}, table);
  size_t follow = 0;
  for (const Evidence::DerivedNumber& number : *numbers) {
    const report::Verdict verdict = VerdictOf(number);
    follow += verdict == report::VERDICT_MATCH;
    report::Cell recomputed = TextCell(
        verdict == report::VERDICT_MATCH ? "follows" : "does not follow");
    recomputed.set_verdict(verdict);
    recomputed.set_note(number.finding.text());
    AddRow({TextCell(absl::StrCat(number.printed.row(), ", ",
                                  number.printed.column())),
            TextCell(absl::StrCat(FormatShortest(number.printed.value()), " ",
                                  number.printed.unit())),
            recomputed},
           table);
  }
  report->add_summary(
      absl::StrCat("Beside them ", numbers->size(),
                   " numbers that the paper derives from its own: ", follow,
                   " follow, ", numbers->size() - follow, " do not."));
  return absl::OkStatus();
}

// ---- The whole --------------------------------------------------------------

// Provenance of all reports together. A toolkit's name stays out: of the
// claims, few are about it.
report::Provenance ProvenanceOf(const Evidence& evidence) {
  report::Provenance all;
  std::set<std::string> data, backends, policies;
  std::set<uint64_t> seeds;
  for (const auto& [name, report] : evidence.reports()) {
    const report::Provenance& one = report.provenance();
    if (one.numerics_version() == 0) continue;  // no runs
    all.set_numerics_version(one.numerics_version());
    all.set_made_up_data(all.made_up_data() || one.made_up_data());
    data.insert(one.data());
    backends.insert(one.backend());
    policies.insert(one.policies().begin(), one.policies().end());
    seeds.insert(one.seeds().begin(), one.seeds().end());
  }
  all.set_data(absl::StrJoin(data, ", "));
  all.set_backend(absl::StrJoin(backends, ", "));
  all.mutable_policies()->Assign(policies.begin(), policies.end());
  all.mutable_seeds()->Assign(seeds.begin(), seeds.end());
  if (evidence.scale() == "lite" && all.numerics_version() > 0) {
    all.add_reductions("runs are reduced as the page of each experiment says");
  }
  return all;
}

std::string StatementCounts(const PaperClaims& claims,
                            const report::Report& report) {
  int not_measured = 0;
  for (const ClaimSection& section : claims.sections()) {
    for (const PaperClaim& claim : section.claims()) {
      not_measured += claim.has_not_measured();
    }
  }
  int counted = 0, without_verdict = 0;
  for (const Expectation& e : report.expectations()) {
    if (e.uncounted()) continue;
    ++counted;
    without_verdict += e.verdict() == report::VERDICT_NONE;
  }
  const Tally tally = TallyOf(report);
  std::string text = absl::StrCat(
      "Statements: ", counted, ". ", tally.match, " match, ", tally.differ,
      " differ, ", tally.inconclusive, " inconclusive, ", tally.not_judged,
      " not judged at ", report.scale(), " scale, ", tally.not_run,
      " not run, ", not_measured, " not measured here, ",
      without_verdict - not_measured, " left open by the paper.");
  const int uncounted = report.expectations_size() - counted;
  if (uncounted > 0) {
    absl::StrAppend(&text, " Not counted: ", uncounted,
                    " whose evidence another has already, and facts such as "
                    "counts of parameters.");
  }
  return text;
}

// What agrees, section by section: as prominent as what does not.
void AddAgreements(const PaperClaims& claims, const report::Report& statements,
                   report::Report* report) {
  int i = 0;
  for (const ClaimSection& section : claims.sections()) {
    std::vector<std::string> subjects;
    for (int k = 0; k < section.claims_size(); ++k, ++i) {
      const Expectation& e = statements.expectations(i);
      if (e.verdict() == report::VERDICT_MATCH) subjects.push_back(e.what());
    }
    if (subjects.empty()) continue;
    AddFinding(Finding::AGREEMENT, section.title(),
               absl::StrCat(absl::StrJoin(subjects, "; "), "."), "", report);
  }
}

report::Report StartClaims(const Evidence& evidence) {
  report::Report report;
  report.set_experiment("claims");
  report.set_title("Every checkable statement of the paper");
  report.mutable_claim()->set_text(
      "standalone 16-bit precision neural networks match 32-bit and "
      "mixed-precision in accuracy while boosting computational speed");
  report.mutable_claim()->set_place("abstract");
  report.set_scale(evidence.scale());
  *report.mutable_provenance() = ProvenanceOf(evidence);
  report.set_command(absl::StrCat("./bazelw run --//experiments:scale=",
                                  evidence.scale(), " //experiments/claims"));
  return report;
}

// What is missing in a claim; "" when nothing is.
std::string FaultOf(const PaperClaim& claim) {
  const std::pair<const char*, const std::string*> fields[] = {
      {"id", &claim.id()},           {"subject", &claim.subject()},
      {"quote", &claim.quote()},     {"place", &claim.place()},
      {"confirm", &claim.confirm()}, {"refute", &claim.refute()}};
  for (const auto& [name, value] : fields) {
    if (value->empty()) return absl::StrCat(name, " is empty");
  }
  return "";
}

}  // namespace

absl::Status CheckClaims(const PaperClaims& claims) {
  std::set<std::string> ids;
  for (const ClaimSection& section : claims.sections()) {
    for (const PaperClaim& claim : section.claims()) {
      std::string fault = FaultOf(claim);
      if (fault.empty() && !claim.again_of().empty() &&
          ids.count(claim.again_of()) == 0) {
        fault = absl::StrCat("again_of \"", claim.again_of(),
                             "\" is no claim before it");
      }
      if (fault.empty() && !ids.insert(claim.id()).second) {
        fault = "id is used twice";
      }
      if (!fault.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat("claim \"", claim.id(), "\" (", claim.subject(),
                         "): ", fault, "; correct it"));
      }
    }
  }
  if (!ids.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "there is no claim; give claims.textproto in --inputs");
}

absl::StatusOr<Analysis> MakeClaims(const PaperClaims& claims,
                                    const Evidence& evidence) {
  absl::Status status = CheckClaims(claims);
  if (!status.ok()) return status;
  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartClaims(evidence);
  for (const ClaimSection& section : claims.sections()) {
    status.Update(AddClaims(section, evidence, &report));
  }
  if (!status.ok()) return status;
  report.add_summary(StatementCounts(claims, report));
  const report::Report statements = report;
  for (const ClaimSection& section : claims.sections()) {
    status.Update(AddDerived(section, evidence, &report));
  }
  if (!status.ok()) return status;
  report.add_summary(
      "Each statement is held against the experiment that it is about, and "
      "has the verdict of that experiment at this scale; where it is about "
      "several numbers, it matches when all of them do, and differs when one "
      "does. Nothing is computed here.");
  AddContradictions(&report);
  AddAgreements(claims, statements, &report);
  return analysis;
}

absl::StatusOr<Analysis> AnalyseClaims(const AnalysisInputs& inputs,
                                       const Golden& /*golden*/) {
  PaperClaims claims;
  std::vector<report::Report> reports;
  std::vector<Golden> goldens;
  std::optional<CostModelReport> cost_model;
  for (const std::string& path : inputs.files) {
    const std::vector<std::string_view> parts = absl::StrSplit(path, '/');
    const std::string_view name = parts.back();
    absl::Status status;
    if (name == "claims.textproto") {
      status = ReadTextProto(path, &claims);
    } else if (name == "report.pb") {
      status = ReadBinaryProto(path, &reports.emplace_back());
    } else if (name == "published.textproto") {
      absl::StatusOr<Published> published = ReadPublished(path);
      status = published.status();
      if (published.ok()) goldens.push_back(std::move(published->values));
    } else if (absl::StartsWith(name, "cost_model_")) {
      status = ReadBinaryProto(path, &cost_model.emplace());
    } else {
      status = absl::InvalidArgumentError(absl::StrCat(
          path, ": its name tells no kind of input; see claims.h"));
    }
    if (!status.ok()) return status;
  }
  const absl::StatusOr<Evidence> evidence =
      Evidence::Create(inputs.scale,
                       std::vector<std::string>(claims.experiments().begin(),
                                                claims.experiments().end()),
                       std::move(reports), goldens, std::move(cost_model));
  if (!evidence.ok()) return evidence.status();
  return MakeClaims(claims, *evidence);
}

}  // namespace repro16
