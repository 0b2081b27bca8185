#include "experiments/table2/image_by_image.h"

#include <cmath>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

TEST(ImageByImageTest, CountsEqualClassesAndMeasuresTheDivergence) {
  Probabilities fp32{2, 2, {0.5, 0.5, 0.25, 0.75}, {0, 1}};
  Probabilities other{2, 2, {0.75, 0.25, 0.5, 0.5}, {0, 1}};
  Agreement agreement = AgreementOf(fp32, other);
  // Of equal probabilities the first class counts.
  EXPECT_EQ(agreement.alike, 50);
  const double first = 0.5 * std::log(2.0 / 3) + 0.5 * std::log(2.0);
  const double second = 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
  EXPECT_NEAR(agreement.divergence, (first + second) / 2, 1e-12);
  // A probability that was rounded to 0 counts as the least one.
  other.values = {1, 0, 0.25, 0.75};
  agreement = AgreementOf(fp32, other);
  EXPECT_EQ(agreement.alike, 100);
  EXPECT_NEAR(agreement.divergence,
              (0.5 * std::log(0.5) + 0.5 * std::log(0.5 * 0x1p24)) / 2, 1e-12);
  other.values[0] = std::nan("");
  EXPECT_TRUE(std::isnan(AgreementOf(fp32, other).divergence));
}

}  // namespace
}  // namespace repro16
