#include "experiments/table1/table1.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

using testing::HasSubstr;

struct Chip {
  std::string target, architecture;
  std::vector<std::string> cuda, tensor;
};

// Chips that have exactly what the paper lists.
std::vector<Chip> PapersChips() {
  const std::vector<std::string> old = {"FP16", "FP32", "FP64"};
  const std::vector<std::string> all = {"FP16", "FP32", "FP64", "bfloat16"};
  const std::vector<std::string> four = {"FP16", "FP64", "bfloat16", "TF32"};
  const std::vector<std::string> five = {"FP16", "FP64", "bfloat16", "TF32",
                                         "FP8"};
  return {{"sm_75", "Turing", old, {"FP16"}},
          {"sm_80", "Ampere", old, four},
          {"sm_89", "Ada Lovelace", all, five},
          {"sm_90", "Hopper", all, five},
          {"sm_100", "Blackwell", all, four},
          {"sm_100a",
           "Blackwell",
           all,
           {"FP16", "FP64", "bfloat16", "TF32", "FP8", "FP6", "FP4"}}};
}

void AddProbe(Support::Core core, const std::string& type,
              const std::vector<Chip>& chips, Support* support) {
  Support::Probe* probe = support->add_probes();
  probe->set_core(core);
  probe->set_type(type);
  probe->set_instruction(
      absl::StrCat(core == Support::CUDA ? "fma " : "mma.sync ", type));
  for (const Chip& chip : chips) {
    const auto& types = core == Support::CUDA ? chip.cuda : chip.tensor;
    Support::Answer* answer = probe->add_answers();
    answer->set_target(chip.target);
    for (const std::string& t : types) {
      if (t == type) answer->set_accepted(true);
    }
    if (!answer->accepted()) {
      answer->set_message(absl::StrCat("not on '", chip.target, "'"));
    }
  }
}

Support SupportOf(const std::vector<Chip>& chips) {
  Support support;
  support.set_toolkit("ptxas 1.2");
  for (const Chip& chip : chips) {
    Support::Target* target = support.add_targets();
    target->set_name(chip.target);
    target->set_architecture(chip.architecture);
    target->set_ptx_version("9.0");
  }
  for (const char* type : {"FP16", "FP32", "FP64", "bfloat16"}) {
    AddProbe(Support::CUDA, type, chips, &support);
  }
  for (const char* type :
       {"FP16", "FP64", "bfloat16", "TF32", "FP8", "FP6", "FP4"}) {
    AddProbe(Support::TENSOR, type, chips, &support);
  }
  return support;
}

class Table1Test : public testing::Test {
 protected:
  Analysis Make(const Support& support) {
    absl::StatusOr<Analysis> analysis = MakeTable1(support, "smoke", golden_);
    EXPECT_TRUE(analysis.ok()) << analysis.status();
    return analysis.ok() ? *std::move(analysis) : Analysis();
  }

  // "id verdict" of each expectation whose verdict is not `usual`.
  static std::string Unusual(const report::Report& report,
                             report::Verdict usual) {
    std::vector<std::string> unusual;
    for (const report::Expectation& e : report.expectations()) {
      if (e.verdict() == usual) continue;
      unusual.push_back(
          absl::StrCat(e.id(), " ", report::Verdict_Name(e.verdict())));
    }
    return absl::StrJoin(unusual, ", ");
  }

  static const report::Expectation& Find(const report::Report& report,
                                         std::string_view id) {
    for (const report::Expectation& e : report.expectations()) {
      if (e.id() == id) return e;
    }
    ADD_FAILURE() << id;
    return report.expectations(0);
  }

  Golden golden_ = *ReadGolden("experiments/table1/golden.textproto");
};

TEST_F(Table1Test, ChipsLikeThePapersMatchEverywhere) {
  const report::Report report = Make(SupportOf(PapersChips())).report;
  EXPECT_EQ(report.expectations_size(), 13);
  EXPECT_EQ(Unusual(report, report::VERDICT_MATCH), "");
  EXPECT_EQ(report.provenance().toolkit(), "ptxas 1.2");
  const report::Expectation& blackwell = Find(report, "tensor_blackwell");
  EXPECT_EQ(blackwell.ours_text(), "FP16, FP64, bfloat16, TF32, FP8, FP6, FP4");
  EXPECT_THAT(blackwell.note(),
              HasSubstr("Not for every target: FP8 (sm_100a); FP6"));
  EXPECT_EQ(Find(report, "fp8_recent").ours_text(), "from Ada Lovelace on");
}

