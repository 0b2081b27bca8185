#include "engine/cpu/machine/thread_pool.h"

#include <chrono>
#include <cstddef>

#include "engine/cpu/machine/usable_processors.h"
#include "hwy/cache_control.h"

namespace repro16 {
namespace {

using Clock = std::chrono::steady_clock;

// Far longer than between the loops of a training step, far shorter than the
// time slices of a scheduler.
constexpr std::chrono::microseconds kActiveTime{100};
// Looks between two at the clock.
constexpr int kLooks = 64;

}  // namespace

// All that decides is sequentially consistent: either the waiting thread sees
// what it waits for, or the other one sees that it sleeps.
template <class Condition>
void ThreadPool::Event::Await(bool actively, const Condition& holds) {
  if (actively) {
    const Clock::time_point end = Clock::now() + kActiveTime;
    do {
      for (int i = 0; i < kLooks; ++i) {
        if (holds()) return;
        hwy::Pause();
      }
    } while (Clock::now() < end);
  }
  std::unique_lock<std::mutex> lock(mutex_);
  ++sleeping_;
  wake_.wait(lock, holds);
  --sleeping_;
}

void ThreadPool::Event::Notify() {
  if (sleeping_ == 0) return;
  // Not between a sleeper's last look and its sleep.
  { const std::lock_guard<std::mutex> lock(mutex_); }
  wake_.notify_all();
}

ThreadPool::ThreadPool(int num_threads)
    : shares_(static_cast<size_t>(num_threads)),
      actively_(num_threads <= UsableProcessors()) {
  for (int worker = 0; worker < num_threads - 1; ++worker) {
    threads_.emplace_back([this, worker] { Serve(worker); });
  }
}

ThreadPool::~ThreadPool() {
  call_ = nullptr;
  ++loop_;
  begun_.Notify();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::RunTasks(int64_t tasks, Call call, const void* body) {
  const int workers = num_workers();
  if (workers == 1 || tasks <= 1) {
    for (int64_t task = 0; task < tasks; ++task) call(body, task, 0);
    return;
  }
  call_ = call;
  body_ = body;
  tasks_ = tasks;
  int64_t begin = 0;
  for (int worker = 0; worker < workers; ++worker) {
    Share& share = shares_[static_cast<size_t>(worker)];
    share.next.store(begin, std::memory_order_relaxed);
    begin += tasks / workers + (worker < tasks % workers ? 1 : 0);
    share.end = begin;
  }
  busy_ = workers - 1;
  ++loop_;
  begun_.Notify();
  Work(workers - 1);
  ended_.Await(actively_, [this] { return busy_ == 0; });
}

void ThreadPool::Serve(int worker) {
  for (uint64_t ended = 0;; ++ended) {
    begun_.Await(actively_, [&] { return loop_ != ended; });
    if (call_ == nullptr) return;
    Work(worker);
    if (--busy_ == 0) ended_.Notify();
  }
}

void ThreadPool::Work(int worker) {
  const int workers = num_workers();
  const int helped = tasks_ <= workers ? 1 : workers;
  for (int i = 0; i < helped; ++i) {
    Share& share = shares_[static_cast<size_t>((worker + i) % workers)];
    while (true) {
      const int64_t task = share.next.fetch_add(1, std::memory_order_relaxed);
      if (task >= share.end) break;
      call_(body_, task, worker);
    }
  }
}

}  // namespace repro16
