#include "analysis/step_time_model.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/device.pb.h"
#include "engine/graph/builder.h"
#include "engine/io/proto_file.h"

namespace repro16 {
namespace {

// 100 Gflop/s in f32, 400 in f16, 10 GB/s, 2 us a launch.
Device MakeDevice() {
  Device device;
  device.set_name("test");
  const auto set = [](Figure* figure, double value) {
    figure->set_value(value);
    figure->set_source("made up");
  };
  set(device.mutable_memory_gb(), 1);
  set(device.mutable_bandwidth_gb_per_s(), 10);
  set(device.mutable_f32_tflops(), 0.1);
  set(device.mutable_f16_tflops(), 0.4);
  set(device.mutable_launch_us(), 2);
  return device;
}

void ExpectTime(const ModelTime& time, double launch, double compute,
                double bandwidth) {
  EXPECT_DOUBLE_EQ(time.launch, launch);
  EXPECT_DOUBLE_EQ(time.compute, compute);
  EXPECT_DOUBLE_EQ(time.bandwidth, bandwidth);
  EXPECT_DOUBLE_EQ(time.Total(), launch + compute + bandwidth);
}

// 1000 x 1000 x 1000: 2e9 operations in 20 ms, 12 MB in 1.2 ms.
TEST(StepTimeModelTest, MatrixProductIsBoundByOperations) {
  const Kernel kernel{Pass::kForward, MathUnit::kF32, 2e9, 12e6};
  ExpectTime(KernelTime(kernel, MakeDevice(), {1, 2}), 2e-6, 20e-3, 0);
  // Half the peak rate takes twice as long.
  ExpectTime(KernelTime(kernel, MakeDevice(), {0.5, 2}), 2e-6, 40e-3, 0);
}

TEST(StepTimeModelTest, ElementwiseKernelIsBoundByBytes) {
  const Kernel kernel{Pass::kForward, MathUnit::kF32, 0, 30e6};
  ExpectTime(KernelTime(kernel, MakeDevice(), {1, 2}), 2e-6, 0, 3e-3);
  // Operations that hide behind the bytes change nothing.
  const Kernel hidden{Pass::kForward, MathUnit::kF32, 1e8, 30e6};
  ExpectTime(KernelTime(hidden, MakeDevice(), {1, 2}), 2e-6, 0, 3e-3);
}

TEST(StepTimeModelTest, SmallKernelIsBoundByItsLaunch) {
  const Kernel kernel{Pass::kForward, MathUnit::kF32, 0, 100};
  const ModelTime time = KernelTime(kernel, MakeDevice(), {1, 2});
  ExpectTime(time, 2e-6, 0, 1e-8);
  EXPECT_GT(time.launch, 0.99 * time.Total());
}

TEST(StepTimeModelTest, KernelsAddUp) {
  const std::vector<Kernel> kernels = {
      {Pass::kForward, MathUnit::kF32, 2e9, 12e6},
      {Pass::kForward, MathUnit::kF32, 0, 30e6}};
  const ModelTime time = TotalTime(kernels, MakeDevice(), {1, 2});
  ExpectTime(time, 4e-6, 20e-3, 3e-3);
  EXPECT_EQ(time.kernels, 2);
  const std::vector<RepeatedKernels> run = {{3, kernels}, {1, {kernels[1]}}};
  ExpectTime(TotalTime(run, MakeDevice(), {1, 2}), 14e-6, 60e-3, 12e-3);
}

TEST(StepTimeModelTest, MissingMatrixUnitsAreTheVectorUnits) {
  const Device device = MakeDevice();
  EXPECT_DOUBLE_EQ(PeakRate(device, MathUnit::kF32), 1e11);
  EXPECT_DOUBLE_EQ(PeakRate(device, MathUnit::kF16), 4e11);
  EXPECT_DOUBLE_EQ(PeakRate(device, MathUnit::kTf32), 1e11);
  EXPECT_DOUBLE_EQ(PeakRate(device, MathUnit::kF16Acc16), 1e11);
}

Graph SmallNetwork() {
  GraphBuilder b;
  const TensorId x = b.Input(Shape({8, 8, 3}));
  const TensorId y = b.Relu(b.BatchNorm(b.Conv2D(x, 16, {3, 3, 1})));
  return *std::move(b).Classifier(b.Dense(b.GlobalAveragePool(y), 10));
}

double StepSeconds(std::string_view policy, int64_t batch) {
  const Device device = MakeDevice();
  return TotalTime(TrainingKernels(SmallNetwork(), *FindPolicy(policy),
                                   {batch, /*tf32=*/true}),
                   device, ParametersOf(device))
      .Total();
}

TEST(StepTimeModelTest, ALargerBatchTakesLongerButLessForEachExample) {
  for (const PrecisionPolicy& policy : AllPolicies()) {
    for (int64_t batch = 1; batch < 2000; batch *= 3) {
      const double seconds = StepSeconds(policy.name, batch);
      const double more = StepSeconds(policy.name, batch * 3);
      EXPECT_LT(seconds, more) << policy.name << " " << batch;
      EXPECT_LT(more, 3 * seconds) << policy.name << " " << batch;
    }
  }
}

TEST(StepTimeModelTest, SixteenBitsAreFasterAndMixedPrecisionIsBetween) {
  EXPECT_LT(StepSeconds("FP16", 256), StepSeconds("FP16_BN32", 256));
  EXPECT_LT(StepSeconds("FP16_BN32", 256), StepSeconds("MP", 256));
  EXPECT_LT(StepSeconds("MP", 256), StepSeconds("FP32", 256));
}

// 10 examples in batches of 4 are 2 full ones and a rest of 2; 4 to test are
// one; 3 times.
TEST(StepTimeModelTest, RunsOfAProtocol) {
  const std::vector<RepeatedKernels> run = RunKernels(
      SmallNetwork(), *FindPolicy("FP32"), {3, 10, 4, 4}, /*tf32=*/true);
  ASSERT_EQ(run.size(), 3u);
  EXPECT_EQ(run[0].count, 6);
  EXPECT_EQ(run[1].count, 3);
  EXPECT_EQ(run[2].count, 3);
  EXPECT_DOUBLE_EQ(run[0].kernels[0].flops, 2 * run[1].kernels[0].flops);
  EXPECT_LT(run[2].kernels.size(), run[0].kernels.size());
}

TEST(CheckDeviceTest, NamesTheFieldAtFault) {
  EXPECT_TRUE(CheckDevice(MakeDevice(), "f").ok());
  const auto message = [](const std::function<void(Device&)>& spoil) {
    Device device = MakeDevice();
    spoil(device);
    return std::string(CheckDevice(device, "f").message());
  };
  EXPECT_EQ(message([](Device& d) { d.clear_name(); }), "f: name: is missing");
  EXPECT_EQ(message([](Device& d) { d.clear_launch_us(); }),
            "f: launch_us: is missing; give its value and source");
  EXPECT_EQ(message([](Device& d) { d.mutable_f32_tflops()->set_value(-1); }),
            "f: f32_tflops: value -1 is not above 0");
  EXPECT_EQ(message([](Device& d) { d.mutable_f16_tflops()->clear_source(); }),
            "f: f16_tflops: has no source; say where it is from");
}

// Set by main: the files of analysis/devices.
std::vector<std::string>& DeviceFiles() {
  static auto* files = new std::vector<std::string>;
  return *files;
}

TEST(DeviceFilesTest, EveryFigureHasASource) {
  ASSERT_GE(DeviceFiles().size(), 3u);
  for (const std::string& file : DeviceFiles()) {
    Device device;
    const absl::Status read = ReadTextProto(file, &device);
    ASSERT_TRUE(read.ok()) << read;
    const absl::Status checked = CheckDevice(device, file);
    EXPECT_TRUE(checked.ok()) << checked;
  }
}

// Peak rates follow from units, operations a clock and the boost clock.
TEST(DeviceFilesTest, PeakRatesOfTheRtx4080AddUp) {
  for (const std::string& file : DeviceFiles()) {
    Device device;
    ASSERT_TRUE(ReadTextProto(file, &device).ok());
    if (device.name() != "NVIDIA GeForce RTX 4080") continue;
    const double clock = 2.505e9;
    EXPECT_NEAR(device.f32_tflops().value(), 9728 * 2 * clock / 1e12, 0.05);
    EXPECT_NEAR(device.tf32_tflops().value(), 304 * 64 * clock / 1e12, 0.05);
    EXPECT_NEAR(device.f16_tflops().value(), 304 * 128 * clock / 1e12, 0.05);
    EXPECT_NEAR(device.f16_acc16_tflops().value(), 304 * 256 * clock / 1e12,
                0.05);
    EXPECT_DOUBLE_EQ(device.bandwidth_gb_per_s().value(), 256 * 22.4 / 8);
    return;
  }
  FAIL() << "no file of the RTX 4080";
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  repro16::DeviceFiles().assign(argv + 1, argv + argc);
  return RUN_ALL_TESTS();
}
