// The threads of the CPU backend: a parallel loop over independent tasks.
#ifndef REPRO16_ENGINE_CPU_THREAD_POOL_H_
#define REPRO16_ENGINE_CPU_THREAD_POOL_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

#include "engine/numerics/store_counter.h"
#include "hwy/contrib/thread_pool/thread_pool.h"

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
    }
  }

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
  hwy::ThreadPool pool_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_THREAD_POOL_H_
