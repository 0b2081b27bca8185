// The first training step of every network against Keras 2.15 in f64, which
// shares no code with ours (tools/reference/make_references.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "engine/create_backend.h"
#include "engine/io/safetensors.h"
#include "engine/training/initialize.h"
#include "models/registry.h"
#include "tools/reference/case.h"

namespace repro16 {
namespace {

using Values = std::vector<double>;

// What f32 may cost. Two figures of Keras' own step in f32 against its step in
// f64 stand in the file: ours may be kForwardFactor and kGradientFactor times
// as far away, since another order of sums has other luck.
constexpr double kForwardFactor = 8;
constexpr double kGradientFactor = 3;
// Where Keras was lucky.
constexpr double kForwardFloor = 2e-6;
constexpr double kSmoothGradientFloor = 1e-5;
// One unit so near the kink of a ReLU, or two pixels so near a tie in a max
// pooling, that f32 falls on the other side moves every gradient before it by
// about 0.01 of its norm (measured between f64 and f32 in Keras and PyTorch
// alike). A wrong padding, factor or missing term moves some by 0.3 or more.
constexpr double kKinkedGradientFloor = 0.05;
// Moving statistics come from Keras in f32; they move by 0.01 of their way.
constexpr double kMovingStatistic = 2e-6;

double Norm(const Values& values) {
  double sum = 0;
  for (double value : values) sum += value * value;
  return std::sqrt(sum);
}

double Distance(const Values& a, const Values& b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return std::sqrt(sum);
}

Values FromF32(const std::vector<uint8_t>& bytes) {
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::memcpy(floats.data(), bytes.data(), bytes.size());
  return Values(floats.begin(), floats.end());
}

// tools/reference/digest.py.
struct Digest {
  double sum = 0;
  double norm = 0;
  int64_t size = 0;
  Values samples;
};

constexpr int64_t kSamples = 64;

Digest DigestOf(const Values& values) {
  Digest digest;
  for (double value : values) digest.sum += value;
  digest.norm = Norm(values);
  digest.size = static_cast<int64_t>(values.size());
  const int64_t count = std::min(kSamples, digest.size);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = i * digest.size / count;
    const int64_t end = (i + 1) * digest.size / count;
    digest.samples.push_back(values[begin + i * 40503 % (end - begin)]);
  }
  return digest;
}

// Largest of the three distances, each relative to what is usual for a tensor
// of `scale`'s norm: the norm itself; of the sum, the norm times sqrt(size)
// (its bound, by Cauchy and Schwarz); of k samples, their share sqrt(k / size)
// of the norm, or their own norm where that is larger.
double RelativeDistance(const Digest& actual, const Digest& expected,
                        double scale) {
  const auto size = static_cast<double>(expected.size);
  const double share =
      scale * std::sqrt(static_cast<double>(expected.samples.size()) / size);
  return std::max(
      {std::abs(actual.norm - expected.norm) / scale,
       std::abs(actual.sum - expected.sum) / (scale * std::sqrt(size)),
       Distance(actual.samples, expected.samples) /
           std::max(share, Norm(expected.samples))});
}

class ModelReferenceTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto file =
        ReadSafetensors("tests/reference/" + GetParam() + ".safetensors");
    ASSERT_TRUE(file.ok()) << file.status();
    file_ = *std::move(file);
    auto reference = MakeReferenceCase(GetParam());
    ASSERT_TRUE(reference.ok()) << reference.status();
    case_ = *std::move(reference);
  }

  const Graph& graph() const { return case_.graph; }
  size_t parameters() const { return graph().parameters.size(); }

  Values Expected(const std::string& name) const {
    const SafetensorsTensor* tensor = file_.Find(name);
    EXPECT_NE(tensor, nullptr) << name;
    return tensor == nullptr ? Values() : ToDoubles(*tensor);
  }

  // Of the parameters, then of the images.
  std::vector<Digest> ExpectedDigests() const {
    std::vector<int64_t> sizes;
    for (const Parameter& parameter : graph().parameters) {
      sizes.push_back(parameter.shape.NumElements());
    }
    sizes.push_back(static_cast<int64_t>(case_.images.size()));
    const Values moments = Expected("moments");
    const Values samples = Expected("samples");
    EXPECT_EQ(moments.size(), 2 * sizes.size());
    std::vector<Digest> digests;
    auto next = samples.begin();
    for (size_t i = 0; i < sizes.size(); ++i) {
      const int64_t count = std::min(kSamples, sizes[i]);
      if (samples.end() - next < count) {
        ADD_FAILURE() << "the file has too few samples";
        break;
      }
      digests.push_back({moments[2 * i], moments[2 * i + 1], sizes[i],
                         Values(next, next + count)});
      next += count;
    }
    EXPECT_EQ(next, samples.end());
    return digests;
  }

  bool HasKinks() const {
    return std::any_of(
        graph().ops.begin(), graph().ops.end(), [](const Op& op) {
          return op.kind == OpKind::kRelu || op.kind == OpKind::kRelu6 ||
                 op.kind == OpKind::kMaxPool;
        });
  }

  std::string NameOf(size_t i) const {
    return i < parameters() ? graph().parameters[i].name : "images";
  }

  bool IsMoving(size_t i) const {
    return i < parameters() && !graph().parameters[i].trainable();
  }

  // A bias before a batch normalisation has a gradient of 0 in exact
  // arithmetic; what f32 leaves is noise beside the gradients of its size
  // around it. So no tensor counts as smaller than a thousandth of its share
  // of the whole gradient.
  double SmallestScale(const std::vector<Digest>& digests, size_t i) const {
    double square = 0;
    double size = 0;
    for (size_t j = 0; j < digests.size(); ++j) {
      if (IsMoving(j)) continue;
      square += digests[j].norm * digests[j].norm;
      size += static_cast<double>(digests[j].size);
    }
    return 1e-3 *
           std::sqrt(square / size * static_cast<double>(digests[i].size));
  }

  void ExpectNear(const std::string& name, const Values& actual,
                  double tolerance) const {
    const Values expected = Expected(name);
    EXPECT_LE(Distance(actual, expected), tolerance * Norm(expected)) << name;
  }

  Safetensors file_;
  ReferenceCase case_;
};

