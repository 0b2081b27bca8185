#include "experiments/table1/table1.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "engine/io/proto_file.h"
#include "experiments/common/report_parts.h"
#include "experiments/table1/findings.h"
#include "experiments/table1/support_matrix.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

std::string CoreName(Support::Core core) {
  return core == Support::CUDA ? "CUDA cores" : "Tensor cores";
}

// "tensor_ada_lovelace", the id of the paper's cell.
std::string CellId(Support::Core core, std::string_view architecture) {
  return absl::StrCat(
      core == Support::CUDA ? "cuda_" : "tensor_",
      absl::StrReplaceAll(absl::AsciiStrToLower(architecture), {{" ", "_"}}));
}

std::string PaperNote(const Golden& golden, std::string_view id) {
  for (const PaperValue& value : golden.paper()) {
    if (value.id() == id) return value.note();
  }
  return "";
}

// ---- A cell of the table ----------------------------------------------------

// "bfloat16 (fma.rn.bf16 for sm_80, sm_86)".
std::string Describe(const TypeSupport& type) {
  return absl::StrCat(type.type, " (", absl::StrJoin(type.instructions, "; "),
                      " for ", absl::StrJoin(type.targets, ", "), ")");
}

struct Comparison {
  std::vector<std::string> ours;     // types that the architecture has
  std::vector<std::string> beyond;   // those that the paper does not list
  std::vector<std::string> missing;  // in the paper, and not ours
  std::vector<std::string> partial;  // not for every target
};

// Of the types that were asked for and the paper's list, "FP16, FP32".
// InvalidArgument where a type of the paper's was not asked for.
absl::StatusOr<Comparison> Compare(const std::vector<TypeSupport>& types,
                                   size_t targets, const std::string& paper) {
  std::set<std::string> listed = absl::StrSplit(paper, ", ", absl::SkipEmpty());
  Comparison comparison;
  for (const TypeSupport& type : types) {
    const bool in_paper = listed.erase(type.type) > 0;
    if (type.targets.empty()) {
      if (in_paper) comparison.missing.push_back(type.type);
      continue;
    }
    comparison.ours.push_back(type.type);
    if (!in_paper) {
      comparison.beyond.push_back(Describe(type));
    } else if (type.targets.size() < targets) {
      comparison.partial.push_back(absl::StrCat(
          type.type, " (", absl::StrJoin(type.targets, ", "), ")"));
    }
  }
  if (listed.empty()) return comparison;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", *listed.begin(), "\" in \"", paper,
                   "\" is no type that probe.py asks for"));
}

std::string NoteOf(const Comparison& comparison,
                   const std::vector<std::string>& unknown) {
  std::string note;
  const auto add = [&note](std::string_view what,
                           const std::vector<std::string>& list) {
    if (list.empty()) return;
    absl::StrAppend(&note, note.empty() ? "" : " ", what, ": ",
                    absl::StrJoin(list, "; "), ".");
  };
  add("Accepted beyond the paper's list", comparison.beyond);
  add("Accepted for no target", comparison.missing);
  add("Not for every target", comparison.partial);
  add("Unknown to this toolkit, and not asked", unknown);
  return note;
}

absl::StatusOr<report::Expectation> JudgeCell(const Support& support,
                                              const Golden& golden,
                                              Support::Core core,
                                              std::string_view architecture) {
  const std::string id = CellId(core, architecture);
  absl::StatusOr<report::Expectation> e = ExpectationFromPaper(
      golden, id, absl::StrCat(architecture, ", ", CoreName(core)));
  if (!e.ok()) return e.status();
  const std::vector<std::string> known = KnownTargets(support, architecture);
  if (known.empty()) {
    e->set_verdict(report::VERDICT_NOT_RUN);
    return e;
  }
  const absl::StatusOr<Comparison> comparison = Compare(
      TypesOf(support, core, architecture), known.size(), e->paper_text());
  if (!comparison.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("golden values of ", golden.experiment(), ": ", id, ": ",
                     comparison.status().message(), "; correct its text"));
  }
  const bool same = comparison->beyond.empty() && comparison->missing.empty();
  e->mutable_ours()->set_mean(comparison->ours.size());
  e->set_ours_text(comparison->ours.empty()
                       ? "none"
                       : absl::StrJoin(comparison->ours, ", "));
  e->set_verdict(same ? report::VERDICT_MATCH : report::VERDICT_DIFFER);
  e->set_note(NoteOf(*comparison, UnknownTargets(support, architecture)));
  const std::string reading = PaperNote(golden, id);
  if (!reading.empty()) {
    e->set_note(absl::StrCat(e->note(), e->note().empty() ? "" : " ", reading));
  }
  return e;
}

