// For tests: what rounding to a narrow format must give, by search in the list
// of its numbers.
#ifndef REPRO16_ENGINE_NUMERICS_ROUNDING_ORACLE_H_
#define REPRO16_ENGINE_NUMERICS_ROUNDING_ORACLE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace repro16 {

// A format with one sign bit; its finite numbers and their midpoints are exact
// in f64.
class RoundingOracle {
 public:
  RoundingOracle(int exponent_bits, int fraction_bits)
      : sign_(1 << (exponent_bits + fraction_bits)) {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int one = 1 << fraction_bits;
    for (int exponent = 0; exponent < (1 << exponent_bits) - 1; ++exponent) {
      for (int fraction = 0; fraction < one; ++fraction) {
        const int scale = std::max(exponent, 1) - bias - fraction_bits;
        numbers_.push_back(
            std::ldexp(fraction + (exponent > 0 ? one : 0), scale));
      }
    }
    // In place of infinity: the number that a larger exponent would give.
    numbers_.push_back(std::ldexp(1, bias + 1));
  }

  // Non-negative numbers in order, the bits of each being its index. The last
  // stands for infinity.
  const std::vector<double>& numbers() const { return numbers_; }

  // NaN for bits that are no number.
  double Value(uint16_t bits) const {
    const uint16_t magnitude = bits & (sign_ - 1);
    if (magnitude >= numbers_.size()) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    const double value = magnitude + 1u == numbers_.size()
                             ? std::numeric_limits<double>::infinity()
                             : numbers_[magnitude];
    return (bits & sign_) != 0 ? -value : value;
  }

  // The bits of the number nearest to x, which is not NaN; of two, the one with
  // even bits.
  uint16_t Round(double x) const {
    const double magnitude = std::min(std::fabs(x), numbers_.back());
    const auto above =
        std::lower_bound(numbers_.begin(), numbers_.end(), magnitude);
    uint16_t bits = above - numbers_.begin();
    if (bits > 0) {
      const double midpoint = (numbers_[bits - 1] + numbers_[bits]) / 2;
      if (magnitude < midpoint || (magnitude == midpoint && bits % 2 == 1)) {
        --bits;
      }
    }
    return std::signbit(x) ? bits | sign_ : bits;
  }

  // Every number and every midpoint of two, both signs, with its neighbours of
  // type Float (float or double).
  template <typename Float>
  std::vector<Float> EdgeCases() const {
    constexpr Float kInfinity = std::numeric_limits<Float>::infinity();
    std::vector<Float> cases = {kInfinity, -kInfinity,
                                std::numeric_limits<Float>::max(),
                                std::numeric_limits<Float>::denorm_min()};
    for (size_t i = 0; i + 1 < numbers_.size(); ++i) {
      for (const double center :
           {numbers_[i], (numbers_[i] + numbers_[i + 1]) / 2}) {
        const Float x = static_cast<Float>(center);
        for (const Float y :
             {x, std::nextafter(x, kInfinity), std::nextafter(x, -kInfinity)}) {
          cases.push_back(y);
          cases.push_back(-y);
        }
      }
    }
    return cases;
  }

 private:
  uint16_t sign_;
  std::vector<double> numbers_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_ROUNDING_ORACLE_H_
