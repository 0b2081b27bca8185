// The moving average of batch normalisation's statistics, on host and device.
#ifndef REPRO16_ENGINE_GRAPH_MOVING_AVERAGE_H_
#define REPRO16_ENGINE_GRAPH_MOVING_AVERAGE_H_

#include "engine/numerics/host_device.h"
#include "engine/numerics/rounding.h"

namespace repro16 {

// s - r(r(s - r(batch)) * rate), whose rounding is the new statistic: r() is
// that of its type T, `statistic` is s, `rate` MovingRate (rounded_factors.h).
template <class T>
REPRO16_HOST_DEVICE inline float MovedStatistic(float statistic, float batch,
                                                float rate) {
  const float difference = RoundTo<T>(f32::Sub(statistic, RoundTo<T>(batch)));
  return f32::Sub(statistic, RoundTo<T>(f32::Mul(difference, rate)));
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_MOVING_AVERAGE_H_
