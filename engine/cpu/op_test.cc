// Every operation, forward and backward, in every policy, against f64
// implementations that share no code with the kernels; and its bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/cpu/op_case.h"
#include "engine/cpu/op_case_run.h"
#include "engine/cpu/op_reference.h"
#include "engine/cpu/test_util.h"
#include "engine/numerics/simd_target.h"

namespace repro16 {
namespace {

constexpr int64_t kBatch = 5;

TEST(OpCasesTest, EveryOperationHasACase) {
  std::map<OpKind, int> covered;
  std::set<std::string> names;
  for (const OpCase& c : OpCases()) {
    EXPECT_TRUE(names.insert(c.name).second) << c.name;
    const Graph graph = BuildGraph(c);
    for (const Op& op : graph.ops) covered[c.kind] += op.kind == c.kind;
  }
  for (const OpTraits& op : kOps) EXPECT_GE(covered[op.kind], 1) << op.name;
}

// Half the distance of neighbours, relative to the number: the largest error
// of one rounding.
double UnitRoundoff(DType type) {
  switch (type) {
    case DType::kF32:
      return 0x1p-24;
    case DType::kF16:
      return 0x1p-11;
    case DType::kBF16:
      return 0x1p-8;
  }
  return 0;
}

// Of one rounding of `exact`; half the distance of binary16's subnormal numbers
// is the least.
double OneRounding(double exact, DType type) {
  const double least = type == DType::kF16 ? 0x1p-25 : 0;
  return std::max(std::abs(exact) * UnitRoundoff(type), least);
}

bool IsDotProduct(OpKind kind) {
  return kind == OpKind::kDense || kind == OpKind::kConv2D ||
         kind == OpKind::kDepthwiseConv2D || kind == OpKind::kAttentionScores ||
         kind == OpKind::kAttentionContext;
}

// Error of a result before it is rounded to storage. An operation computes in
// f32, so its error is at most some roundings a term, each relative to the
// magnitude of the terms (Higham, Accuracy and Stability of Numerical
// Algorithms, 3.1), and some more for divisions, square roots and elementary
// functions (engine/numerics/elementary.h). With f16 accumulators each of two
// roundings a term counts.
double OfArithmetic(OpKind kind, int64_t terms, double magnitude,
                    DType accumulator) {
  const auto n = static_cast<double>(terms);
  if (IsDotProduct(kind) && accumulator == DType::kF16) {
    return 2 * (n + 1) *
           (magnitude * UnitRoundoff(DType::kF16) +
            OneRounding(0, DType::kF16));
  }
  return (n + (IsDotProduct(kind) ? 2 : 16)) * magnitude *
         UnitRoundoff(DType::kF32);
}

// What a backward pass adds that takes its derivative from the output as
// stored: 1 - y^2 of tanh, y[j] * (dy[j] - sum_i y[i] * dy[i]) of softmax.
double OfStoredOutput(OpKind kind, const Values& y, const Gradient& gradient,
                      size_t j, DType type) {
  if (kind != OpKind::kTanh && kind != OpKind::kSoftmax) return 0;
  return 2 * UnitRoundoff(type) *
         (gradient.magnitude[j] + std::abs(y[j]) * gradient.weighted_reach[j]);
}

// GeluDerivative has an absolute error.
double OfDerivative(OpKind kind, double reach) {
  return kind == OpKind::kGelu ? 4 * UnitRoundoff(DType::kF32) * reach : 0;
}

// Of central differences in f64.
double OfDifferences(double reach) { return 3e-9 * (1 + reach); }

using Parameters = std::tuple<size_t, std::string>;  // of OpCases(); policy

class OpTest : public testing::TestWithParam<Parameters> {
 protected:
  OpTest()
      : case_(OpCases()[std::get<0>(GetParam())]),
        policy_(Policy(std::get<1>(GetParam()))),
        run_(BuildGraph(case_), policy_, kBatch, case_.scale,
             case_.input_kind) {}

