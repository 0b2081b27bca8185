// The bits of every operation depend neither on threads nor on the instruction
// set.
#include "engine/cpu/cpu_backend.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/graph/builder.h"
#include "engine/graph/testing/case_run.h"
#include "engine/graph/testing/op_case.h"
#include "engine/graph/testing/values.h"
#include "engine/numerics/simd_target.h"

namespace repro16 {
namespace {

using Parameters = std::tuple<size_t, std::string>;  // of OpCases(); policy

class BitsTest : public testing::TestWithParam<Parameters> {
 protected:
  // So large that most operations split their work.
  static constexpr int64_t kManyExamples = 67;

  ~BitsTest() override { EXPECT_TRUE(SelectSimdTarget("auto").ok()); }
};

void ExpectSame(const PassBytes& a, const PassBytes& b, const Graph& graph) {
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    EXPECT_TRUE(a.tensors[i] == b.tensors[i]) << graph.tensors[i].name;
    EXPECT_TRUE(a.gradients[i] == b.gradients[i])
        << "gradient of " << graph.tensors[i].name;
  }
  for (size_t i = 0; i < a.parameters.size(); ++i) {
    EXPECT_TRUE(a.parameters[i] == b.parameters[i]) << graph.parameters[i].name;
    EXPECT_TRUE(a.parameter_gradients[i] == b.parameter_gradients[i])
        << "gradient of " << graph.parameters[i].name;
  }
}

TEST_P(BitsTest, SameForEveryThreadCountAndTarget) {
  const OpCase& c = OpCases()[std::get<0>(GetParam())];
  const PrecisionPolicy policy = Policy(std::get<1>(GetParam()));
  const Graph graph = BuildGraph(c);
  std::optional<PassBytes> inference, training;
  for (const std::string& target : UsableSimdTargets()) {
    for (int threads : {1, 2, 3, 7}) {
      SCOPED_TRACE(testing::Message() << target << ", threads: " << threads);
      const auto backend = *CreateCpuBackend({threads, target});
      const CaseRun run(*backend, graph, policy, kManyExamples, c.scale,
                        c.input_kind);
      if (!inference.has_value()) {
        inference = run.bytes(/*training=*/false);
        training = run.bytes(/*training=*/true);
      }
      ExpectSame(*inference, run.bytes(/*training=*/false), graph);
      ExpectSame(*training, run.bytes(/*training=*/true), graph);
    }
  }
#if defined(__x86_64__)
  EXPECT_GE(UsableSimdTargets().size(), 2u)
      << "one target alone proves nothing";
#endif
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BitsTest,
    testing::Combine(testing::Range(size_t{0}, OpCases().size()),
                     testing::Values("FP32", "FP16", "BF16", "FP16_ACC16")),
    [](const auto& info) {
      return OpCases()[std::get<0>(info.param)].name + "_" +
             std::get<1>(info.param);
    });

// Workspaces have the size that the instruction set needs.
TEST(CpuBackendTest, AProgramRunsOnTheInstructionSetItWasCompiledFor) {
  if (UsableSimdTargets().size() < 2) GTEST_SKIP() << "there is one alone";
  const auto backend = *CreateCpuBackend({1, UsableSimdTargets()[0]});
  GraphBuilder b;
  const TensorId y = b.Dense(b.Input(Shape({4})), 2);
  const Graph graph = *std::move(b).Build(y);
  const auto program = *backend->Compile(graph, Policy("FP32"), {});
  ASSERT_TRUE(program->WriteInput(std::vector<uint8_t>(16)).ok());
  EXPECT_TRUE(program->Forward(1, /*training=*/false).ok());
  ASSERT_TRUE(SelectSimdTarget(UsableSimdTargets()[1]).ok());
  const absl::Status status = program->Forward(1, /*training=*/false);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  ASSERT_TRUE(SelectSimdTarget(UsableSimdTargets()[0]).ok());
  EXPECT_TRUE(program->Forward(1, /*training=*/false).ok());
  ASSERT_TRUE(SelectSimdTarget("auto").ok());
}

}  // namespace
}  // namespace repro16
