// Depthwise convolutions in the emulator, bit for bit and counters included,
// against the scalar order of engine/numerics/reduction.h.
#include <algorithm>
#include <cstdint>
#include <string>

#include "engine/cuda/conv/depthwise_kernels.h"
#include "engine/cuda/product/product_cases.h"
#include "engine/cuda/simt/work_queue.h"
#include "engine/cuda/testing/test_tensor.h"
#include "engine/numerics/reduction.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace emulated {

#define REPRO16_KERNEL(name, Arguments) \
  void name(const Arguments& arguments, Stream& stream);
REPRO16_DEPTHWISE_KERNELS(REPRO16_KERNEL)
#undef REPRO16_KERNEL

}  // namespace emulated

namespace {

struct DepthwiseCase {
  ConvPass pass;
  ConvShape shape;
  ProductTypes types;
  TestTensor a, b, bias, expected;

  int64_t taps() const { return shape.window(); }
  int64_t channels() const { return shape.out_channels; }

  // The input pixel of an output pixel's tap, counted over the batch; -1 on
  // padding.
  int64_t InputOf(int64_t output, int64_t tap) const {
    const int64_t ox = output % shape.out_width;
    const int64_t oy = output / shape.out_width % shape.out_height;
    const int64_t n = output / (shape.out_width * shape.out_height);
    const int64_t row = oy * shape.stride - shape.pad_top + tap / shape.width;
    const int64_t col = ox * shape.stride - shape.pad_left + tap % shape.width;
    if (row < 0 || row >= shape.in_height) return -1;
    if (col < 0 || col >= shape.in_width) return -1;
    return (n * shape.in_height + row) * shape.in_width + col;
  }

  void AddTerm(int64_t a_at, int64_t b_at, int64_t c, DotSum& sum) const {
    if (a_at < 0) {
      sum.SkipTerm();
    } else {
      sum.AddTerm(a.Get(a_at * channels() + c), b.Get(b_at * channels() + c));
    }
  }

  void ExpectForward() {
    for (int64_t i = 0; i < expected.size(); ++i) {
      const int64_t c = i % channels();
      DotSum sum(types.accumulator);
      for (int64_t tap = 0; tap < taps(); ++tap) {
        AddTerm(InputOf(i / channels(), tap), tap, c, sum);
      }
      expected.Store(i, sum.TotalWithBias(bias.Get(c)));
    }
  }

  void ExpectInputGradient() {
    // The output that each input pixel's tap belongs to, or -1.
    std::vector<int64_t> outputs(shape.in_pixels() * taps(), -1);
    for (int64_t output = 0; output < shape.out_pixels(); ++output) {
      for (int64_t tap = 0; tap < taps(); ++tap) {
        const int64_t input = InputOf(output, tap);
        if (input >= 0) outputs[input * taps() + tap] = output;
      }
    }
    for (int64_t i = 0; i < expected.size(); ++i) {
      DotSum sum(types.accumulator);
      for (int64_t tap = 0; tap < taps(); ++tap) {
        AddTerm(outputs[i / channels() * taps() + tap], tap, i % channels(),
                sum);
      }
      expected.Store(i, sum.Total());
    }
  }

  void ExpectWeightGradient() {
    for (int64_t i = 0; i < expected.size(); ++i) {
      DotSum sum(types.accumulator);
      for (int64_t output = 0; output < shape.out_pixels(); ++output) {
        AddTerm(InputOf(output, i / channels()), output, i % channels(), sum);
      }
      expected.Store(i, sum.Total());
    }
  }

