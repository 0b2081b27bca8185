// Every product of a convolution is compared bit for bit, counters included,
// with the scalar order of engine/numerics/reduction.h, on every instruction
// set of the machine and with several numbers of threads.
#include "engine/cpu/conv/conv.h"

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "engine/cpu/kernel.h"
#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/graph/testing/window_case.h"
#include "engine/graph/window.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/store_counter.h"
#include "engine/numerics/testing/typed_array.h"
#include "engine/tensor/dtype.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr DType kF32 = DType::kF32, kF16 = DType::kF16, kBF16 = DType::kBF16;

constexpr auto kSame = WindowPadding::kSame, kValid = WindowPadding::kValid;

struct Case {
  int64_t batch, height, width, channels, filters;
  int64_t kernel_height, kernel_width, stride;
  WindowPadding padding;
  bool bias = true;
};

std::ostream& operator<<(std::ostream& os, const Case& c) {
  return os << c.batch << "x" << c.height << "x" << c.width << "x" << c.channels
            << " to " << c.filters << ", " << c.kernel_height << "x"
            << c.kernel_width << " stride " << c.stride
            << (c.padding == kSame ? " same" : " valid")
            << (c.bias ? " bias" : "");
}

ImageWindow Window(const Case& c) {
  ImageWindow s = MakeWindow(c.height, c.width, c.channels, c.kernel_height,
                             c.kernel_width, c.stride, c.padding);
  s.out_channels = c.filters;
  return s;
}

TypedArray Random(DType type, int64_t size, TestNumbers& numbers) {
  TypedArray array(type, size);
  numbers.Fill(array);
  return array;
}

struct Types {
  DType x, w, b, y, dy, dx, dw, db;
  DType accumulator = kF32;
};
constexpr Types All(DType type, DType accumulator = kF32) {
  return {type, type, type, type, type, type, type, type, accumulator};
}

// The tensors of one convolution, and what stores to them count.
struct Tensors {
  TypedArray x, w, b, dy;    // given
  TypedArray y, dx, dw, db;  // computed
  StoreCounter cy, cdx, cdw, cdb;
};

// The formulas of conv.h, a scalar at a time.
class Reference {
 public:
  Reference(const ImageWindow& s, int64_t batch, DType accumulator, Tensors& t,
            bool bias)
      : s_(s), batch_(batch), accumulator_(accumulator), t_(t), bias_(bias) {}

  void Forward() {
    for (int64_t i = 0; i < t_.y.size(); ++i) {
      const int64_t o = i % s_.out_channels, ox = i / s_.out_channels % OW();
      const int64_t oy = i / s_.out_channels / OW() % OH();
      const int64_t n = i / s_.out_channels / OW() / OH();
      DotSum sum(accumulator_);
      for (int64_t kr = 0; kr < s_.window.height; ++kr) {
        for (int64_t kc = 0; kc < s_.window.width; ++kc) {
          for (int64_t c = 0; c < s_.in_channels; ++c) {
            const int64_t x = X(n, In(oy, kr, s_.window.pad_top),
                                In(ox, kc, s_.window.pad_left), c);
            AddTerm(sum, t_.x, x, t_.w, W(kr, kc, c, o));
          }
        }
      }
      t_.y.SetCounted(i, bias_ ? sum.TotalWithBias(t_.b.Get(o)) : sum.Total(),
                      t_.cy);
    }
  }

  void InputGradient() {
    for (int64_t i = 0; i < t_.dx.size(); ++i) {
      const int64_t c = i % s_.in_channels;
      const int64_t ix = i / s_.in_channels % s_.in_width;
      const int64_t iy = i / s_.in_channels / s_.in_width % s_.in_height;
      const int64_t n = i / s_.in_channels / s_.in_width / s_.in_height;
      DotSum sum(accumulator_);
      for (int64_t kr = 0; kr < s_.window.height; ++kr) {
        for (int64_t kc = 0; kc < s_.window.width; ++kc) {
          for (int64_t o = 0; o < s_.out_channels; ++o) {
            const int64_t y = Y(n, Out(iy, kr, s_.window.pad_top),
                                Out(ix, kc, s_.window.pad_left), o);
            AddTerm(sum, t_.dy, y, t_.w, W(kr, kc, c, o));
          }
        }
      }
      t_.dx.SetCounted(i, sum.Total(), t_.cdx);
    }
  }

