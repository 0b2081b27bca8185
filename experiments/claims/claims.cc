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
#include "reports/format.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

using report::Expectation;
using report::Finding;

// ---- One section ------------------------------------------------------------

report::Cell VerdictCell(const Expectation& expectation) {
  report::Cell cell = TextCell(OursText(expectation));
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

// Those that follow from an experiment's golden file.
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
      "none does.");
  AddColumns({"Number", "Printed", "Recomputed"}, table);
  for (const Evidence::DerivedNumber& number : *numbers) {
    Expectation e;
    e.set_id(absl::StrCat("derived/", number.printed.id()));
    e.set_what(
        absl::StrCat(number.printed.row(), ", ", number.printed.column()));
    e.set_place(number.finding.place());
    e.set_paper_text(absl::StrCat(FormatShortest(number.printed.value()), " ",
                                  number.printed.unit()));
    e.set_verdict(VerdictOf(number));
    e.set_ours_text(e.verdict() == report::VERDICT_MATCH ? "follows"
                                                         : "does not follow");
    e.set_note(number.finding.text());
    AddRow({TextCell(e.what()), TextCell(e.paper_text()), VerdictCell(e)},
           table);
    *report->add_expectations() = std::move(e);
  }
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
  int open = 0, not_measured = 0;
  for (const ClaimSection& section : claims.sections()) {
    for (const PaperClaim& claim : section.claims()) {
      not_measured += claim.has_not_measured();
      open += claim.has_reading() &&
              claim.reading().verdict() == report::VERDICT_NONE;
    }
  }
  const Tally tally = TallyOf(report);
  return absl::StrCat("Statements: ", report.expectations_size(), ". ",
                      tally.match, " match, ", tally.differ, " differ, ",
                      tally.inconclusive, " inconclusive, ", tally.not_judged,
                      " not judged at ", report.scale(), " scale, ",
                      tally.not_run, " not run, ", not_measured,
                      " not measured here, ", open, " left open by the paper.");
}

std::string DerivedCounts(const Tally& before, const Tally& all) {
  const int follow = all.match - before.match;
  const int differ = all.differ - before.differ;
  return absl::StrCat(
      "Numbers that the paper derives from its own: ", follow + differ, ". ",
      follow, " follow, ", differ, " do not.");
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
  report.add_summary(DerivedCounts(TallyOf(statements), TallyOf(report)));
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
    } else if (name == "golden.textproto") {
      absl::StatusOr<Golden> golden = ReadGolden(path);
      status = golden.status();
      if (golden.ok()) goldens.push_back(*std::move(golden));
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