  // Calls f(op, inputs, parameters) for each operation that the case is about.
  template <class F>
  void ForEachOp(bool training, const F& f) const {
    for (const Op& op : run_.graph().ops) {
      const bool evaluation_only =
          training && op.output == run_.graph().probabilities;
      if (op.kind != case_.kind || evaluation_only) continue;
      SCOPED_TRACE(op.name);
      std::vector<Values> inputs;
      std::vector<Values> parameters;
      for (TensorId id : op.inputs) inputs.push_back(run_.Tensor(id, training));
      for (ParameterId id : op.parameters) {
        parameters.push_back(run_.AsRead(id));
      }
      f(op, inputs, parameters);
    }
  }

  void ExpectForward(bool training) const {
    ForEachOp(training, [&](const Op& op, const std::vector<Values>& inputs,
                            const std::vector<Values>& parameters) {
      const ReferencePass pass = run_.Reference(training);
      const Values y = run_.Tensor(op.output, training);
      const Values exact =
          EvaluateOp(run_.graph(), op, inputs, parameters, pass);
      const Derivatives sensitivity =
          Differentiate(run_.graph(), op, inputs, parameters,
                        Values(exact.size(), 1.0), pass);
      ASSERT_EQ(y.size(), exact.size());
      for (size_t i = 0; i < y.size(); ++i) {
        const double of_arithmetic =
            TraitsOf(op.kind).forward_moves
                ? 0
                : OfArithmetic(
                      op.kind, sensitivity.output_terms[i],
                      sensitivity.output_magnitude[i] + std::abs(exact[i]),
                      policy_.accumulator);
        ASSERT_NEAR(
            y[i], exact[i],
            OneRounding(exact[i], run_.TypeOf(op.output)) + of_arithmetic)
            << "element " << i << (training ? ", training" : ", inference");
      }
    });
  }

  void ExpectGradient(const Op& op, const Values& actual,
                      const Gradient& gradient, DType type,
                      DType accumulator) const {
    ASSERT_EQ(actual.size(), gradient.value.size());
    const Values y = run_.Tensor(op.output, /*training=*/true);
    for (size_t j = 0; j < actual.size(); ++j) {
      ASSERT_NEAR(actual[j], gradient.value[j],
                  OneRounding(gradient.value[j], type) +
                      OfArithmetic(op.kind, gradient.terms[j],
                                   gradient.magnitude[j], accumulator) +
                      OfStoredOutput(op.kind, y, gradient, j, type) +
                      OfDerivative(op.kind, gradient.reach[j]) +
                      OfDifferences(gradient.reach[j]))
          << "element " << j;
    }
  }

