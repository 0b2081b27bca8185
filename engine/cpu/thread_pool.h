// The threads of the CPU backend: a parallel loop over independent tasks.
#ifndef REPRO16_ENGINE_CPU_THREAD_POOL_H_
#define REPRO16_ENGINE_CPU_THREAD_POOL_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/numerics/store_counter.h"
#include "hwy/contrib/thread_pool/thread_pool.h"
#include "hwy/contrib/thread_pool/topology.h"

namespace repro16 {

// A fixed set of workers, the calling thread among them. Not thread-safe; loops
// do not nest.
class ThreadPool {
 public:
  // num_threads >= 1. With 1 no thread is made and loops run on the caller.
  // Workers wait actively, which makes a loop cheap to start (microseconds),
  // unless there are more of them than processors.
  explicit ThreadPool(int num_threads)
      : pool_(static_cast<size_t>(num_threads)) {
    const unsigned processors = std::thread::hardware_concurrency();
    if (num_threads > 1 && static_cast<unsigned>(num_threads) <= processors) {
      pool_.SetWaitMode(hwy::PoolWaitMode::kSpin);
      PinWorkers();
    }
  }

  // Gives the calling thread its processors back.
  ~ThreadPool() {
    if (pinned_) hwy::SetThreadAffinity(processors_);
  }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_workers() const { return static_cast<int>(pool_.NumWorkers()); }

  // Calls body(int64_t task, int worker) once for every task in [0, tasks), in
  // any order, with worker in [0, num_workers()); returns when all have run.
  // What tasks compute must not depend on `worker`.
  template <class Body>
  void Run(int64_t tasks, const Body& body) {
    pool_.Run(0, static_cast<uint64_t>(tasks),
              [&body](uint64_t task, size_t worker) {
                body(static_cast<int64_t>(task), static_cast<int>(worker));
              });
  }

  // The same for tasks that store: calls body(int64_t task, StoreCounter&) with
  // a counter of the task's own, and adds it to `total`.
  template <class Body>
  void RunCounted(int64_t tasks, StoreCounter& total, const Body& body) {
    std::mutex mutex;
    Run(tasks, [&](int64_t task, int /*worker*/) {
      StoreCounter counter;
      body(task, counter);
      const std::lock_guard<std::mutex> lock(mutex);
      total += counter;
    });
  }

 private:
  // Where the workers take every processor that the process may use, each gets
  // one of its own: a scheduler that puts two spinning threads on one of them
  // halves the speed.
  void PinWorkers() {
    if (!hwy::GetThreadAffinity(processors_) ||
        processors_.Count() != pool_.NumWorkers()) {
      return;
    }
    std::vector<size_t> own;
    processors_.Foreach([&own](size_t processor) { own.push_back(processor); });
    // As many tasks as workers: each worker runs the task of its own number.
    Run(num_workers(), [&own](int64_t /*task*/, int worker) {
      hwy::LogicalProcessorSet one;
      one.Set(own[static_cast<size_t>(worker)]);
      hwy::SetThreadAffinity(one);
    });
    pinned_ = true;
  }

  hwy::ThreadPool pool_;
  hwy::LogicalProcessorSet processors_;  // of the thread that made the pool
  bool pinned_ = false;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_THREAD_POOL_H_
