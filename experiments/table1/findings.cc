#include "experiments/table1/findings.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "experiments/common/report_parts.h"
#include "experiments/table1/support_matrix.h"

namespace repro16 {
namespace {

using report::Finding;

// Targets of all architectures for which an instruction of the type, beginning
// with `opcode`, is accepted, in order.
std::vector<std::string> Accepting(const Support& support,
                                   std::string_view type,
                                   std::string_view opcode) {
  std::vector<std::string> targets;
  for (const Support::Target& target : support.targets()) {
    for (const Support::Probe& probe : support.probes()) {
      if (probe.core() != Support::TENSOR || probe.type() != type ||
          !absl::StartsWith(probe.instruction(), opcode)) {
        continue;
      }
      for (const Support::Answer& answer : probe.answers()) {
        if (answer.accepted() && answer.target() == target.name()) {
          targets.push_back(answer.target());
        }
      }
    }
  }
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  return targets;
}

std::vector<std::string> OnlyOf(const std::vector<std::string>& targets,
                                const std::set<std::string>& wanted) {
  std::vector<std::string> found;
  for (const std::string& target : targets) {
    if (wanted.count(target) > 0) found.push_back(target);
  }
  return found;
}

// FP64 on chips that are not made for it.
void AddFp64(const Support& support, report::Report* report) {
  const std::vector<std::string> accepting = OnlyOf(
      Accepting(support, "FP64", ""), {"sm_86", "sm_89", "sm_120", "sm_120a"});
  if (accepting.empty()) return;
  AddFinding(
      Finding::LIMITATION, "Accepted does not mean a unit of its own: FP64",
      absl::StrCat(
          "FP64 mma.sync is accepted for ", absl::StrJoin(accepting, ", "),
          ", chips for games and graphics, for which NVIDIA lists no FP64 "
          "tensor cores. So that Ada Lovelace and the paper agree on FP64 says "
          "that the instruction is there, not that it is fast."),
      "table 1, row Tensor core", report);
}

// FP8 that is FP16 inside.
void AddFp8(const Support& support, report::Report* report) {
  const std::vector<std::string> accepting =
      OnlyOf(Accepting(support, "FP8", "mma.sync"), {"sm_90", "sm_100"});
  if (accepting.empty()) return;
  std::vector<std::string> own = Accepting(support, "FP8", "wgmma");
  for (const std::string& target : Accepting(support, "FP8", "tcgen05")) {
    own.push_back(target);
  }
  AddFinding(
      Finding::LIMITATION, "Accepted does not mean a unit of its own: FP8",
      absl::StrCat(
          "FP8 mma.sync is accepted for ", absl::StrJoin(accepting, ", "),
          " too, but there the assembler turns FP8 into FP16 and multiplies "
          "that (seen once in the disassembled kernels of ptxas 13.0.88: F2FP "
          "and HMMA, where sm_89 and sm_120 have QMMA). FP8 proper is wgmma on "
          "Hopper and tcgen05 on sm_100: ",
          own.empty() ? "refused by this toolkit"
                      : absl::StrCat("accepted for ", absl::StrJoin(own, ", ")),
          ". Every other kernel was seen to hold the instruction that its type "
          "names."),
      "table 1, row Tensor core", report);
}

void AddSpecificTargets(const Support& support, report::Report* report) {
  std::vector<std::string> accepting = Accepting(support, "FP6", "");
  for (const std::string& target : Accepting(support, "FP4", "")) {
    accepting.push_back(target);
  }
  const std::set<std::string> targets(accepting.begin(), accepting.end());
  const bool specific = std::all_of(
      targets.begin(), targets.end(),
      [](const std::string& name) { return absl::EndsWith(name, "a"); });
  if (targets.empty() || !specific) return;
  AddFinding(
      Finding::UNSTATED, "Blackwell's FP6 and FP4 are for one chip at a time",
      absl::StrCat(
          "They are accepted for ", absl::StrJoin(targets, ", "),
          " only: targets whose code no other chip runs. By mma.sync on "
          "sm_120a the type stands in the instruction; by tcgen05.mma on "
          "sm_100a FP8 and FP6 share one instruction, and a descriptor that is "
          "read at run time names the type."),
      "table 1, column Blackwell", report);
}

void AddTheTablesText(report::Report* report) {
  AddFinding(
      Finding::UNSTATED, "One architecture is several chips",
      "The paper does not say which chips its columns are. Ours: Turing sm_75; "
      "Ampere sm_80, sm_86; Ada Lovelace sm_89; Hopper sm_90; Blackwell "
      "sm_100, sm_120. A type counts when one of them has it.",
      "table 1", report);
  AddFinding(
      Finding::LIMITATION, "Read from a text whose table cells run together",
      "In the CUDA row bfloat16 stands three times for five columns. A comma "
      "after FP64 tells where a cell goes on: Blackwell, Hopper and Ada "
      "Lovelace have one, Ampere and Turing have none. In the tensor row the "
      "commas tell that TF32 goes on for Blackwell alone; FP8 stands twice "
      "more, and we read it as the next two columns, Hopper and Ada Lovelace. "
      "The footnote that \"CUDA*\" refers to is not in the text.",
      "table 1", report);
}

}  // namespace

void AddTable1Findings(const Support& support, report::Report* report) {
  if (support.toolkit().empty()) {
    AddFinding(Finding::LIMITATION, "Not run: there is no CUDA toolkit",
               "Set CUDA_PATH to the folder of one, or put its ptxas on the "
               "PATH, and run this again. No GPU is needed.",
               "", report);
  } else {
    AddFp8(support, report);
    AddFp64(support, report);
    AddSpecificTargets(support, report);
  }
  AddTheTablesText(report);
  if (support.toolkit().empty()) return;
  AddFinding(Finding::LIMITATION, "One assembler, no GPU",
             absl::StrCat("These are the answers of ", support.toolkit(),
                          ". Another version may know more or fewer targets "
                          "and instructions, so golden values are compared "
                          "with this version only. No kernel was run."),
             "", report);
}

}  // namespace repro16
