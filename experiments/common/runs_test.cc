#include "experiments/common/runs.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/io/safetensors.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

TrainedRun MakeRun(std::string policy, uint64_t seed) {
  TrainedRun run;
  run.result.mutable_spec()->set_policy(policy);
  run.result.mutable_spec()->set_seed(seed);
  run.result.mutable_spec()->set_scale("lite");
  run.result.add_epochs();
  return run;
}

std::string Error(std::vector<TrainedRun> runs) {
  return std::string(
      RunSet::Create(std::move(runs), "lite").status().message());
}

TEST(RunSetTest, OrdersByPolicyThenSeedAndPairsBySeed) {
  const absl::StatusOr<RunSet> set = RunSet::Create(
      {MakeRun("BF16", 1), MakeRun("FP16", 3), MakeRun("FP16", 1),
       MakeRun("FP32", 1), MakeRun("FP32", 2), MakeRun("FP32", 3)},
      "lite");
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->Policies(),
            (std::vector<std::string>{"FP32", "FP16", "BF16"}));
  const std::vector<RunSet::Pair> pairs = set->Pairs("FP16", "FP32");
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].a->policy(), "FP16");
  EXPECT_EQ(pairs[0].b->policy(), "FP32");
  EXPECT_EQ(pairs[0].a->seed(), 1u);
  EXPECT_EQ(pairs[1].b->seed(), 3u);
}

TEST(RunSetTest, RefusesWhatCannotBeCompared) {
  EXPECT_NE(Error({}).find("no run"), std::string::npos);
  EXPECT_NE(Error({MakeRun("FP8", 1)}).find("FP8"), std::string::npos);
  EXPECT_NE(Error({MakeRun("FP16", 1), MakeRun("FP16", 1)}).find("twice"),
            std::string::npos);

  TrainedRun other_data = MakeRun("FP16", 2);
  other_data.result.set_data_digest("ab");
  EXPECT_NE(Error({MakeRun("FP16", 1), other_data}).find("different data"),
            std::string::npos);

  const auto refused = [](void (*change)(RunSpec*)) {
    TrainedRun other = MakeRun("FP16", 2);
    change(other.result.mutable_spec());
    return Error({MakeRun("FP16", 1), other});
  };
  EXPECT_NE(refused([](RunSpec* s) { s->set_model("m"); }).find("model"),
            std::string::npos);
  EXPECT_NE(refused([](RunSpec* s) { s->set_backend("cuda"); }).find("backend"),
            std::string::npos);
  EXPECT_NE(refused([](RunSpec* s) {
              s->set_backend("cuda_emulated");
            }).find("gives no results"),
            std::string::npos);
  EXPECT_NE(refused([](RunSpec* s) { s->set_epochs(2); }).find("epochs"),
            std::string::npos);
  EXPECT_NE(refused([](RunSpec* s) { s->set_batch_size(2); }).find("batch"),
            std::string::npos);
  EXPECT_NE(refused([](RunSpec* s) {
              s->mutable_optimizer()->mutable_sgd()->set_momentum(0.5);
            }).find("optimizer"),
            std::string::npos);
  EXPECT_NE(refused([](RunSpec* s) {
              s->mutable_data()->set_normalization("standardized");
            }).find("another data"),
            std::string::npos);

  TrainedRun other_version = MakeRun("FP16", 2);
  other_version.result.set_numerics_version(7);
  EXPECT_NE(Error({MakeRun("FP16", 1), other_version}).find("numerics"),
            std::string::npos);

  TrainedRun other_scale = MakeRun("FP16", 1);
  other_scale.result.mutable_spec()->set_scale("paper");
  EXPECT_NE(Error({other_scale}).find("paper"), std::string::npos);

  TrainedRun no_epoch = MakeRun("FP16", 1);
  no_epoch.result.clear_epochs();
  EXPECT_NE(Error({no_epoch}).find("no epoch"), std::string::npos);
}

TrainedRun MakeRunOf(std::string model, std::string policy, uint64_t seed) {
  TrainedRun run = MakeRun(policy, seed);
  run.result.mutable_spec()->set_model(model);
  return run;
}

