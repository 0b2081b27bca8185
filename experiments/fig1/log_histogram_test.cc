#include "experiments/fig1/log_histogram.h"

#include <limits>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr LogAxis kAxis = {-3, 4};

TEST(LogAxisTest, EachBinHoldsItsMiddle) {
  EXPECT_EQ(kAxis.bins(), 12);
  for (int bin = 0; bin < kAxis.bins(); ++bin) {
    const double low = kAxis.Edge(bin), high = kAxis.Edge(bin + 1);
    EXPECT_LT(low, high);
    EXPECT_EQ(kAxis.Bin(std::sqrt(low * high)), bin);
  }
  EXPECT_DOUBLE_EQ(kAxis.Edge(0), 1e-3);
  EXPECT_DOUBLE_EQ(kAxis.Edge(12), 1);
}

TEST(LogAxisTest, TheEndsTakeWhatIsBeyond) {
  EXPECT_EQ(kAxis.Bin(0), 0);
  EXPECT_EQ(kAxis.Bin(1e-30), 0);
  EXPECT_EQ(kAxis.Bin(std::numeric_limits<double>::quiet_NaN()), 0);
  EXPECT_EQ(kAxis.Bin(1), 11);
  EXPECT_EQ(kAxis.Bin(2), 11);
}

}  // namespace
}  // namespace repro16