  const OpCase& case_;
  const PrecisionPolicy policy_;
  const CaseRun run_;
};

TEST_P(OpTest, ForwardIsTheF64ResultRoundedOnce) {
  ExpectForward(/*training=*/true);
  ExpectForward(/*training=*/false);
}

TEST_P(OpTest, BackwardIsTheNumericGradient) {
  const Graph& graph = run_.graph();
  ForEachOp(
      /*training=*/true, [&](const Op& op, const std::vector<Values>& inputs,
                             const std::vector<Values>& parameters) {
        const Values upstream = op.output == graph.loss
                                    ? Values(kBatch, run_.LossGradient())
                                    : run_.Gradient(op.output);
        const Derivatives exact =
            Differentiate(graph, op, inputs, parameters, upstream,
                          run_.Reference(/*training=*/true));
        for (size_t i = 0; i < op.inputs.size(); ++i) {
          SCOPED_TRACE(testing::Message() << "input " << i);
          ExpectGradient(op, run_.Gradient(op.inputs[i]), exact.inputs[i],
                         policy_.activation, policy_.accumulator);
        }
        for (size_t i = 0; i < op.parameters.size(); ++i) {
          const ParameterId id = op.parameters[i];
          const Parameter& parameter = graph.parameters[id];
          SCOPED_TRACE(parameter.name);
          if (!parameter.trainable()) continue;
          // A bias takes a plain sum, in f32.
          const DType accumulator =
              parameter.shape.rank() == 1 ? DType::kF32 : policy_.accumulator;
          ExpectGradient(op, run_.ParameterGradient(id), exact.parameters[i],
                         run_.GradientType(id), accumulator);
        }
      });
}

// s = r(s - r(r(s - x) * r(1 - momentum))): four roundings.
void ExpectMoved(const CaseRun& run, ParameterId id, const Values& batch,
                 double momentum) {
  const Values before = run.StoredBefore(id);
  const Values after = run.StoredAfter(id);
  const DType type = run.StoredType(id);
  ASSERT_EQ(after.size(), batch.size());
  for (size_t c = 0; c < batch.size(); ++c) {
    const double step = (before[c] - batch[c]) * (1 - momentum);
    const double exact = before[c] - step;
    const double of_batch = std::abs(batch[c]) * (1 - momentum);
    EXPECT_NEAR(after[c], exact,
                OneRounding(exact, type) + 3 * OneRounding(step, type) +
                    OneRounding(of_batch, type) + 1e-6 * of_batch)
        << "channel " << c;
    // A smaller step may stall (numerics contract).
    if (std::abs(step) > 2 * OneRounding(exact, type)) {
      EXPECT_NE(after[c], before[c]) << "channel " << c;
    }
  }
}

using BatchNormTest = OpTest;

TEST_P(BatchNormTest, StatisticsMoveInTrainingAlone) {
  ForEachOp(/*training=*/true,
            [&](const Op& op, const std::vector<Values>& inputs,
                const std::vector<Values>& parameters) {
              // As Keras: the moving variance of images is the unbiased one.
              const bool images = case_.input.rank() == 3;
              const ChannelMoments moments =
                  MomentsOf(inputs[0], case_.input.dims().back(), images);
              const double momentum =
                  std::get<BatchNormAttributes>(op.attributes).momentum;
              ExpectMoved(run_, op.parameters[2], moments.mean, momentum);
              ExpectMoved(run_, op.parameters[3], moments.variance, momentum);
              for (size_t i = 0; i < parameters.size(); ++i) {
                // Before the pass of training stands the one of inference.
                EXPECT_EQ(run_.StoredBefore(op.parameters[i]), parameters[i]);
              }
            });
}

std::string NameOf(const testing::TestParamInfo<Parameters>& info) {
  return OpCases()[std::get<0>(info.param)].name + "_" +
         std::get<1>(info.param);
}

std::vector<size_t> CasesOf(OpKind kind) {
  std::vector<size_t> cases;
  for (size_t i = 0; i < OpCases().size(); ++i) {
    if (OpCases()[i].kind == kind) cases.push_back(i);
  }
  return cases;
}

const auto kEveryCase = testing::Range(size_t{0}, OpCases().size());
const auto kEveryPolicy =
    testing::Values("FP32", "FP16", "FP16_BN32", "MP", "BF16", "FP16_ACC16");

INSTANTIATE_TEST_SUITE_P(Cases, OpTest,
                         testing::Combine(kEveryCase, kEveryPolicy), NameOf);
INSTANTIATE_TEST_SUITE_P(
    Cases, BatchNormTest,
    testing::Combine(testing::ValuesIn(CasesOf(OpKind::kBatchNorm)),
                     kEveryPolicy),
    NameOf);

class NetworkGradientTest : public testing::TestWithParam<size_t> {};

// Through every operation and sum of gradients at once, in FP32.
TEST_P(NetworkGradientTest, IsTheNumericGradientOfTheMeanLoss) {
  const Graph graph = BuildGraph(NetworkCases()[GetParam()]);
  const CaseRun run(graph, Policy("FP32"), kBatch);
  const Values input = run.Tensor(graph.input, /*training=*/true);
  std::vector<Values> parameters;
  const auto count = static_cast<ParameterId>(graph.parameters.size());
  for (ParameterId id = 0; id < count; ++id) {
    parameters.push_back(run.AsRead(id));
  }
  const ReferencePass pass = run.Reference(/*training=*/true);
  const auto mean_loss = [&] {
    const Values losses =
        EvaluateGraph(graph, input, parameters, pass)[graph.loss];
    return std::accumulate(losses.begin(), losses.end(), 0.0) / kBatch;
  };
  // So small that no ReLU and no maximum is likely to change sides.
  constexpr double kStep = 1e-7;
  for (ParameterId id = 0; id < count; ++id) {
    if (!graph.parameters[id].trainable()) continue;
    SCOPED_TRACE(graph.parameters[id].name);
    const Values gradient = run.ParameterGradient(id);
    double largest = 0;
    for (double g : gradient) largest = std::max(largest, std::abs(g));
    // A dozen elements of each.
    const size_t stride = std::max<size_t>(1, gradient.size() / 12);
    for (size_t i = 0; i < gradient.size(); i += stride) {
      double& w = parameters[id][i];
      const double original = w;
      w = original + kStep;
      const double above = mean_loss();
      w = original - kStep;
      const double below = mean_loss();
      w = original;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * kStep),
                  1e-4 * largest + 1e-6)
          << "element " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, NetworkGradientTest,
                         testing::Range(size_t{0}, NetworkCases().size()),
                         [](const auto& info) {
                           return NetworkCases()[info.param].name;
                         });

// Outputs and gradients depend neither on threads nor on the instruction set.
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
  std::unique_ptr<CaseRun> first;
  for (const std::string& target : UsableSimdTargets()) {
    for (int threads : {1, 2, 3, 7}) {
      SCOPED_TRACE(testing::Message() << target << ", threads: " << threads);
      auto run =
          std::make_unique<CaseRun>(graph, policy, kManyExamples, c.scale,
                                    c.input_kind, CpuOptions{threads, target});
      if (first == nullptr) first = std::move(run);
      if (run == nullptr) continue;
      ExpectSame(first->bytes(true), run->bytes(true), graph);
      ExpectSame(first->bytes(false), run->bytes(false), graph);
    }
  }
#if defined(__x86_64__)
  EXPECT_GE(UsableSimdTargets().size(), 2u)
      << "one target alone proves nothing";
#endif
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BitsTest,
    testing::Combine(kEveryCase,
                     testing::Values("FP32", "FP16", "BF16", "FP16_ACC16")),
    NameOf);

// Runs a graph without parameters on given values in FP16 and returns output
// and input gradient.
struct OneRun {
  Values y;
  Values dx;
};

OneRun RunGraph(Graph graph, const Values& x, const Values& dy) {
  Compiled compiled = CompileForTest(std::move(graph), Policy("FP16"), 1);
  EXPECT_TRUE(compiled.program
                  ->WriteTensor(compiled.graph.input, ToBytes(x, DType::kF16))
                  .ok());
  EXPECT_TRUE(compiled.program->Forward(1, true, *compiled.stream).ok());
  EXPECT_TRUE(
      compiled.program
          ->WriteGradient(compiled.graph.output, ToBytes(dy, DType::kF16))
          .ok());
  EXPECT_TRUE(compiled.program->Backward(1, *compiled.stream).ok());
  return {ToValues(*compiled.program->ReadTensor(compiled.graph.output, 1),
                   DType::kF16),
          ToValues(*compiled.program->ReadGradient(compiled.graph.input, 1),
                   DType::kF16)};
}

OneRun RunUnary(const std::function<TensorId(GraphBuilder&, TensorId)>& build,
                const Values& x, const Values& dy) {
  GraphBuilder b;
  const TensorId y = build(b, b.Input(Shape({static_cast<int64_t>(x.size())})));
  return RunGraph(*std::move(b).Build(y), x, dy);
}

TEST(ReluTest, ZerosNanAndInfinities) {
  const double inf = INFINITY;
  const OneRun run = RunUnary(
      [](GraphBuilder& b, TensorId x) { return b.Relu(x); },
      {-0.0, 0.0, NAN, inf, -inf, 0x1p-24, -0x1p-24}, {1, 1, 1, 1, 1, 1, 1});
  EXPECT_FALSE(std::signbit(run.y[0]));
  EXPECT_EQ(run.y[0], 0);
  EXPECT_TRUE(std::isnan(run.y[2]));
  EXPECT_EQ(run.y[3], inf);
  EXPECT_EQ(run.y[4], 0);
  EXPECT_EQ(run.y[5], 0x1p-24);
  EXPECT_EQ(run.y[6], 0);
  EXPECT_EQ(run.dx, (Values{0, 0, 0, 1, 0, 1, 0}));
}

TEST(DropoutTest, DropsAtTheRateAndScalesByTheRoundedFactor) {
  const double rate = 0.1;
  const size_t n = 20000;
  const Values ones(n, 1.0);
  const OneRun run =
      RunUnary([&](GraphBuilder& b, TensorId x) { return b.Dropout(x, rate); },
               ones, ones);
  // r(1 / 0.9) in binary16.
  const double factor = 1.111328125;
  size_t kept = 0;
  for (double y : run.y) {
    ASSERT_TRUE(y == 0 || y == factor) << y;
    kept += y != 0;
  }
  // Four standard deviations of a binomial.
  EXPECT_NEAR(static_cast<double>(kept), 0.9 * n, 4 * std::sqrt(n * 0.9 * 0.1));
  EXPECT_EQ(run.dx, run.y);
}

TEST(Relu6Test, BoundsNanAndInfinities) {
  const double inf = INFINITY;
  const OneRun run =
      RunUnary([](GraphBuilder& b, TensorId x) { return b.Relu6(x); },
               {-0.0, 0.0, NAN, inf, -inf, 0x1p-24, 6, 6.00390625, 5.99609375},
               Values(9, 1.0));
  EXPECT_FALSE(std::signbit(run.y[0]));
  EXPECT_TRUE(std::isnan(run.y[2]));
  EXPECT_EQ(run.y[1], 0);
  EXPECT_EQ(Values(run.y.begin() + 3, run.y.end()),
            (Values{6, 0, 0x1p-24, 6, 6, 5.99609375}));
  EXPECT_EQ(run.dx, (Values{0, 0, 0, 0, 0, 1, 0, 0, 1}));
}

TEST(DropoutTest, InferenceIsTheIdentity) {
  GraphBuilder b;
  const TensorId y = b.Dropout(b.Input(Shape({100})), 0.5);
  Compiled compiled = CompileForTest(*std::move(b).Build(y), Policy("FP32"), 1);
  const std::vector<uint8_t> x = ToBytes(RandomValues(100, 3), DType::kF32);
  ASSERT_TRUE(compiled.program->WriteTensor(compiled.graph.input, x).ok());
  ASSERT_TRUE(compiled.program->Forward(1, false, *compiled.stream).ok());
  EXPECT_EQ(*compiled.program->ReadTensor(compiled.graph.output, 1), x);
}

// Max-pooling of a 2 x 3 image by 2 x 2 windows side by side, the last column
// of the second one padding.
OneRun RunMaxPool(const Values& image) {
  GraphBuilder b;
  const TensorId y = b.MaxPool(b.Input(Shape({2, 3, 1})), Window::Square(2, 2),
                               Padding::kSame);
  return RunGraph(*std::move(b).Build(y), image, {1, 2});
}

TEST(MaxPoolTest, TheFirstMaximumTakesTheGradient) {
  const OneRun run = RunMaxPool({-1, -1, -3, -1, -2, -3});
  EXPECT_EQ(run.y, (Values{-1, -3}));
  EXPECT_EQ(run.dx, (Values{1, 0, 2, 0, 0, 0}));
}

TEST(MaxPoolTest, NanIsTheLargestAndZeroIsPositive) {
  const OneRun nan = RunMaxPool({1, NAN, 3, INFINITY, 2, 4});
  EXPECT_TRUE(std::isnan(nan.y[0]));
  EXPECT_EQ(nan.y[1], 4);
  const OneRun zero = RunMaxPool({-1, -0.0, -INFINITY, 0.0, -2, -INFINITY});
  EXPECT_EQ(zero.y[0], 0);
  EXPECT_FALSE(std::signbit(zero.y[0]));
  EXPECT_EQ(zero.y[1], -INFINITY);
}

}  // namespace
}  // namespace repro16