TEST_F(Table1Test, OneMoreTypeDiffersInItsCellAlone) {
  std::vector<Chip> chips = PapersChips();
  chips[1].cuda.push_back("bfloat16");
  const report::Report report = Make(SupportOf(chips)).report;
  EXPECT_EQ(Unusual(report, report::VERDICT_MATCH),
            "cuda_ampere VERDICT_DIFFER");
  EXPECT_THAT(Find(report, "cuda_ampere").note(),
              testing::StartsWith("Accepted beyond the paper's list: bfloat16 "
                                  "(fma bfloat16 for sm_80). "));
  EXPECT_EQ(report.findings(0).kind(), report::Finding::CONTRADICTION);
  EXPECT_EQ(report.findings(0).title(), "Ampere, CUDA cores");
}

TEST_F(Table1Test, OneTypeLessDiffersToo) {
  std::vector<Chip> chips = PapersChips();
  chips[2].tensor.pop_back();  // FP8 of Ada Lovelace
  const report::Report report = Make(SupportOf(chips)).report;
  EXPECT_EQ(Unusual(report, report::VERDICT_MATCH),
            "tensor_ada_lovelace VERDICT_DIFFER");
  EXPECT_THAT(Find(report, "tensor_ada_lovelace").note(),
              HasSubstr("Accepted for no target: FP8."));
}

TEST_F(Table1Test, ThePapersSentencesAreJudged) {
  std::vector<Chip> chips = PapersChips();
  chips[0].cuda = {"FP32", "FP64"};
  chips[0].tensor.push_back("FP8");  // the oldest, but not the next
  const report::Report report = Make(SupportOf(chips)).report;
  EXPECT_EQ(Find(report, "fp16_fp32").verdict(), report::VERDICT_DIFFER);
  EXPECT_EQ(Find(report, "fp16_fp32").ours_text(), "4 of 5");
  EXPECT_EQ(Find(report, "fp8_recent").verdict(), report::VERDICT_DIFFER);
  EXPECT_EQ(Find(report, "bf16_recent").verdict(), report::VERDICT_MATCH);
}

TEST_F(Table1Test, WithoutAToolkitNothingIsRun) {
  const report::Report report = Make(Support()).report;
  EXPECT_EQ(report.expectations_size(), 13);
  EXPECT_EQ(Unusual(report, report::VERDICT_NOT_RUN), "");
  EXPECT_EQ(report.provenance().toolkit(), "none");
  ASSERT_EQ(report.tables_size(), 1);
  EXPECT_EQ(report.tables(0).rows(1).cells(1).paper(),
            "FP16, FP64, bfloat16, TF32, FP8, FP6, FP4");
  EXPECT_EQ(report.findings(0).title(), "Not run: there is no CUDA toolkit");
}

TEST_F(Table1Test, AnArchitectureThatTheToolkitDoesNotKnowIsNotRun) {
  std::vector<Chip> chips = PapersChips();
  chips.resize(4);  // without Blackwell's
  Support support = SupportOf(chips);
  Support::Target* target = support.add_targets();
  target->set_name("sm_100");
  target->set_architecture("Blackwell");
  const report::Report report = Make(support).report;
  EXPECT_EQ(Unusual(report, report::VERDICT_MATCH),
            "cuda_blackwell VERDICT_NOT_RUN, tensor_blackwell VERDICT_NOT_RUN, "
            "bf16_recent VERDICT_NOT_RUN, fp8_recent VERDICT_NOT_RUN");
}

TEST_F(Table1Test, AnAssemblerThatAcceptsNonsenseFailsTheCheck) {
  Support support = SupportOf(PapersChips());
  EXPECT_TRUE(Make(support).failed_checks.empty());
  support.mutable_targets(1)->set_accepts_nonsense(true);
  const Analysis analysis = Make(support);
  ASSERT_EQ(analysis.failed_checks.size(), 1u);
  EXPECT_THAT(
      analysis.failed_checks[0],
      HasSubstr("accepts an instruction that does not exist for sm_80"));
}

TEST_F(Table1Test, ATypeOfThePapersThatIsNotAskedForIsNamed) {
  golden_.mutable_paper(0)->set_text("FP16, FP23");
  const absl::Status status =
      MakeTable1(SupportOf(PapersChips()), "smoke", golden_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("cuda_blackwell: \"FP23\" in"));
}

TEST_F(Table1Test, TheInputIsOneFile) {
  EXPECT_THAT(AnalyseTable1({"smoke", {}, {}}, golden_).status().message(),
              HasSubstr("--inputs"));
  EXPECT_THAT(AnalyseTable1({"smoke", {}, {"/nowhere/s.textproto"}}, golden_)
                  .status()
                  .message(),
              HasSubstr("/nowhere/s.textproto"));
}

}  // namespace
}  // namespace repro16
