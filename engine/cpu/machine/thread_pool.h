// The threads of the CPU backend: a parallel loop over independent tasks.
#ifndef REPRO16_ENGINE_CPU_MACHINE_THREAD_POOL_H_
#define REPRO16_ENGINE_CPU_MACHINE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/numerics/store_counter.h"

namespace repro16 {

// A fixed set of workers, the calling thread among them. Not thread-safe; loops
// do not nest. Destroyed by the thread that made it.
//
// A worker that waits for the next loop, or for the end of one, looks for it
// all the time at first: within a training step the next loop is microseconds
// away. After a tenth of a millisecond it sleeps until it is woken, so that
// pools of several processes share the processors: each takes only the time in
// which it has something to do. Where there are more workers than processors
// (UsableProcessors) they sleep at once. No thread is bound to a processor.
class ThreadPool {
 public:
  // num_threads >= 1. With 1 no thread is made and loops run on the caller.
  explicit ThreadPool(int num_threads);
  ~ThreadPool();

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_workers() const { return static_cast<int>(shares_.size()); }

  // Calls body(int64_t task, int worker) once for every task in [0, tasks), in
  // any order, with worker in [0, num_workers()); returns when all have run.
  // What tasks compute must not depend on `worker`. Neighbouring tasks are
  // mostly run by one worker, the same in every loop of as many tasks; where
  // there are no more tasks than workers, each is run by a worker of its own.
  template <class Body>
  void Run(int64_t tasks, const Body& body) {
    RunTasks(
        tasks,
        [](const void* of, int64_t task, int worker) {
          (*static_cast<const Body*>(of))(task, worker);
        },
        &body);
  }

  // The same for tasks that store: calls body(int64_t task, Counter&) with a
  // counter of the task's own, and adds it to `total`. Counter is StoreCounter,
  // or has what that has: operator+= and any().
  template <class Counter, class Body>
  void RunCounted(int64_t tasks, Counter& total, const Body& body) {
    std::mutex mutex;
    Run(tasks, [&](int64_t task, int /*worker*/) {
      Counter counter;
      body(task, counter);
      if (!counter.any()) return;
      const std::lock_guard<std::mutex> lock(mutex);
      total += counter;
    });
  }

 private:
  using Call = void (*)(const void* body, int64_t task, int worker);

  // The tasks that a worker begins with; the others help once theirs are done.
  // On a cache line of its own.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };

  // Where threads wait until something holds that another thread brings about.
  class Event {
   public:
    template <class Condition>
    void Await(bool actively, const Condition& holds);
    // After the store that makes it hold.
    void Notify();

   private:
    std::mutex mutex_;
    std::condition_variable wake_;
    std::atomic<int> sleeping_{0};
  };

  void RunTasks(int64_t tasks, Call call, const void* body);
  void Serve(int worker);  // the loop of a thread
  void Work(int worker);

  std::vector<Share> shares_;  // by worker; the last is the caller's
  bool actively_;              // wait so at first

  // The loop in progress. Written before loop_, which publishes it.
  Call call_ = nullptr;  // null: the threads end
  const void* body_ = nullptr;
  int64_t tasks_ = 0;
  std::atomic<uint64_t> loop_{0};  // how many there have been
  std::atomic<int> busy_{0};       // threads that have not ended it

  Event begun_;
  Event ended_;
  std::vector<std::thread> threads_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_MACHINE_THREAD_POOL_H_