// ---- Sentences --------------------------------------------------------------

// Whether each architecture that was asked has a type on a core, newest first.
std::vector<std::pair<std::string, bool>> Having(const Support& support,
                                                 Support::Core core,
                                                 std::string_view type) {
  std::vector<std::pair<std::string, bool>> having;
  for (std::string_view architecture : Architectures()) {
    if (KnownTargets(support, architecture).empty()) continue;
    bool found = false;
    for (const TypeSupport& t : TypesOf(support, core, architecture)) {
      found |= t.type == type && !t.targets.empty();
    }
    having.emplace_back(architecture, found);
  }
  return having;
}

// "Both FP32 and FP16 are supported across all GPUs listed".
absl::Status AddEverywhere(const Support& support, const Golden& golden,
                           report::Report* report) {
  absl::StatusOr<report::Expectation> e = ExpectationFromPaper(
      golden, "fp16_fp32", "FP16 and FP32, CUDA cores of all architectures");
  if (!e.ok()) return e.status();
  const auto fp16 = Having(support, Support::CUDA, "FP16");
  const auto fp32 = Having(support, Support::CUDA, "FP32");
  size_t both = 0;
  for (size_t i = 0; i < fp16.size(); ++i) {
    both += fp16[i].second && fp32[i].second;
  }
  e->set_verdict(fp16.empty()          ? report::VERDICT_NOT_RUN
                 : both == fp16.size() ? report::VERDICT_MATCH
                                       : report::VERDICT_DIFFER);
  if (!fp16.empty()) {
    e->mutable_ours()->set_mean(both);
    e->set_ours_text(absl::StrCat(both, " of ", fp16.size()));
  }
  *report->add_expectations() = *std::move(e);
  return absl::OkStatus();
}

// "support for newer formats like bfloat16 and FP8 is limited to recent
// architectures": not the oldest, and from some architecture on all.
absl::Status AddRecent(const Support& support, const Golden& golden,
                       std::string_view id, std::string_view type,
                       report::Report* report) {
  absl::StatusOr<report::Expectation> e = ExpectationFromPaper(
      golden, id, absl::StrCat(type, ", tensor cores of recent architectures"));
  if (!e.ok()) return e.status();
  const auto having = Having(support, Support::TENSOR, type);
  const auto lacking =
      std::find_if(having.begin(), having.end(),
                   [](const auto& entry) { return !entry.second; });
  const size_t newest = lacking - having.begin();
  const bool none_older = std::none_of(
      lacking, having.end(), [](const auto& entry) { return entry.second; });
  if (having.size() < Architectures().size()) {
    e->set_verdict(report::VERDICT_NOT_RUN);
  } else {
    e->mutable_ours()->set_mean(newest);
    e->set_ours_text(
        newest == 0 ? "not the newest"
                    : absl::StrCat("from ", having[newest - 1].first, " on"));
    e->set_verdict(newest > 0 && newest < having.size() && none_older
                       ? report::VERDICT_MATCH
                       : report::VERDICT_DIFFER);
  }
  *report->add_expectations() = *std::move(e);
  return absl::OkStatus();
}

// ---- Tables -----------------------------------------------------------------

// Judges every cell, and lays them out as the paper does.
absl::Status AddPaperTable(const Support& support, const Golden& golden,
                           report::Report* report) {
  report::Table table;
  table.set_title("Table 1: Supported types");
  table.set_caption(
      "Types with an instruction that is accepted for one of the "
      "architecture's targets; the paper's list below.");
  table.add_columns();
  for (std::string_view architecture : Architectures()) {
    table.add_columns()->set_title(std::string(architecture));
  }
  for (Support::Core core : {Support::CUDA, Support::TENSOR}) {
    std::vector<report::Cell> cells = {TextCell(CoreName(core))};
    for (std::string_view architecture : Architectures()) {
      absl::StatusOr<report::Expectation> e =
          JudgeCell(support, golden, core, architecture);
      if (!e.ok()) return e.status();
      report::Cell cell = TextCell(e->ours_text());
      cell.set_paper(e->paper_text());
      cell.set_verdict(e->verdict());
      cells.push_back(std::move(cell));
      *report->add_expectations() = *std::move(e);
    }
    AddRow(std::move(cells), &table);
  }
  *report->add_tables() = std::move(table);
  return absl::OkStatus();
}

