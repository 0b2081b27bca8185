// Every operation, forward and backward, in every policy, against f64
// implementations that share no code with the kernels.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "engine/cpu/test_util.h"
#include "engine/graph/builder.h"
#include "engine/numerics/simd_target.h"

namespace repro16 {
namespace {

using Values = std::vector<double>;

constexpr int64_t kBatch = 5;
constexpr int64_t kFeatures = 37;
constexpr int64_t kUnits = 11;

// What an operation computes, in f64, from its inputs and parameters: all
// [kBatch, ...] row-major.
using Reference = std::function<Values(const std::vector<Values>& inputs,
                                       const std::vector<Values>& parameters)>;

struct OpCase {
  OpKind kind;
  std::function<TensorId(GraphBuilder&, TensorId)> build;
  Reference reference;
};

Values DenseReference(const std::vector<Values>& in,
                      const std::vector<Values>& parameters) {
  Values y(kBatch * kUnits);
  for (int64_t n = 0; n < kBatch; ++n) {
    for (int64_t o = 0; o < kUnits; ++o) {
      double sum = parameters[1][o];
      for (int64_t i = 0; i < kFeatures; ++i) {
        sum += in[0][n * kFeatures + i] * parameters[0][i * kUnits + o];
      }
      y[n * kUnits + o] = sum;
    }
  }
  return y;
}

Reference Elementwise(double (*f)(double)) {
  return [f](const std::vector<Values>& in, const std::vector<Values>&) {
    Values y = in[0];
    for (double& value : y) value = f(value);
    return y;
  };
}

// Operations with one input of [kFeatures]; softmax, its loss and dropout have
// tests of their own.
std::vector<OpCase> Cases() {
  return {
      {OpKind::kDense,
       [](GraphBuilder& b, TensorId x) { return b.Dense(x, kUnits); },
       DenseReference},
      {OpKind::kRelu, [](GraphBuilder& b, TensorId x) { return b.Relu(x); },
       Elementwise([](double x) { return x > 0 ? x : 0.0; })},
      {OpKind::kTanh, [](GraphBuilder& b, TensorId x) { return b.Tanh(x); },
       Elementwise([](double x) { return std::tanh(x); })},
      {OpKind::kFlatten,
       [](GraphBuilder& b, TensorId x) { return b.Flatten(x); },
       Elementwise([](double x) { return x; })},
      {OpKind::kAdd, [](GraphBuilder& b, TensorId x) { return b.Add(x, x); },
       Elementwise([](double x) { return x + x; })},
  };
}

TEST(OpTest, EveryOperationHasACase) {
  std::map<OpKind, int> covered;
  for (const OpCase& c : Cases()) ++covered[c.kind];
  for (const OpTraits& op : kOps) {
    const bool own_test = op.kind == OpKind::kSoftmax ||
                          op.kind == OpKind::kSoftmaxCrossEntropy ||
                          op.kind == OpKind::kDropout;
    EXPECT_EQ(covered[op.kind], own_test ? 0 : 1) << op.name;
  }
}

// Parameters and inputs of a case, as stored.
struct Stored {
  std::vector<Values> inputs;
  std::vector<Values> parameters;
};

Graph BuildCase(const OpCase& c) {
  GraphBuilder b;
  const TensorId y = c.build(b, b.Input(Shape({kFeatures})));
  absl::StatusOr<Graph> graph = std::move(b).Build(y);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return *std::move(graph);
}

Stored Fill(Compiled& compiled, const PrecisionPolicy& policy) {
  Stored stored;
  const Values x = RandomValues(kBatch * kFeatures, 1);
  stored.inputs.push_back(Rounded(x, policy.activation));
  EXPECT_TRUE(
      compiled.program
          ->WriteTensor(compiled.graph.input, ToBytes(x, policy.activation))
          .ok());
  for (size_t p = 0; p < compiled.graph.parameters.size(); ++p) {
    const Values w =
        RandomValues(compiled.graph.parameters[p].shape.NumElements(),
                     static_cast<uint32_t>(p + 2));
    EXPECT_TRUE(
        compiled.program->WriteParameter(p, ToBytes(w, policy.parameter)).ok());
    // Operations read parameters in the activation type.
    stored.parameters.push_back(
        Rounded(Rounded(w, policy.parameter), policy.activation));
  }
  return stored;
}

// Relative spacing of the type: one rounding is at most half of it.
double Epsilon(DType type) {
  switch (type) {
    case DType::kF32:
      return 0x1p-23;
    case DType::kF16:
      return 0x1p-10;
    case DType::kBF16:
      return 0x1p-7;
  }
  return 0;
}

// Error of an operation's result before its rounding to the storage type.
double ErrorBeforeRounding(OpKind kind, double expected, DType accumulator) {
  if (kind == OpKind::kDense) {
    // Sums of some 40 terms of magnitude 1. With f16 accumulators each of two
    // roundings a term counts.
    return accumulator == DType::kF16 ? 2 * kFeatures * 4 * 0x1p-11
                                      : kFeatures * 4 * 0x1p-24;
  }
  // engine/numerics/elementary.h.
  if (kind == OpKind::kTanh)
    return 1.34 * std::abs(expected) * Epsilon(DType::kF32);
  return 0;
}

// With half an ulp for the one rounding; in binary16 that of its subnormal
// numbers is the least.
double Tolerance(OpKind kind, double expected, DType type, DType accumulator) {
  const double least = type == DType::kF16 ? 0x1p-25 : 0;
  return std::max(std::abs(expected) * Epsilon(type) / 2, least) +
         ErrorBeforeRounding(kind, expected, accumulator);
}

class OpPolicyTest : public testing::TestWithParam<std::string> {};

TEST_P(OpPolicyTest, ForwardIsTheF64ResultRoundedOnce) {
  const PrecisionPolicy policy = Policy(GetParam());
  for (const OpCase& c : Cases()) {
    SCOPED_TRACE(TraitsOf(c.kind).name);
    Compiled compiled = CompileForTest(BuildCase(c), policy, kBatch);
    const Stored stored = Fill(compiled, policy);
    for (bool training : {true, false}) {
      ASSERT_TRUE(
          compiled.program->Forward(kBatch, training, *compiled.stream).ok());
      const auto bytes =
          compiled.program->ReadTensor(compiled.graph.output, kBatch);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      const Values y = ToValues(*bytes, policy.activation);
      const Values expected = c.reference(stored.inputs, stored.parameters);
      ASSERT_EQ(y.size(), expected.size());
      for (size_t i = 0; i < y.size(); ++i) {
        EXPECT_NEAR(y[i], expected[i],
                    Tolerance(c.kind, expected[i], policy.activation,
                              policy.accumulator));
      }
    }
  }
}

// d(sum_i upstream[i] * y[i]) / d(value), by central differences in f64.
double Numeric(const OpCase& c, Stored stored, Values& value, size_t index,
               const Values& upstream,
               const std::function<Values&(Stored&)>& select) {
  const double original = value[index];
  const double h = 1e-6;
  double sums[2];
  for (int side = 0; side < 2; ++side) {
    select(stored)[index] = original + (side == 0 ? h : -h);
    const Values y = c.reference(stored.inputs, stored.parameters);
    sums[side] = 0;
    for (size_t i = 0; i < y.size(); ++i) sums[side] += upstream[i] * y[i];
  }
  return (sums[0] - sums[1]) / (2 * h);
}

TEST_P(OpPolicyTest, BackwardIsTheNumericGradient) {
  const PrecisionPolicy policy = Policy(GetParam());
  for (const OpCase& c : Cases()) {
    SCOPED_TRACE(TraitsOf(c.kind).name);
    Compiled compiled = CompileForTest(BuildCase(c), policy, kBatch);
    Stored stored = Fill(compiled, policy);
    const int64_t outputs =
        kBatch *
        compiled.graph.tensors[compiled.graph.output].shape.NumElements();
    const Values dy = RandomValues(outputs, 9);
    const Values upstream = Rounded(dy, policy.activation);
    ASSERT_TRUE(compiled.program->Forward(kBatch, true, *compiled.stream).ok());
    ASSERT_TRUE(compiled.program
                    ->WriteGradient(compiled.graph.output,
                                    ToBytes(dy, policy.activation))
                    .ok());
    ASSERT_TRUE(compiled.program->Backward(kBatch, *compiled.stream).ok());

    const auto check = [&](const std::vector<uint8_t>& bytes, DType type,
                           Values& value,
                           const std::function<Values&(Stored&)>& select) {
      const Values gradient = ToValues(bytes, type);
      ASSERT_EQ(gradient.size(), value.size());
      for (size_t i = 0; i < gradient.size(); ++i) {
        const double expected = Numeric(c, stored, value, i, upstream, select);
        // Tanh takes its derivative, 1 - y^2, from the rounded output.
        const double from_output =
            c.kind == OpKind::kTanh ? 2 * Epsilon(policy.activation) : 0;
        const double of_differences = 1e-8;
        EXPECT_NEAR(gradient[i], expected,
                    Tolerance(c.kind, expected, type, policy.accumulator) +
                        from_output + of_differences);
      }
    };
    const auto dx =
        compiled.program->ReadGradient(compiled.graph.input, kBatch);
    ASSERT_TRUE(dx.ok()) << dx.status();
    check(*dx, policy.activation, stored.inputs[0],
          [](Stored& s) -> Values& { return s.inputs[0]; });
    for (size_t p = 0; p < stored.parameters.size(); ++p) {
      const auto dp =
          compiled.program->ReadParameterGradient(static_cast<ParameterId>(p));
      ASSERT_TRUE(dp.ok()) << dp.status();
      check(*dp, policy.weight_gradient, stored.parameters[p],
            [p](Stored& s) -> Values& { return s.parameters[p]; });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, OpPolicyTest,
                         testing::Values("FP32", "FP16", "FP16_BN32", "MP",
                                         "BF16", "FP16_ACC16"),
                         [](const auto& info) { return info.param; });

// Runs one unary operation on given values in FP16 and returns output and input
// gradient.
struct UnaryRun {
  Values y;
  Values dx;
};

UnaryRun RunUnary(const std::function<TensorId(GraphBuilder&, TensorId)>& build,
                  const Values& x, const Values& dy) {
  GraphBuilder b;
  const TensorId y = build(b, b.Input(Shape({static_cast<int64_t>(x.size())})));
  Compiled compiled = CompileForTest(*std::move(b).Build(y), Policy("FP16"), 1);
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

TEST(ReluTest, ZerosNanAndInfinities) {
  const double inf = INFINITY;
  const UnaryRun run = RunUnary(
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
  const UnaryRun run =
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

TEST(DropoutTest, InferenceIsTheIdentity) {
  GraphBuilder b;
  const TensorId y = b.Dropout(b.Input(Shape({100})), 0.5);
  Compiled compiled = CompileForTest(*std::move(b).Build(y), Policy("FP32"), 1);
  const std::vector<uint8_t> x = ToBytes(RandomValues(100, 3), DType::kF32);
  ASSERT_TRUE(compiled.program->WriteTensor(compiled.graph.input, x).ok());
  ASSERT_TRUE(compiled.program->Forward(1, false, *compiled.stream).ok());
  EXPECT_EQ(*compiled.program->ReadTensor(compiled.graph.output, 1), x);
}

// Output, gradient of the input and gradients of the parameters depend neither
// on threads nor on the instruction set.
TEST(BitsTest, SameForEveryThreadCountAndTarget) {
  const int64_t features = 300;
  const int64_t batch = 70;
  for (const char* name : {"FP32", "FP16", "BF16", "FP16_ACC16"}) {
    const PrecisionPolicy policy = Policy(name);
    std::vector<std::vector<uint8_t>> first;
    int runs = 0;
    std::vector<std::string> targets = UsableSimdTargets();
    for (const std::string& target : targets) {
      for (int threads : {1, 2, 3, 7}) {
        SCOPED_TRACE(testing::Message()
                     << name << " " << target << " " << threads);
        GraphBuilder b;
        TensorId x = b.Input(Shape({features}));
        TensorId a = b.Tanh(b.Dropout(b.Dense(x, 129), 0.3));
        const TensorId y = b.Dense(b.Add(b.Relu(a), a), 45);
        Compiled compiled = CompileForTest(*std::move(b).Build(y), policy,
                                           batch, {threads, target});
        Program& program = *compiled.program;
        for (size_t p = 0; p < compiled.graph.parameters.size(); ++p) {
          const Values w =
              RandomValues(compiled.graph.parameters[p].shape.NumElements(),
                           static_cast<uint32_t>(p), 0.2);
          ASSERT_TRUE(
              program.WriteParameter(p, ToBytes(w, policy.parameter)).ok());
        }
        ASSERT_TRUE(program
                        .WriteTensor(compiled.graph.input,
                                     ToBytes(RandomValues(batch * features, 7),
                                             policy.activation))
                        .ok());
        ASSERT_TRUE(program.Forward(batch, true, *compiled.stream).ok());
        ASSERT_TRUE(program
                        .WriteGradient(compiled.graph.output,
                                       ToBytes(RandomValues(batch * 45, 8),
                                               policy.activation))
                        .ok());
        ASSERT_TRUE(program.Backward(batch, *compiled.stream).ok());
        std::vector<std::vector<uint8_t>> bits = {
            *program.ReadTensor(compiled.graph.output, batch),
            *program.ReadGradient(compiled.graph.input, batch)};
        for (size_t p = 0; p < compiled.graph.parameters.size(); ++p) {
          bits.push_back(
              *program.ReadParameterGradient(static_cast<ParameterId>(p)));
        }
        if (runs++ == 0) first = bits;
        EXPECT_TRUE(bits == first);
      }
    }
  }
#if defined(__x86_64__)
  EXPECT_GE(UsableSimdTargets().size(), 2u)
      << "one target alone proves nothing";
#endif
  ASSERT_TRUE(SelectSimdTarget("auto").ok());
}

}  // namespace
}  // namespace repro16
