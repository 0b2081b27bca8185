// The version of the numerics contract (README.md) that the engine implements.
#ifndef REPRO16_ENGINE_NUMERICS_VERSION_H_
#define REPRO16_ENGINE_NUMERICS_VERSION_H_

namespace repro16 {

// Raised by every change that alters a bit of any result: the order of a sum, a
// rounding point, a polynomial, a random stream. Results carry it; those of
// another version are not comparable to the bit.
inline constexpr int kNumericsVersion = 1;

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_VERSION_H_
