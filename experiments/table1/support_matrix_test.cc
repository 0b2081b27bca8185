#include "experiments/table1/support_matrix.h"

#include <string>
#include <string_view>

#include "engine/io/proto_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kSupport = R"(
toolkit: "ptxas 1.2"
targets { name: "sm_75" architecture: "Turing" ptx_version: "7.0" }
targets { name: "sm_80" architecture: "Ampere" ptx_version: "7.0" }
targets { name: "sm_86" architecture: "Ampere" ptx_version: "7.0" }
targets { name: "sm_87" architecture: "Ampere" }
probes {
  core: TENSOR type: "FP8" instruction: "mma"
  answers { target: "sm_75" message: "no" }
  answers { target: "sm_80" message: "no" }
  answers { target: "sm_86" accepted: true }
}
probes {
  core: CUDA type: "FP16" instruction: "fma"
  answers { target: "sm_75" accepted: true }
  answers { target: "sm_80" accepted: true }
  answers { target: "sm_86" accepted: true }
}
probes {
  core: TENSOR type: "FP8" instruction: "wgmma"
  answers { target: "sm_75" message: "no" }
  answers { target: "sm_80" accepted: true }
  answers { target: "sm_86" accepted: true }
}
)";

Support Parse(std::string_view text) {
  Support support;
  EXPECT_TRUE(ParseTextProto(text, "support", &support).ok());
  return support;
}

TEST(SupportMatrixTest, TargetsAreOfTheirArchitectureKnownOrNot) {
  const Support support = Parse(kSupport);
  ASSERT_TRUE(CheckSupport(support).ok());
  EXPECT_THAT(KnownTargets(support, "Ampere"), ElementsAre("sm_80", "sm_86"));
  EXPECT_THAT(UnknownTargets(support, "Ampere"), ElementsAre("sm_87"));
  EXPECT_THAT(KnownTargets(support, "Hopper"), IsEmpty());
}

TEST(SupportMatrixTest, TheInstructionsOfATypeAreTakenTogether) {
  const Support support = Parse(kSupport);
  const auto ampere = TypesOf(support, Support::TENSOR, "Ampere");
  ASSERT_EQ(ampere.size(), 1u);
  EXPECT_EQ(ampere[0].type, "FP8");
  EXPECT_THAT(ampere[0].targets, ElementsAre("sm_80", "sm_86"));
  EXPECT_THAT(ampere[0].instructions, ElementsAre("wgmma", "mma"));

  const auto turing = TypesOf(support, Support::TENSOR, "Turing");
  ASSERT_EQ(turing.size(), 1u);
  EXPECT_THAT(turing[0].targets, IsEmpty());
  EXPECT_THAT(turing[0].instructions, IsEmpty());
}

TEST(SupportMatrixTest, AnswersThatDoNotFitTheTargetsAreNamed) {
  Support support = Parse(kSupport);
  support.mutable_probes(1)->mutable_answers()->RemoveLast();
  EXPECT_THAT(CheckSupport(support).message(), HasSubstr("fma has not one"));

  support = Parse(kSupport);
  support.mutable_probes(2)->mutable_answers(0)->set_target("sm_87");
  EXPECT_THAT(CheckSupport(support).message(), HasSubstr("wgmma has not one"));

  support = Parse(kSupport);
  support.mutable_targets(0)->set_architecture("Volta");
  EXPECT_THAT(CheckSupport(support).message(),
              HasSubstr("\"Volta\" of sm_75 is no column"));
}

}  // namespace
}  // namespace repro16