  void WeightGradient() {
    for (int64_t i = 0; i < t_.dw.size(); ++i) {
      const int64_t o = i % s_.out_channels;
      const int64_t c = i / s_.out_channels % s_.in_channels;
      const int64_t kc = i / s_.out_channels / s_.in_channels % s_.window.width;
      const int64_t kr = i / s_.out_channels / s_.in_channels / s_.window.width;
      DotSum sum(accumulator_);
      for (int64_t n = 0; n < batch_; ++n) {
        for (int64_t oy = 0; oy < OH(); ++oy) {
          for (int64_t ox = 0; ox < OW(); ++ox) {
            const int64_t x = X(n, In(oy, kr, s_.window.pad_top),
                                In(ox, kc, s_.window.pad_left), c);
            AddTerm(sum, t_.x, x, t_.dy, Y(n, oy, ox, o));
          }
        }
      }
      t_.dw.SetCounted(i, sum.Total(), t_.cdw);
    }
  }

  void BiasGradient() {
    for (int64_t o = 0; o < s_.out_channels; ++o) {
      RowSum sum;
      for (int64_t i = o; i < t_.dy.size(); i += s_.out_channels) {
        sum.AddTerm(t_.dy.Get(i));
      }
      t_.db.SetCounted(o, sum.Total(), t_.cdb);
    }
  }

 private:
  static constexpr int64_t kPadding = -1;

  static void AddTerm(DotSum& sum, const TypedArray& a, int64_t i,
                      const TypedArray& b, int64_t j) {
    if (i == kPadding || j == kPadding) {
      sum.SkipTerm();
    } else {
      sum.AddTerm(a.Get(i), b.Get(j));
    }
  }

  int64_t OH() const { return s_.out_height; }
  int64_t OW() const { return s_.out_width; }
  // Along an axis: the input that a tap of an output covers, and back.
  int64_t In(int64_t o, int64_t k, int64_t pad) const {
    return o * s_.window.stride - pad + k;
  }
  int64_t Out(int64_t i, int64_t k, int64_t pad) const {
    const int64_t o = i + pad - k;
    return o % s_.window.stride == 0 ? o / s_.window.stride : kPadding;
  }
  int64_t X(int64_t n, int64_t y, int64_t x, int64_t c) const {
    if (y < 0 || y >= s_.in_height || x < 0 || x >= s_.in_width) {
      return kPadding;
    }
    return ((n * s_.in_height + y) * s_.in_width + x) * s_.in_channels + c;
  }
  int64_t Y(int64_t n, int64_t y, int64_t x, int64_t o) const {
    if (y < 0 || y >= OH() || x < 0 || x >= OW()) return kPadding;
    return ((n * OH() + y) * OW() + x) * s_.out_channels + o;
  }
  int64_t W(int64_t kr, int64_t kc, int64_t c, int64_t o) const {
    return ((kr * s_.window.width + kc) * s_.in_channels + c) *
               s_.out_channels +
           o;
  }

  const ImageWindow& s_;
  const int64_t batch_;
  const DType accumulator_;
  Tensors& t_;
  const bool bias_;
};

class ConvTest : public testing::Test {
 protected:
  void TearDown() override { ASSERT_TRUE(SelectSimdTarget("auto").ok()); }

  static Tensors Given(const ImageWindow& s, int64_t batch, const Types& types,
                       TestNumbers& numbers) {
    const int64_t in = batch * s.in_height * s.in_width * s.in_channels;
    const int64_t out = batch * s.out_height * s.out_width * s.out_channels;
    const int64_t weights =
        s.window.height * s.window.width * s.in_channels * s.out_channels;
    return {Random(types.x, in, numbers),
            Random(types.w, weights, numbers),
            Random(types.b, s.out_channels, numbers),
            Random(types.dy, out, numbers),
            TypedArray(types.y, out),
            TypedArray(types.dx, in),
            TypedArray(types.dw, weights),
            TypedArray(types.db, s.out_channels),
            {},
            {},
            {},
            {}};
  }

