// Bit for bit, counters included, against scalar code.
#include "engine/cuda/sums/sum_kernels.h"

#include <cstdint>
#include <vector>

#include "engine/cuda/kernels.h"
#include "engine/cuda/simt/work_queue.h"
#include "engine/cuda/testing/emulated_pass.h"
#include "engine/graph/testing/guarded_workspace.h"
#include "engine/graph/testing/test_tensor.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/testing/test_numbers.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

class SumKernelsTest : public EmulatedTest {
 protected:
  static void Check(int64_t rows, int64_t columns, TestTensor& x) {
    SCOPED_TRACE(testing::Message()
                 << rows << "x" << columns << " " << Name(x.values.type()));
    TestTensor expected(x.values.type(), 1, columns);
    for (int64_t c = 0; c < columns; ++c) {
      RowSum sum;
      for (int64_t row = 0; row < rows; ++row) {
        sum.AddTerm(x[row * columns + c]);
      }
      expected.Store(c, sum.Total());
    }
    TestTensor y(x.values.type(), 1, columns);
    WithGuardedWorkspace(
        ColumnSumsWorkspaceBytes(rows, columns), [&](uint8_t* workspace) {
          emulator::WorkQueue queue;
          EmulatedKernels().ColumnSums(
              {x.values.type(), x.values.data(), rows, columns, y.values.data(),
               &y.counter, reinterpret_cast<float*>(workspace)},
              queue);
          queue.Finish();
        });
    EXPECT_TRUE(y == expected);
  }
};

TEST_P(SumKernelsTest, ColumnSumsEqualRowSums) {
  int turn = 0;
  // Below, at and above what a thread loads at once, and chunks.
  for (const int64_t rows : {1, 15, 17, 63, 65, 255, 256, 257, 850, 17000}) {
    for (const int64_t columns : {1, 3, 16, 70}) {
      TestNumbers numbers(1, /*special_every=*/turn % 2 == 0 ? 0 : 500);
      TestTensor x(kAllTypes[turn++ % 3], rows, columns);
      x.Fill(numbers);
      Check(rows, columns, x);
    }
  }
}

TEST_P(SumKernelsTest, SumsOfNegativeZerosAndOfNothing) {
  for (const DType type : kAllTypes) {
    for (const int64_t rows : {0, 1, 256, 300}) {
      TestTensor x(type, rows, 5);
      for (int64_t i = 0; i < 5 * rows; ++i) x.values.Set(i, -0.0f);
      Check(rows, 5, x);
    }
  }
}

REPRO16_IN_EVERY_ORDER(SumKernelsTest);

}  // namespace
}  // namespace repro16