void AddAnswerTable(const Support& support, report::Report* report) {
  report::Table& table = *report->add_tables();
  table.set_title("What the assembler accepts, target by target");
  table.set_caption(
      "One kernel for each instruction and target. Targets that end in \"a\" "
      "have the instructions that are promised to no other chip.");
  table.add_columns()->set_title("Type and instruction");
  std::map<std::string, size_t> column;
  for (const Support::Target& target : support.targets()) {
    column[target.name()] = table.columns_size();
    table.add_columns()->set_title(target.name());
  }
  for (const Support::Probe& probe : support.probes()) {
    std::vector<report::Cell> cells(table.columns_size(), TextCell("unknown"));
    cells[0] =
        TextCell(absl::StrCat(probe.type(), ", ", CoreName(probe.core())));
    cells[0].set_note(probe.instruction());
    for (const Support::Answer& answer : probe.answers()) {
      cells[column[answer.target()]] =
          TextCell(answer.accepted() ? "yes" : "–");
    }
    AddRow(std::move(cells), &table);
  }
}

// Each reason once, with the instructions that were refused for it.
void AddRefusalTable(const Support& support, report::Report* report) {
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;
  for (const Support::Probe& probe : support.probes()) {
    for (const Support::Answer& answer : probe.answers()) {
      if (answer.accepted()) continue;
      // The table above tells the targets.
      const std::string reason = absl::StrReplaceAll(
          answer.message(), {{absl::StrCat(" '", answer.target(), "'"), ""}});
      auto found =
          std::find_if(reasons.begin(), reasons.end(),
                       [&](const auto& r) { return r.first == reason; });
      if (found == reasons.end()) {
        found = reasons.insert(found, {reason, {}});
      }
      if (found->second.empty() ||
          found->second.back() != probe.instruction()) {
        found->second.push_back(probe.instruction());
      }
    }
  }
  if (reasons.empty()) return;
  report::Table& table = *report->add_tables();
  table.set_title("Why it refuses the others");
  AddColumns({"In its own words", "Instructions"}, &table);
  for (const auto& [reason, instructions] : reasons) {
    AddRow({TextCell(reason), TextCell(absl::StrJoin(instructions, "; "))},
           &table);
  }
}

report::Report StartReport(const Support& support, std::string_view scale) {
  report::Report report;
  report.set_experiment("table1");
  report.set_scale(std::string(scale));
  report.set_title("Table 1: which GPUs support which types");
  report.mutable_claim()->set_text(
      "Both FP32 and FP16 are supported across all GPUs listed, while support "
      "for newer formats like bfloat16 and FP8 is limited to recent "
      "architectures.");
  report.mutable_claim()->set_place("section 1, table 1");
  report.add_summary(
      "Whether an architecture has a type is asked of the assembler of an "
      "installed CUDA toolkit: for every type and target it is given a "
      "kernel with that type's multiply-add, and what it accepts exists. No "
      "GPU is needed. An instruction that does not exist must be refused.");
  report.mutable_provenance()->set_toolkit(
      support.toolkit().empty() ? "none" : support.toolkit());
  report.set_command("./bazelw run //experiments/table1");
  return report;
}

std::vector<std::string> FailedChecks(const Support& support) {
  std::vector<std::string> failed;
  for (const Support::Target& target : support.targets()) {
    if (!target.accepts_nonsense()) continue;
    failed.push_back(absl::StrCat(
        support.toolkit(), " accepts an instruction that does not exist for ",
        target.name(), ": its answers are worth nothing"));
  }
  return failed;
}

}  // namespace

absl::StatusOr<Analysis> MakeTable1(const Support& support,
                                    std::string_view scale,
                                    const Golden& golden) {
  absl::Status status = CheckSupport(support);
  if (!status.ok()) return status;
  Analysis analysis;
  analysis.failed_checks = FailedChecks(support);
  report::Report& report = analysis.report;
  report = StartReport(support, scale);
  status = AddPaperTable(support, golden, &report);
  status.Update(AddEverywhere(support, golden, &report));
  status.Update(AddRecent(support, golden, "bf16_recent", "bfloat16", &report));
  status.Update(AddRecent(support, golden, "fp8_recent", "FP8", &report));
  if (!status.ok()) return status;
  if (!support.probes().empty()) {
    AddAnswerTable(support, &report);
    AddRefusalTable(support, &report);
  }
  AddContradictions(&report);
  AddTable1Findings(support, &report);
  return analysis;
}

absl::StatusOr<Analysis> AnalyseTable1(const AnalysisInputs& inputs,
                                       const Golden& golden) {
  if (inputs.files.size() != 1) {
    return absl::InvalidArgumentError(
        "--inputs: give one file, what probe.py wrote");
  }
  Support support;
  absl::Status status = ReadTextProto(inputs.files[0], &support);
  if (!status.ok()) return status;
  return MakeTable1(support, inputs.scale, golden);
}

}  // namespace repro16
