// Bit for bit, counters included, against scalar code.
#include "engine/cuda/pool/pool.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/cuda/testing/emulated_pass.h"
#include "engine/graph/testing/pool_case.h"
#include "engine/graph/testing/window_case.h"
#include "engine/numerics/testing/test_numbers.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using Case = PoolCase;
using Results = PoolResults;

std::unique_ptr<Operation> MakeGlobalAverage(const ImageWindow& shape) {
  return cuda::MakeGlobalAveragePool(
      Shape({shape.in_height, shape.in_width, shape.in_channels}));
}

class PoolTest : public EmulatedTest {
 protected:
  static Results Run(const Case& t, const Operation& operation, TypedArray x,
                     TypedArray dy) {
    Results out(t);
    const OpBuffers buffers = BindPool(t, x, dy, out);
    RunPass(operation, t.batch, [&](const PassContext& pass) {
      operation.Forward(buffers, pass);
      operation.Backward(buffers, pass);
    });
    return out;
  }

  template <class Make, class ReferenceOf>
  static void Check(const Case& t, const TypedArray& x, const TypedArray& dy,
                    const Make& make, const ReferenceOf& reference) {
    SCOPED_TRACE(testing::Message() << t);
    const Results expected = reference(t, x, dy);
    const Results actual = Run(t, *make(t.shape), x, dy);
    ExpectSame(actual.y, expected.y, "y");
    ExpectSame(actual.dx, expected.dx, "dx");
  }

  // On numbers of all sizes and on small whole ones, which tie.
  static void CheckBoth(const Case& t, TestNumbers& numbers) {
    TypedArray x(t.type, t.batch * InputElements(t.shape));
    TypedArray dy(t.type, t.batch * OutputElements(t.shape));
    numbers.Fill(dy);
    numbers.Fill(x);
    Check(t, x, dy, cuda::MakeMaxPool, MaxReference);
    Check(t, x, dy, cuda::MakeAveragePool, AverageReference);
    numbers.FillSmall(x);
    Check(t, x, dy, cuda::MakeMaxPool, MaxReference);
  }
};

TEST_P(PoolTest, EveryWindowAndType) {
  TestNumbers numbers(1);
  int turn = 0;
  for (const int64_t channels : {1, 16, 33}) {
    for (const ImageWindow& shape : WindowShapes(channels)) {
      CheckBoth({shape, turn % 3 == 0 ? 5 : 1, kAllTypes[turn % 3]}, numbers);
      ++turn;
    }
  }
}

TEST_P(PoolTest, SpecialValues) {
  int turn = 0;
  for (const int every : {1, 3, 20}) {
    TestNumbers numbers(static_cast<uint32_t>(every), every);
    for (const ImageWindow& shape : WindowShapes(6)) {
      CheckBoth({shape, 2, kAllTypes[turn++ % 3]}, numbers);
    }
  }
}

TEST_P(PoolTest, GlobalAverage) {
  TestNumbers numbers(3, /*special_every=*/500);
  int turn = 0;
  for (const int64_t channels : {1, 20, 130}) {
    // One pixel; below, at and above a chunk of terms.
    for (const int64_t width : {1, 5, 128, 130}) {
      const ImageWindow shape =
          MakeWindow(2, width, channels, 2, width, 1, WindowPadding::kValid);
      const Case t = {shape, turn % 2 == 0 ? 1 : 5, kAllTypes[turn % 3]};
      ++turn;
      TypedArray x(t.type, t.batch * InputElements(shape));
      TypedArray dy(t.type, t.batch * OutputElements(shape));
      numbers.Fill(x);
      numbers.Fill(dy);
      Check(t, x, dy, MakeGlobalAverage, GlobalAverageReference);
    }
  }
}

REPRO16_IN_EVERY_ORDER(PoolTest);

}  // namespace
}  // namespace repro16
