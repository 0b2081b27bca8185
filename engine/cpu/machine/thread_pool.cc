#include "engine/cpu/machine/thread_pool.h"

#include <vector>

#include "hwy/contrib/thread_pool/topology.h"

namespace repro16 {
namespace {

// Asked once, before a pool binds the thread that would be asked later.
const hwy::LogicalProcessorSet& Processors() {
  static const hwy::LogicalProcessorSet processors = [] {
    hwy::LogicalProcessorSet set;
    if (!hwy::GetThreadAffinity(set)) set.Set(0);
    return set;
  }();
  return processors;
}

}  // namespace

int UsableProcessors() { return static_cast<int>(Processors().Count()); }

ThreadPool::ThreadPool(int num_threads, Waiting waiting)
    : pool_(static_cast<size_t>(num_threads)) {
  const int processors = UsableProcessors();
  if (num_threads == 1) return;
  const bool active = waiting == Waiting::kActive && num_threads <= processors;
  if (active) pool_.SetWaitMode(hwy::PoolWaitMode::kSpin);
  PlaceWorkers(/*bound=*/active && num_threads == processors);
}

ThreadPool::~ThreadPool() {
  if (num_workers() > 1) hwy::SetThreadAffinity(Processors());
}

void ThreadPool::PlaceWorkers(bool bound) {
  std::vector<size_t> own;
  Processors().Foreach([&own](size_t processor) { own.push_back(processor); });
  // As many tasks as workers: each worker runs the one of its own number.
  Run(num_workers(), [&own, bound](int64_t /*task*/, int worker) {
    hwy::LogicalProcessorSet set;
    if (bound) {
      set.Set(own[static_cast<size_t>(worker)]);
    } else {
      set = Processors();
    }
    hwy::SetThreadAffinity(set);
  });
}

}  // namespace repro16
