#include "reports/environment.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/io/proto_file.h"
#include "engine/run/run.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

// Writes a file of the test's folder; returns its path.
std::string Write(const std::string& name,
                  const google::protobuf::Message& message) {
  const std::string path = absl::StrCat(testing::TempDir(), name, ".pb");
  EXPECT_TRUE(WriteBinaryProto(path, message).ok());
  return path;
}

RunTelemetry Telemetry(const std::string& device, const std::string& simd,
                       int64_t planned = 0, int64_t peak = 0) {
  RunTelemetry telemetry;
  telemetry.set_device(device);
  telemetry.set_simd_target(simd);
  telemetry.set_train_seconds(2);
  telemetry.set_evaluate_seconds(1);
  telemetry.set_planned_bytes(planned);
  telemetry.set_peak_rss_bytes(peak);
  return telemetry;
}

TEST(EnvironmentOfTest, NamesEachMachineOnce) {
  const auto environment = EnvironmentOf({
      Write("a", Telemetry("x, 12 threads", "AVX3_ZEN4")),
      Write("b", Telemetry("x, 1 thread", "AVX3")),
      Write("c", Telemetry("x, 12 threads", "AVX3")),
  });
  ASSERT_TRUE(environment.ok()) << environment.status();
  EXPECT_EQ(environment->simd_target(), "AVX3, AVX3_ZEN4");
  EXPECT_EQ(environment->device(), "x, 1 thread; x, 12 threads");
  EXPECT_EQ(environment->wall_seconds(), 9);
}

RunResult Result(const std::string& policy) {
  RunResult result;
  result.mutable_spec()->set_policy(policy);
  result.set_parameter_count(10);
  return result;
}

TEST(MemoryOfTest, TakesTheMostOfEachPolicy) {
  const std::vector<std::string> results = {Write("r1", Result("FP32")),
                                            Write("r2", Result("FP16")),
                                            Write("r3", Result("FP32"))};
  const std::vector<std::string> telemetry = {
      Write("t1", Telemetry("", "", 40, 500)),
      Write("t2", Telemetry("", "", 20, 300)),
      Write("t3", Telemetry("", "", 40, 400))};
  const auto memory = MemoryOf(results, telemetry);
  ASSERT_TRUE(memory.ok()) << memory.status();
  ASSERT_EQ(memory->size(), 2u);
  EXPECT_EQ((*memory)[0].policy(), "FP32");
  EXPECT_EQ((*memory)[0].parameters(), 10);
  EXPECT_EQ((*memory)[0].planned_bytes(), 40);
  EXPECT_EQ((*memory)[0].peak_rss_bytes(), 500);
  EXPECT_EQ((*memory)[1].policy(), "FP16");
  EXPECT_EQ((*memory)[1].peak_rss_bytes(), 300);
  EXPECT_FALSE(MemoryOf(results, {telemetry[0]}).ok());
}

TEST(RunTimesOfTest, TellsWhatIsOfTheLastPartAlone) {
  RunResult result = Result("FP16");
  result.mutable_spec()->set_batch_size(10);
  for (int i = 0; i < 20; ++i) result.add_steps();
  RunTelemetry whole = Telemetry("x, 1 thread", "AVX3");
  whole.set_train_images_per_second(95);  // for 2 seconds
  RunTelemetry part = whole;
  part.set_train_images_per_second(10);
  const std::string path = Write("r", result);
  const auto times =
      RunTimesOf({path, path}, {Write("whole", whole), Write("part", part)});
  ASSERT_TRUE(times.ok()) << times.status();
  EXPECT_THAT((*times)[0].run(), testing::StartsWith(" FP16 "));
  EXPECT_EQ((*times)[0].train_seconds(), 2);
  EXPECT_EQ((*times)[0].device(), "x, 1 thread");
  EXPECT_FALSE((*times)[0].partial());
  EXPECT_TRUE((*times)[1].partial());
}

}  // namespace
}  // namespace repro16
