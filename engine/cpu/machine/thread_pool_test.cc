#include "engine/cpu/machine/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <set>
#include <thread>
#include <vector>

#include "engine/cpu/machine/usable_processors.h"

namespace repro16 {
namespace {

using std::chrono::milliseconds;

TEST(ThreadPoolTest, RunsEachTaskOnce) {
  for (int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.num_workers(), threads);
    for (int64_t tasks : {0, 1, 2, 3, 6, 7, 8, 100, 1001}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
      pool.Run(tasks, [&](int64_t task, int worker) {
        EXPECT_TRUE(worker >= 0 && worker < threads) << worker;
        ++runs[static_cast<size_t>(task)];
      });
      for (const std::atomic<int>& count : runs) EXPECT_EQ(count, 1);
    }
  }
}

TEST(ThreadPoolTest, AddsTheCountersOfAllTasks) {
  ThreadPool pool(3);
  StoreCounter total;
  pool.RunCounted(100, total, [](int64_t task, StoreCounter& counter) {
    counter.infinite += static_cast<uint64_t>(task);
    counter.nan += 1;
  });
  EXPECT_EQ(total.infinite, 4950u);
  EXPECT_EQ(total.nan, 100u);
}

TEST(ThreadPoolTest, AsManyTasksAsWorkersRunOnOneThreadEach) {
  ThreadPool pool(4);
  for (int loop = 0; loop < 100; ++loop) {
    std::vector<std::thread::id> ids(4);
    pool.Run(4, [&](int64_t task, int /*worker*/) {
      ids[static_cast<size_t>(task)] = std::this_thread::get_id();
    });
    EXPECT_EQ(std::set<std::thread::id>(ids.begin(), ids.end()).size(), 4u);
  }
}

// One worker waits in a task until another has run the rest of its share.
TEST(ThreadPoolTest, WorkersHelpEachOther) {
  ThreadPool pool(2);
  std::atomic<int> run{0};
  pool.Run(100, [&](int64_t task, int /*worker*/) {
    if (task == 0) {
      while (run < 99) std::this_thread::sleep_for(milliseconds(1));
    }
    ++run;
  });
  EXPECT_EQ(run, 100);
}

TEST(ThreadPoolTest, SleepingWorkersAreWoken) {
  for (int threads : {2, 5}) {
    ThreadPool pool(threads);
    std::atomic<int> run{0};
    for (int loop = 0; loop < 2000; ++loop) {
      // Just before, while and after they fall asleep.
      if (loop % 3 == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(loop / 10));
      }
      pool.Run(threads, [&](int64_t /*task*/, int /*worker*/) { ++run; });
    }
    EXPECT_EQ(run, 2000 * threads);
  }
}

double ProcessorSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) +
         1e-9 * static_cast<double>(time.tv_nsec);
}

TEST(ThreadPoolTest, WaitingWorkersLeaveTheProcessorsToOthers) {
  ThreadPool pool(2);
  pool.Run(2, [](int64_t /*task*/, int /*worker*/) {});
  double before = ProcessorSeconds();
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_LT(ProcessorSeconds() - before, 0.02);
  // The caller, which waits for the others, too.
  before = ProcessorSeconds();
  pool.Run(2, [](int64_t /*task*/, int worker) {
    if (worker == 0) std::this_thread::sleep_for(milliseconds(500));
  });
  EXPECT_LT(ProcessorSeconds() - before, 0.02);
}

cpu_set_t Affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  return set;
}

TEST(ThreadPoolTest, NoThreadIsBoundToAProcessor) {
  const cpu_set_t before = Affinity();
  ThreadPool pool(UsableProcessors());
  pool.Run(pool.num_workers(), [&before](int64_t /*task*/, int /*worker*/) {
    const cpu_set_t now = Affinity();
    EXPECT_TRUE(CPU_EQUAL(&now, &before));
  });
}

}  // namespace
}  // namespace repro16