  TestTensor Run(int64_t slots) const {
    TestTensor y = expected;
    y.counter() = {};
    std::fill_n(static_cast<uint8_t*>(y.data()), y.size() * SizeOf(y.type()),
                uint8_t{0xff});
    const int64_t bytes = slots * taps() * channels() * 4;
    TestTensor workspace(DType::kF32, bytes / 4);
    const bool forward = pass == ConvPass::kForward;
    const DepthwiseArgs args = {
        shape,    types.type,   types.accumulator,
        a.data(), b.data(),     forward ? bias.data() : nullptr,
        y.data(), &y.counter(), static_cast<float*>(workspace.data()),
        bytes};
    emulator::WorkQueue queue;
    if (forward) emulated::DepthwiseForward(args, queue);
    if (pass == ConvPass::kInputGradient) {
      emulated::DepthwiseInputGradient(args, queue);
    }
    if (pass == ConvPass::kWeightGradient) {
      emulated::DepthwiseWeightGradient(args, queue);
    }
    queue.Finish();
    return y;
  }
};

DepthwiseCase MakeCase(ConvPass pass, const ConvShape& shape,
                       const ProductTypes& types, Flavour flavour,
                       int offset = 0) {
  const int64_t c = shape.out_channels;
  const int64_t x = shape.in_pixels() * c, y = shape.out_pixels() * c;
  const int64_t w = shape.window() * c;
  const bool forward = pass == ConvPass::kForward;
  const bool to_input = pass == ConvPass::kInputGradient;
  const auto tensor = [&](int64_t size) {
    return TestTensor(types.type, size, offset);
  };
  DepthwiseCase result = {pass,
                          shape,
                          types,
                          tensor(to_input ? y : x),
                          tensor(forward || to_input ? w : y),
                          tensor(c),
                          tensor(forward    ? y
                                 : to_input ? x
                                            : w)};
  OperandNumbers(1).Fill(result.a, flavour);
  OperandNumbers(2).Fill(result.b, flavour);
  OperandNumbers(3).Fill(result.bias, flavour);
  if (forward) result.ExpectForward();
  if (to_input) result.ExpectInputGradient();
  if (pass == ConvPass::kWeightGradient) result.ExpectWeightGradient();
  return result;
}

std::string Describe(const DepthwiseCase& c) {
  return "pass " + std::to_string(static_cast<int>(c.pass)) + ", " +
         std::to_string(c.shape.in_height) + "x" +
         std::to_string(c.shape.in_width) + "x" + std::to_string(c.channels()) +
         ", window " + std::to_string(c.shape.height) + "x" +
         std::to_string(c.shape.width) + " stride " +
         std::to_string(c.shape.stride) + ", " + Name(c.types.type) + " in " +
         Name(c.types.accumulator);
}

TEST(DepthwiseTest, WindowsOfEveryKind) {
  int i = 0;
  for (const int64_t stride : {1, 2, 3}) {
    for (const int64_t channels : {1, 8, 70}) {
      for (const ConvShape& shape :
           {SameConv(2, 7, 10, channels, channels, 3, 3, stride),
            SameConv(1, 8, 9, channels, channels, 2, 2, stride),
            SameConv(1, 6, 6, channels, channels, 5, 5, stride),
            SameConv(2, 4, 5, channels, channels, 1, 1, stride),
            SameConv(2, 2, 1, channels, channels, 3, 3, stride)}) {
        for (const ConvPass pass : kConvPasses) {
          ++i;
          const DepthwiseCase c = MakeCase(pass, shape, kProductTypes[i % 4],
                                           kFlavours[i / 4 % 5], i % 2);
          SCOPED_TRACE(Describe(c));
          EXPECT_TRUE(c.Run(/*slots=*/2) == c.expected);
        }
      }
    }
  }
}

TEST(DepthwiseTest, EveryTypeInEveryOrder) {
  for (const ProductTypes& types : kProductTypes) {
    for (const Flavour flavour : kFlavours) {
      for (const ConvPass pass : kConvPasses) {
        const DepthwiseCase c = MakeCase(
            pass, SameConv(3, 11, 12, 12, 12, 3, 3, 1), types, flavour);
        SCOPED_TRACE(Describe(c));
        ForEachOrder([&] { EXPECT_TRUE(c.Run(/*slots=*/2) == c.expected); });
      }
    }
  }
}

TEST(DepthwiseTest, ChunksInPasses) {
  for (const ProductTypes& types : kProductTypes) {
    const DepthwiseCase c =
        MakeCase(ConvPass::kWeightGradient, SameConv(5, 16, 17, 6, 6, 3, 2, 1),
                 types, Flavour::kOrdinary);
    SCOPED_TRACE(Describe(c));
    for (const int64_t slots : {2, 3, 4, 6, 7}) {
      EXPECT_TRUE(c.Run(slots) == c.expected) << slots << " slots";
    }
  }
}

// Chains of taps have chunks, too.
TEST(DepthwiseTest, LargeWindow) {
  for (const ProductTypes& types : kProductTypes) {
    for (const ConvPass pass : kConvPasses) {
      const DepthwiseCase c =
          MakeCase(pass, SameConv(1, 18, 19, 4, 4, 17, 16, 1), types,
                   Flavour::kOrdinary);
      SCOPED_TRACE(Describe(c));
      EXPECT_TRUE(c.Run(/*slots=*/2) == c.expected);
    }
  }
}

}  // namespace
}  // namespace repro16