  // The case on every instruction set, with each of `threads`.
  static void Check(const Case& c, const Types& types,
                    const std::vector<int>& threads, int special_every = 0) {
    SCOPED_TRACE(testing::Message()
                 << c << " x " << Name(types.x) << " w " << Name(types.w)
                 << " y " << Name(types.y) << " accumulator "
                 << Name(types.accumulator));
    const ImageWindow s = Window(c);
    TestNumbers numbers(static_cast<uint32_t>(c.batch * 31 + c.channels),
                        special_every);
    const Tensors given = Given(s, c.batch, types, numbers);
    Tensors expected = given;
    Reference reference(s, c.batch, types.accumulator, expected, c.bias);
    reference.Forward();
    reference.InputGradient();
    reference.WeightGradient();
    reference.BiasGradient();
    for (const std::string& target : UsableSimdTargets()) {
      ASSERT_TRUE(SelectSimdTarget(target).ok());
      for (const int count : threads) {
        SCOPED_TRACE(testing::Message() << target << " " << count);
        Tensors actual = given;
        Run(*MakeConv2D(s, types.accumulator), c, actual, count);
        EXPECT_TRUE(actual.y == expected.y && actual.cy == expected.cy) << "y";
        EXPECT_TRUE(actual.dx == expected.dx && actual.cdx == expected.cdx)
            << "dx";
        EXPECT_TRUE(actual.dw == expected.dw && actual.cdw == expected.cdw)
            << "dw";
        if (!c.bias) continue;
        EXPECT_TRUE(actual.db == expected.db && actual.cdb == expected.cdb)
            << "db";
      }
    }
  }

  static TensorRef Ref(TypedArray& array, StoreCounter* counter,
                       int64_t batch) {
    return {array.data(), array.type(), array.size() / batch, counter};
  }

  // Both passes.
  static void Run(const Kernel& kernel, const Case& c, Tensors& t,
                  int threads) {
    OpBuffers buffers;
    buffers.inputs = {Ref(t.x, nullptr, c.batch)};
    buffers.output = Ref(t.y, &t.cy, c.batch);
    buffers.output_gradient = Ref(t.dy, nullptr, c.batch);
    buffers.input_gradients = {Ref(t.dx, &t.cdx, c.batch)};
    buffers.parameters = {Ref(t.w, nullptr, 1)};
    buffers.parameter_gradients = {Ref(t.dw, &t.cdw, 1)};
    if (c.bias) {
      buffers.parameters.push_back(Ref(t.b, nullptr, 1));
      buffers.parameter_gradients.push_back(Ref(t.db, &t.cdb, 1));
    }
    RunPass(kernel, c.batch, threads, [&](const PassContext& pass) {
      kernel.Forward(buffers, pass);
      kernel.Backward(buffers, pass);
    });
  }
};

constexpr Case kCases[] = {
    // The windows of the paper's networks, on small images.
    {13, 8, 8, 16, 16, 3, 3, 1, kSame},
    {5, 8, 8, 16, 33, 3, 3, 2, kSame, false},
    {13, 9, 7, 3, 16, 3, 3, 1, kSame},
    {12, 15, 15, 3, 10, 7, 7, 2, kValid, false},
    {27, 4, 4, 33, 20, 3, 3, 1, kSame},
    {27, 2, 2, 64, 70, 3, 3, 1, kSame},
    {27, 1, 1, 33, 33, 3, 3, 1, kSame},
    {1, 11, 10, 20, 64, 3, 3, 1, kSame},
    {5, 6, 6, 33, 64, 1, 1, 1, kSame},
    {27, 5, 5, 20, 24, 1, 1, 2, kSame, false},
    // Others.
    {5, 9, 9, 1, 1, 5, 5, 1, kSame},
    {12, 9, 8, 3, 10, 5, 5, 3, kValid},
    {5, 8, 11, 16, 10, 2, 2, 2, kValid},
    {13, 7, 6, 4, 33, 4, 2, 1, kSame},
    {5, 10, 5, 16, 16, 1, 5, 2, kSame},
    {5, 5, 12, 16, 16, 3, 1, 3, kValid},
    {1, 40, 33, 3, 8, 3, 3, 1, kSame},
};

