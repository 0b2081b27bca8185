// How a training run tells how far it is.
#ifndef REPRO16_ENGINE_TRAINING_PROGRESS_H_
#define REPRO16_ENGINE_TRAINING_PROGRESS_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/io/terminal.h"
#include "engine/run/run.pb.h"

namespace repro16 {

struct BatchProgress {
  int64_t epoch;  // from 1
  int64_t epochs;
  int64_t examples;  // of this epoch, so far
  int64_t epoch_examples;
  double loss;               // mean of this epoch, so far
  double accuracy;           // likewise, in [0, 1]
  double images_per_second;  // of this run's training, so far
  double seconds_left;       // of the whole run, an estimate
};

class Progress {
 public:
  virtual ~Progress() = default;
  // Whether OnBatch is wanted now; it costs a synchronisation with the device.
  virtual bool WantsBatch() { return false; }
  virtual void OnBatch(const BatchProgress& /*batch*/) {}
  virtual void OnEpoch(const EpochResult& /*epoch*/, int64_t /*epochs*/,
                       double /*images_per_second*/) {}
  // Leaves the line empty, for one that is not of progress.
  virtual void Clear() {}
};

// "bar": one line that is redrawn ten times a second, and a line an epoch;
// "plain": a line an epoch; "none"; "auto": "bar" if `stream` is an interactive
// terminal (engine/io/terminal.h), else "plain". InvalidArgument for another
// name.
//
// Every line is ASCII and narrower than the terminal is at that moment: where
// it is too narrow for all, the images a second are left out first, then the
// bar, the accuracy in training, the loss, and last the time left or the
// accuracy on the test set. `environment` is what the terminal is known by.
absl::StatusOr<std::unique_ptr<Progress>> MakeProgress(
    std::string_view mode, std::FILE* stream,
    const Environment& environment = std::getenv);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_PROGRESS_H_
