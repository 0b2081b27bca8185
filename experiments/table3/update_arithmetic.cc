#include "experiments/table3/update_arithmetic.h"

#include <cmath>
#include <cstdint>

#include "engine/numerics/round_to_type.h"

namespace repro16 {
namespace {

// r() of the update rules.
class Rounding {
 public:
  explicit Rounding(DType type) : type_(type) {}
  double operator()(double x) const { return RoundToType(x, type_); }

 private:
  DType type_;
};

// v of RMSProp after one step from v.
double NextMeanSquare(double v, double gradient, DType type) {
  const Rounding r(type);
  return r(r(r(kRho) * v) + r(r(1 - kRho) * r(gradient * gradient)));
}

// From x to the next larger number of `type`.
double Spacing(double x, DType type) {
  const int digits = type == DType::kF32 ? 24 : 11;
  return std::fmax(SmallestPositive(type),
                   std::ldexp(1, std::ilogb(x) + 1 - digits));
}

// The smallest positive number of `type`, f16 or f32, for which `holds`. It
// holds for 1 and for all numbers above one that it holds for.
template <typename Holds>
double SmallestWhere(DType type, Holds holds) {
  const double smallest = SmallestPositive(type);
  double power = 1;
  while (power > smallest && holds(power / 2)) power /= 2;
  if (power == smallest) return smallest;
  // Between two powers of two: in units of the spacing there.
  const double spacing = Spacing(power / 2, type);
  auto fails = static_cast<int64_t>(power / 2 / spacing);
  auto succeeds = static_cast<int64_t>(power / spacing);
  while (succeeds - fails > 1) {
    const int64_t middle = (fails + succeeds) / 2;
    (holds(static_cast<double>(middle) * spacing) ? succeeds : fails) = middle;
  }
  return static_cast<double>(succeeds) * spacing;
}

// The number of `type` before x, which is one.
double Before(double x, DType type) {
  return x - Spacing(std::nextafter(x, 0), type);
}

}  // namespace

Moments NextMoments(const Moments& moments, double gradient, DType type) {
  const Rounding r(type);
  const auto [m, v] = moments;
  return {r(m + r(r(gradient - m) * r(1 - kBeta1))),
          r(v + r(r(r(gradient * gradient) - v) * r(1 - kBeta2)))};
}

Moments SteadyMoments(double gradient, DType type) {
  Moments moments;
  while (true) {
    const Moments next = NextMoments(moments, gradient, type);
    if (next.first == moments.first && next.second == moments.second) {
      return moments;
    }
    moments = next;
  }
}

double AdamStep(const Moments& moments, double rate, double epsilon,
                DType type) {
  const Rounding r(type);
  const double denominator = r(r(std::sqrt(moments.second)) + r(epsilon));
  return std::fabs(r(r(moments.first * r(rate)) / denominator));
}

double RmsPropStep(double gradient, double second_moment, double rate,
                   double epsilon, DType type) {
  const Rounding r(type);
  const double inverse_root = r(1 / std::sqrt(r(second_moment + r(epsilon))));
  return std::fabs(r(r(r(rate) * gradient) * inverse_root));
}

double SmallestGradientOfFirstMoment(DType type) {
  return SmallestWhere(
      type, [type](double g) { return NextMoments({}, g, type).first != 0; });
}

double SmallestGradientOfSecondMoment(DType type) {
  return SmallestWhere(
      type, [type](double g) { return NextMoments({}, g, type).second != 0; });
}

double SmallestGradientOfMeanSquare(DType type) {
  return SmallestWhere(
      type, [type](double g) { return NextMeanSquare(0, g, type) != 0; });
}

double LargestGradientWhileZero(DType type) {
  return Before(SmallestGradientOfSecondMoment(type), type);
}

double LargestAdamStepWhileZero(double rate, double epsilon, DType type) {
  return AdamStep({LargestGradientWhileZero(type), 0}, rate, epsilon, type);
}

double LargestRmsPropStepWhileZero(double rate, double epsilon, DType type) {
  const double largest = Before(SmallestGradientOfMeanSquare(type), type);
  return RmsPropStep(largest, 0, rate, epsilon, type);
}

double SmallestAdamStepWhileZero(double epsilon, DType type) {
  const Rounding r(type);
  return r(SmallestPositive(type) / r(epsilon));
}

double SmallestPositive(DType type) {
  return std::ldexp(1, type == DType::kF32 ? -149 : -24);
}

}  // namespace repro16
