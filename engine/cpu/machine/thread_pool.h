// The threads of the CPU backend: a parallel loop over independent tasks.
#ifndef REPRO16_ENGINE_CPU_MACHINE_THREAD_POOL_H_
#define REPRO16_ENGINE_CPU_MACHINE_THREAD_POOL_H_

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "engine/numerics/store_counter.h"
#include "hwy/contrib/thread_pool/thread_pool.h"

namespace repro16 {

// How many processors this process may use, as the scheduler's mask said before
// any pool was made.
int UsableProcessors();

// How workers wait for the next loop. kActive makes a loop cheap to start
// (microseconds) and is for a process that has its processors to itself: one
// that must share them loses far more than it gains. Pools with more workers
// than processors always block.
enum class Waiting : uint8_t { kActive, kBlocking };

// A fixed set of workers, the calling thread among them. Not thread-safe; loops
// do not nest. Destroyed by the thread that made it.
class ThreadPool {
 public:
  // num_threads >= 1. With 1 no thread is made and loops run on the caller.
  //
  // Where active workers take every usable processor, each is bound to one of
  // its own, the calling thread too, until the pool is destroyed: a scheduler
  // that puts two actively waiting threads on one processor halves the speed.
  // So two such pools at a time get in each other's way.
  explicit ThreadPool(int num_threads, Waiting waiting = Waiting::kActive);
  ~ThreadPool();

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
      if (!counter.any()) return;
      const std::lock_guard<std::mutex> lock(mutex);
      total += counter;
    });
  }

 private:
  // Binds each worker to a processor of its own, or frees it to use all.
  void PlaceWorkers(bool bound);

  hwy::ThreadPool pool_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_MACHINE_THREAD_POOL_H_