TEST_P(ModelReferenceTest, FirstStepIsThatOfKeras) {
  auto backend = *CreateBackend("cpu", {2});
  CompileOptions options;
  options.max_batch = kReferenceBatch;
  options.optimizer.emplace().mutable_sgd()->set_learning_rate(0.01);
  options.keep_all_tensors = true;
  options.input_gradient = true;
  auto compiled = backend->Compile(graph(), *FindPolicy("FP32"), options);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  Program& program = **compiled;
  for (size_t i = 0; i < parameters(); ++i) {
    const std::vector<float>& values = case_.parameters[i];
    const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
    ASSERT_TRUE(program
                    .WriteParameter(static_cast<ParameterId>(i),
                                    {bytes, values.size() * sizeof(float)})
                    .ok());
  }
  ASSERT_TRUE(program.SetInputTable(case_.table).ok());
  const auto upload = [&](const std::vector<uint8_t>& bytes) {
    auto buffer = *backend->Allocate(static_cast<int64_t>(bytes.size()));
    EXPECT_TRUE(backend->Upload(bytes, *buffer).ok());
    return buffer;
  };
  const auto images = upload(case_.images);
  const auto labels = upload(case_.labels);
  const BatchSource source{images.get(), labels.get()};
  const Values f32_error = Expected("f32_error");
  ASSERT_EQ(f32_error.size(), 2u);
  const double forward = std::max(kForwardFloor, kForwardFactor * f32_error[0]);

  ASSERT_TRUE(program.EvaluateBatch(source, 0, kReferenceBatch, nullptr).ok());
  ExpectNear("logits",
             FromF32(*program.ReadTensor(graph().output, kReferenceBatch)),
             forward);

  ASSERT_TRUE(program.TrainStep(source, 0, kReferenceBatch, 0).ok());
  ExpectNear("training_logits",
             FromF32(*program.ReadTensor(graph().output, kReferenceBatch)),
             forward);
  const auto records = program.TakeRecords();
  ASSERT_TRUE(records.ok()) << records.status();
  ExpectNear("loss", {records->back().loss}, forward);

  const std::vector<Digest> expected = ExpectedDigests();
  ASSERT_EQ(expected.size(), parameters() + 1);
  const double gradient =
      std::max(HasKinks() ? kKinkedGradientFloor : kSmoothGradientFloor,
               kGradientFactor * f32_error[1]);
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto id = static_cast<ParameterId>(i);
    const auto bytes =
        i == parameters() ? program.ReadGradient(graph().input, kReferenceBatch)
        : IsMoving(i)     ? program.ReadParameter(id)
                          : program.ReadParameterGradient(id);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    const double scale =
        IsMoving(i) ? expected[i].norm
                    : std::max(expected[i].norm, SmallestScale(expected, i));
    const double distance =
        RelativeDistance(DigestOf(FromF32(*bytes)), expected[i], scale);
    EXPECT_LE(distance, IsMoving(i) ? kMovingStatistic : gradient) << NameOf(i);
    if (!IsMoving(i)) worst = std::max(worst, distance);
  }
  RecordProperty("worst_gradient", std::to_string(worst));
}

// The two draw from different streams; mean and deviation of n draws agree
// within six standard errors (of a uniform or normal draw: at most sd / sqrt(n)
// for both), two draws being compared.
TEST_P(ModelReferenceTest, InitialValuesAreDistributedAsInKeras) {
  const Values expected = Expected("initial");
  ASSERT_EQ(expected.size(), 2 * parameters());
  for (size_t i = 0; i < parameters(); ++i) {
    const std::vector<float> values =
        InitialValues(graph().parameters[i], static_cast<ParameterId>(i), 1);
    const auto n = static_cast<double>(values.size());
    double mean = 0;
    for (float value : values) mean += value / n;
    double variance = 0;
    for (float value : values) variance += (value - mean) * (value - mean) / n;
    const double deviation = expected[2 * i + 1];
    // A constant's mean is rounded.
    const double tolerance = 6 * deviation * std::sqrt(2 / n) + 1e-9;
    EXPECT_NEAR(mean, expected[2 * i], tolerance) << NameOf(i);
    EXPECT_NEAR(std::sqrt(variance), deviation, tolerance) << NameOf(i);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ModelReferenceTest,
                         testing::ValuesIn(ModelNames()),
                         [](const testing::TestParamInfo<std::string>& info) {
                           return info.param;
                         });

}  // namespace
}  // namespace repro16
