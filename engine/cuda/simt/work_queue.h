// A stream of the emulator: work waits until somebody waits for it, so that a
// missing synchronization shows as a result that is not there.
#ifndef REPRO16_ENGINE_CUDA_SIMT_WORK_QUEUE_H_
#define REPRO16_ENGINE_CUDA_SIMT_WORK_QUEUE_H_

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "engine/cuda/simt/stream.h"

namespace repro16 {
namespace emulator {

using Work = std::function<void()>;

// What takes launches: the handle of the emulator's streams points to one.
class LaunchQueue {
 public:
  virtual ~LaunchQueue() = default;
  // Looks at an argument of the launch that is enqueued next.
  virtual void CheckArgument(const void* /*argument*/, size_t /*bytes*/) const {
  }
  virtual void Enqueue(Work work) = 0;
};

class WorkQueue : public LaunchQueue, public Stream {
 public:
  WorkQueue() : Stream(static_cast<LaunchQueue*>(this)) {}

  void Enqueue(Work work) override { waiting_.push_back(std::move(work)); }

  // Does all that waits.
  void Finish() {
    for (const Work& work : std::exchange(waiting_, {})) work();
  }

 private:
  std::vector<Work> waiting_;
};

}  // namespace emulator
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_WORK_QUEUE_H_