TEST_F(ConvTest, SingleStorageTypes) {
  for (const Case& c : kCases) {
    for (const DType type : {kF32, kF16, kBF16}) Check(c, All(type), {1});
  }
}

TEST_F(ConvTest, MixedStorageTypes) {
  const Types types[] = {
      {kF16, kF32, kBF16, kF32, kBF16, kF16, kF32, kF16},
      {kBF16, kF16, kF32, kF16, kF32, kBF16, kBF16, kF32},
      {kF32, kBF16, kF16, kBF16, kF16, kF32, kF16, kBF16},
  };
  size_t i = 0;
  for (const Case& c : kCases) Check(c, types[i++ % 3], {1});
}

TEST_F(ConvTest, HalfAccumulator) {
  for (const Case& c : kCases) Check(c, All(kF16, kF16), {1});
}

TEST_F(ConvTest, AnyNumberOfThreads) {
  for (const Case& c : {kCases[0], kCases[1], kCases[4], kCases[9]}) {
    Check(c, All(kF32), {1, 2, 3, 7});
  }
}

TEST_F(ConvTest, ChunksAcrossTapsAndBlocks) {
  // Positions of a target pixel over several chunks, some of them empty at the
  // borders; and more positions of a weight than a block has.
  Check({13, 3, 3, 300, 20, 3, 3, 1, kSame}, All(kF32), {1, 3});
  Check({5, 2, 2, 257, 10, 3, 3, 1, kSame}, All(kF16), {2});
  Check({40, 16, 16, 4, 8, 3, 3, 1, kSame}, All(kF32), {1, 2});
  Check({60, 15, 13, 3, 4, 2, 2, 1, kSame}, All(kF16), {2});
  Check({2, 100, 90, 3, 4, 3, 3, 2, kSame}, All(kF16), {2});
}

TEST_F(ConvTest, WeightsBeyondTheSecondLevelCache) {
  // Units of work by panels of channels, bands of rows, and sums by depth.
  const Case cases[] = {
      {13, 5, 5, 96, 130, 3, 3, 1, kSame},
      {5, 3, 3, 257, 40, 3, 3, 1, kSame},
      {30, 2, 3, 300, 260, 1, 1, 1, kValid, false},
      {2, 20, 18, 96, 80, 3, 3, 2, kSame},
  };
  for (const Case& c : cases) {
    Check(c, All(kF32), {1, 3});
    Check(c, All(kF16), {2});
  }
  Check(cases[1], All(kF16, kF16), {1});
}

TEST_F(ConvTest, ManyImages) {
  // Several blocks of images in a unit of work.
  Check({401, 2, 2, 5, 6, 3, 3, 1, kSame}, All(kF32), {1, 3});
  Check({70, 9, 11, 20, 24, 1, 1, 1, kValid}, All(kF16), {1, 3});
}

TEST_F(ConvTest, SpecialValues) {
  // Infinities and NaN, also next to padding, which must not make NaN of them.
  for (const Case& c :
       {kCases[0], kCases[2], kCases[6], kCases[8], kCases[9]}) {
    for (const int every : {1, 40, 400}) {
      Check(c, All(kF32), {1}, every);
      Check(c, All(kF16), {1}, every);
      Check(c, All(kF16, kF16), {1}, every);
    }
  }
}

TEST_F(ConvTest, SmallerBatchesNeedNoMoreWorkspace) {
  for (const Case& c : kCases) {
    const auto kernel = MakeConv2D(Window(c), kF32);
    int64_t last = 0;
    for (int64_t batch = 1; batch < 600; ++batch) {
      const int64_t bytes = kernel->WorkspaceBytes(batch);
      EXPECT_LE(last, bytes) << c << " batch " << batch;
      last = bytes;
    }
  }
}

}  // namespace
}  // namespace repro16
