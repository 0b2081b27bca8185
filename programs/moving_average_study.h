// What the moving average of batch normalisation alone makes of one training.
//
// A training step normalises with the statistics of its batch; the moving ones
// are read by evaluation alone. So one training serves every way of averaging:
// each step's statistics, as the policy stores them, are handed to all of them,
// and the same weights are evaluated with what each of them ends with.
#ifndef REPRO16_PROGRAMS_MOVING_AVERAGE_STUDY_H_
#define REPRO16_PROGRAMS_MOVING_AVERAGE_STUDY_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/data/dataset.h"
#include "engine/graph/backend.h"
#include "engine/run/run.pb.h"
#include "programs/moving_average_study.pb.h"

namespace repro16 {

// s after one batch, whose statistic is x, both of the type T that r() rounds
// to. `lost` is what the roundings of s have lost so far, or null where nobody
// keeps it:
//   change = r(r(x - s) * r(1 - momentum))
//   without `lost`: s = r(s + change), the bits of
//   engine/graph/moving_average.h with it: y = r(change - lost); t = r(s + y);
//   lost = r(r(t - s) - y); s = t
// (Kahan 1965, Further remarks on reducing truncation errors).
template <class T>
float MoveAverage(float statistic, float batch, double momentum, float* lost);

struct MovingAverageStudyOptions {
  std::vector<double> momenta;  // beside the network's own
  // Epochs after which the averages are evaluated, beside the last.
  int64_t every_epochs = 0;  // 0: no others
  // Called after each epoch.
  std::function<void(const MovingAverageStudy::Epoch& epoch)> tell;
};

// Trains as the trainer does, with the specification's optimizer and order of
// examples. Its policy stores the statistics in f16; fails for another, and for
// a network without batch normalisation.
absl::StatusOr<MovingAverageStudy> StudyMovingAverages(
    const RunSpec& spec, const Dataset& data, Backend& backend,
    const MovingAverageStudyOptions& options);

}  // namespace repro16

#endif  // REPRO16_PROGRAMS_MOVING_AVERAGE_STUDY_H_
