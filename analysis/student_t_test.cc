#include "analysis/student_t.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

struct Known {
  double argument;
  double df;
  double value;
};

// The values are SciPy's (scipy.stats.t).
TEST(StudentTTest, CdfKnownValues) {
  for (const Known& known :
       {Known{0, 3, 0.5}, Known{1, 1, 0.75}, Known{-1, 1, 0.25},
        Known{2.5, 4, 0.966616727594006}, Known{-2.5, 4, 0.03338327240599407},
        Known{0.001, 7.3, 0.5003855515094877},
        Known{-12, 2, 0.00343646683857923},
        Known{-40, 3.5, 4.383220554686509e-06},
        Known{1.96, 49, 0.97215219607687},
        Known{-6, 1000, 1.3776845866887376e-09},
        Known{-3, 100000, 0.0013502304420323617},
        Known{30, 0.5, 0.9414531585099466}}) {
    EXPECT_NEAR(StudentTCdf(known.argument, known.df), known.value,
                1e-10 * std::min(known.value, 1e-2))
        << known.argument << " " << known.df;
  }
}

TEST(StudentTTest, CdfInClosedForm) {
  for (double t = -8; t <= 8; t += 0.125) {
    EXPECT_NEAR(StudentTCdf(t, 1), 0.5 + std::atan(t) / M_PI, 1e-13) << t;
    EXPECT_NEAR(StudentTCdf(t, 2), 0.5 + t / (2 * std::sqrt(2 + t * t)), 1e-13)
        << t;
  }
}

TEST(StudentTTest, CdfAtInfinity) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(StudentTCdf(infinity, 3), 1);
  EXPECT_EQ(StudentTCdf(-infinity, 3), 0);
}

TEST(StudentTTest, QuantileKnownValues) {
  for (const Known& known :
       {Known{0.95, 4, 2.1318467863266495}, Known{0.95, 49, 1.6765508926168535},
        Known{0.8, 4, 0.9409645772351816}, Known{0.975, 1, 12.706204736174694},
        Known{0.025, 1, -12.706204736174705},
        Known{0.95, 2.5, 2.5582186141359355}, Known{0.5, 3, 0},
        Known{1e-6, 5, -24.771029720515948},
        Known{0.999, 200, 3.131479814221121},
        Known{0.01, 53.7, -2.3978181493938284}}) {
    EXPECT_NEAR(StudentTQuantile(known.argument, known.df), known.value,
                1e-11 * std::abs(known.value))
        << known.argument << " " << known.df;
  }
}

}  // namespace
}  // namespace repro16
