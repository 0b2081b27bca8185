// Counts in bins of equal width on a decimal logarithmic axis.
#ifndef REPRO16_EXPERIMENTS_FIG1_LOG_HISTOGRAM_H_
#define REPRO16_EXPERIMENTS_FIG1_LOG_HISTOGRAM_H_

#include <cmath>

namespace repro16 {

// Bins from 10^low to 1, `per_decade` to a decade. Values under 10^low, 0
// among them, count in the first bin, values of 1 and more in the last.
struct LogAxis {
  int low;  // exponent, negative
  int per_decade;

  int bins() const { return -low * per_decade; }

  // NaN counts in the first bin.
  int Bin(double value) const {
    const double position = (std::log10(value) - low) * per_decade;
    if (!(position >= 0)) return 0;
    return position >= bins() ? bins() - 1 : static_cast<int>(position);
  }

  // Where bin `bin` begins; Edge(bins()) is 1.
  double Edge(int bin) const {
    return std::pow(10.0, low + static_cast<double>(bin) / per_decade);
  }
};

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG1_LOG_HISTOGRAM_H_
