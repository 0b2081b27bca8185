// A stream of the emulator: work waits until somebody waits for it, so that a
// missing synchronization shows as a result that is not there.
#ifndef REPRO16_ENGINE_CUDA_SIMT_WORK_QUEUE_H_
#define REPRO16_ENGINE_CUDA_SIMT_WORK_QUEUE_H_

#include <functional>
#include <utility>
#include <vector>

#include "engine/cuda/simt/stream.h"

namespace repro16 {
namespace emulator {

using Work = std::function<void()>;

class WorkQueue : public Stream {
 public:
  WorkQueue() : Stream(nullptr) {}

  void Enqueue(Work work) { waiting_.push_back(std::move(work)); }

  // Takes all that waits.
  std::vector<Work> Take() { return std::exchange(waiting_, {}); }

  // Does all that waits.
  void Finish() {
    for (const Work& work : Take()) work();
  }

 private:
  std::vector<Work> waiting_;
};

}  // namespace emulator
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_WORK_QUEUE_H_