TEST(RunSetTest, GroupsRunsBySpecification) {
  TrainedRun wide = MakeRunOf("vit8", "FP16", 1);
  wide.result.mutable_spec()->mutable_model_options()->set_width(2);
  const auto sets = RunSet::CreateSets(
      {MakeRunOf("vit8", "FP16", 1), MakeRunOf("alexnet", "FP16", 1), wide,
       MakeRunOf("vit8", "FP32", 2)},
      "lite");
  ASSERT_TRUE(sets.ok()) << sets.status();
  ASSERT_EQ(sets->size(), 3u);
  EXPECT_EQ((*sets)[0].spec().model(), "vit8");
  EXPECT_EQ((*sets)[0].runs().size(), 2u);
  EXPECT_EQ((*sets)[1].spec().model(), "alexnet");
  EXPECT_EQ((*sets)[2].spec().model_options().width(), 2);
  EXPECT_TRUE(RunSet::CreateSets({}, "lite")->empty());
}

TEST(RunSetTest, RefusesSetsThatCannotStandTogether) {
  const auto error = [](TrainedRun other) {
    return std::string(
        RunSet::CreateSets({MakeRunOf("vit8", "FP16", 1), other}, "lite")
            .status()
            .message());
  };
  TrainedRun other = MakeRunOf("alexnet", "FP16", 1);
  other.result.set_numerics_version(7);
  EXPECT_NE(error(other).find("numerics"), std::string::npos);
  other = MakeRunOf("alexnet", "FP16", 1);
  other.result.set_data_digest("ab");
  EXPECT_NE(error(other).find("different data"), std::string::npos);
  EXPECT_NE(error(MakeRunOf("vit8", "FP16", 1)).find("twice"),
            std::string::npos);
}

// Writes 2 examples of 3 classes; returns the run that has them.
TrainedRun WithProbabilities(std::string name, std::vector<uint16_t> halves,
                             int64_t second_label) {
  Safetensors file;
  file.tensors.push_back(
      {"probabilities", SafetensorsType::kF16, Shape({2, 3}),
       std::string(reinterpret_cast<const char*>(halves.data()),
                   halves.size() * sizeof(uint16_t))});
  const int64_t labels[] = {0, second_label};
  file.tensors.push_back(
      {"labels", SafetensorsType::kI64, Shape({2}),
       std::string(reinterpret_cast<const char*>(labels), sizeof(labels))});
  TrainedRun run = MakeRun("FP16", 1);
  run.probabilities_path = testing::TempDir() + name;
  EXPECT_TRUE(WriteSafetensors(run.probabilities_path, file).ok());
  return run;
}

TEST(LoadProbabilitiesTest, ReadsValuesExactlyAndComparesExamples) {
  // 1/2, 1/4, 1/4; smallest subnormal, 1, 0.
  const std::vector<uint16_t> halves = {0x3800, 0x3400, 0x3400,
                                        0x0001, 0x3c00, 0x0000};
  const TrainedRun a = WithProbabilities("a.safetensors", halves, 1);
  const TrainedRun b = WithProbabilities("b.safetensors", halves, 2);
  const absl::StatusOr<Probabilities> pa = LoadProbabilities(a);
  const absl::StatusOr<Probabilities> pb = LoadProbabilities(b);
  ASSERT_TRUE(pa.ok()) << pa.status();
  ASSERT_TRUE(pb.ok()) << pb.status();
  EXPECT_EQ(pa->values, (std::vector<double>{0.5, 0.25, 0.25, 0x1p-24, 1, 0}));
  EXPECT_EQ(pa->Row(1)[1], 1);
  EXPECT_TRUE(CheckSameExamples(a, *pa, a, *pa).ok());
  EXPECT_FALSE(CheckSameExamples(a, *pa, b, *pb).ok());
}

TEST(LoadProbabilitiesTest, NamesAMissingFile) {
  TrainedRun run = MakeRun("FP16", 1);
  run.probabilities_path = "/nowhere/p.safetensors";
  EXPECT_NE(LoadProbabilities(run).status().message().find("/nowhere/p"),
            std::string::npos);
}

}  // namespace
}  // namespace repro16
