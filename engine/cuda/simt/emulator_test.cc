#include "engine/cuda/simt/emulator.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/work_queue.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsNan;
using ::testing::UnorderedElementsAreArray;

constexpr unsigned kThreads = 64;

template <class... Params>
void RunNow(void (*kernel)(Params...), Index3 grid, unsigned threads,
            size_t shared_bytes,
            const typename TypeIdentity<Params>::Type&... args) {
  emulator::WorkQueue queue;
  Launch(queue, kernel, grid, threads, shared_bytes, args...);
  queue.Finish();
}

// Each test begins and ends with the usual order.
class EmulatorTest : public ::testing::Test {
 protected:
  EmulatorTest() { emulator::options() = {}; }
  ~EmulatorTest() override { emulator::options() = {}; }
};

// What threads note, one after the other.
template <class T>
struct Notes {
  void Add(T note) { notes[count++] = note; }
  std::vector<T> Take() { return {notes, notes + count.exchange(0)}; }

  T notes[1000];
  std::atomic<int> count = 0;
};

SIMT_KERNEL(kThreads, 1) NoteThread(Notes<unsigned>* notes) {
  notes->Add(BlockIndex().x * 100 + ThreadIndex());
}

TEST_F(EmulatorTest, RunsThreadsForwardAndInReverse) {
  Notes<unsigned> notes;
  RunNow(NoteThread, {2}, 3, 0, &notes);
  EXPECT_THAT(notes.Take(), ElementsAre(0, 1, 2, 100, 101, 102));
  emulator::options().order = emulator::Order::kReverse;
  RunNow(NoteThread, {2}, 3, 0, &notes);
  EXPECT_THAT(notes.Take(), ElementsAre(102, 101, 100, 2, 1, 0));
}

TEST_F(EmulatorTest, ARandomOrderDependsOnTheSeedAlone) {
  Notes<unsigned> notes;
  const auto run = [&](uint32_t seed) {
    emulator::options().seed = seed;
    RunNow(NoteThread, {1}, kThreads, 0, &notes);
    return notes.Take();
  };
  const std::vector<unsigned> forward = run(1);
  emulator::options().order = emulator::Order::kRandom;
  const std::vector<unsigned> first = run(1);
  EXPECT_EQ(run(1), first);
  EXPECT_NE(run(2), first);
  EXPECT_NE(forward, first);
  EXPECT_THAT(first, UnorderedElementsAreArray(forward));
}

SIMT_KERNEL(kThreads, 1) NotePositions(Notes<Index3>* notes) {
  notes->Add(BlockIndex());
  notes->Add(GridSize());
}

TEST_F(EmulatorTest, TellsBlocksTheirPlaces) {
  Notes<Index3> notes;
  RunNow(NotePositions, {2, 3, 2}, 1, 0, &notes);
  const std::vector<Index3> met = notes.Take();
  ASSERT_EQ(met.size(), 24u);
  const Index3 sixth = met[2 * 5], last = met[2 * 11], grid = met[23];
  EXPECT_THAT((std::vector{sixth.x, sixth.y, sixth.z}), ElementsAre(1, 2, 0));
  EXPECT_THAT((std::vector{last.x, last.y, last.z}), ElementsAre(1, 2, 1));
  EXPECT_THAT((std::vector{grid.x, grid.y, grid.z}), ElementsAre(2, 3, 2));
}

TEST_F(EmulatorTest, AGridWithoutBlocksDoesNothing) {
  Notes<unsigned> notes;
  RunNow(NoteThread, {0}, kThreads, 0, &notes);
  RunNow(NoteThread, {1, 0}, kThreads, 0, &notes);
  EXPECT_THAT(notes.Take(), ElementsAre());
}

TEST_F(EmulatorTest, WorkWaitsForFinish) {
  Notes<unsigned> notes;
  emulator::WorkQueue queue;
  Launch(queue, NoteThread, {1}, 1, 0, &notes);
  EXPECT_THAT(notes.Take(), ElementsAre());
  queue.Finish();
  EXPECT_THAT(notes.Take(), ElementsAre(0));
}

// --- Barriers

struct Rotation {
  unsigned values[kThreads];
};

// y[i] = i + rounds, modulo the number of threads: each round hands the values
// on by one thread.
SIMT_KERNEL(kThreads, 1) Rotate(int rounds, unsigned* y) {
  auto& shared = SharedMemory<Rotation>();
  shared.values[ThreadIndex()] = ThreadIndex();
  for (int round = 0; round < rounds; ++round) {
    Barrier();
    const unsigned value = shared.values[(ThreadIndex() + 1) % kThreads];
    Barrier();
    shared.values[ThreadIndex()] = value;
  }
  y[ThreadIndex()] = shared.values[ThreadIndex()];
}

std::vector<unsigned> Rotated(int rounds) {
  std::vector<unsigned> result(kThreads);
  for (unsigned i = 0; i < kThreads; ++i) result[i] = (i + rounds) % kThreads;
  return result;
}

TEST_F(EmulatorTest, BarriersHoldInEveryOrder) {
  for (const auto order : {emulator::Order::kForward, emulator::Order::kReverse,
                           emulator::Order::kRandom}) {
    emulator::options().order = order;
    std::vector<unsigned> y(kThreads);
    RunNow(Rotate, {3}, kThreads, sizeof(Rotation), 5, y.data());
    EXPECT_EQ(y, Rotated(5));
  }
}

TEST_F(EmulatorTest, TellsTheBarriersMet) {
  std::vector<unsigned> y(kThreads);
  (void)emulator::TakeBarriersMet();
  RunNow(Rotate, {1}, kThreads, sizeof(Rotation), 2, y.data());
  const std::vector<emulator::Site> met = emulator::TakeBarriersMet();
  ASSERT_EQ(met.size(), 2u);
  EXPECT_EQ(met[0].file, std::string(__FILE__));
  EXPECT_EQ(met[1].file, std::string(__FILE__));
  EXPECT_EQ(met[1].line, met[0].line + 2);
  EXPECT_TRUE(emulator::TakeBarriersMet().empty());
}

TEST_F(EmulatorTest, AnIgnoredBarrierShows) {
  std::vector<unsigned> y(kThreads);
  const auto rotate = [&] {
    RunNow(Rotate, {1}, kThreads, sizeof(Rotation), 2, y.data());
  };
  (void)emulator::TakeBarriersMet();
  rotate();
  EXPECT_EQ(y, Rotated(2));
  emulator::options().ignored_barrier = emulator::TakeBarriersMet().back();
#ifdef __SANITIZE_THREAD__
  // ThreadSanitizer watches nothing in a process that forked.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(rotate(), "data race");
#else
  rotate();
  EXPECT_NE(y, Rotated(2));
#endif
}

SIMT_KERNEL(kThreads, 1) AnyIs(unsigned who, uint32_t* y) {
  const bool first = BarrierOr(ThreadIndex() == who);
  const bool second = BarrierOr(false);
  y[ThreadIndex()] = 2 * first + second;
}

TEST_F(EmulatorTest, ABarrierTellsWhetherAnyThreadSaysSo) {
  std::vector<uint32_t> y(kThreads);
  for (const unsigned who : {0u, 13u, kThreads - 1}) {
    RunNow(AnyIs, {2}, kThreads, 0, who, y.data());
    EXPECT_THAT(y, Each(2u));
  }
  RunNow(AnyIs, {2}, kThreads, 0, kThreads, y.data());
  EXPECT_THAT(y, Each(0u));
}

// Waits in every other block alone, so that fibers of one kind of block serve
// the other.
SIMT_KERNEL(1024, 1) WaitInOddBlocks(uint32_t* count) {
  if (BlockIndex().x % 2 == 1) Barrier();
  AtomicAdd(count, uint32_t{1});
}

TEST_F(EmulatorTest, BlocksAndLaunchesOfAllSizesFollowEachOther) {
  uint32_t count = 0, expected = 0;
  for (const unsigned threads : {1u, 1024u, 3u, 256u, 1u}) {
    RunNow(WaitInOddBlocks, {5}, threads, 0, &count);
    expected += 5 * threads;
    EXPECT_EQ(count, expected);
  }
}

// --- Shared memory

struct Unwritten {
  float value;
  unsigned char tail[12];
};

SIMT_KERNEL(kThreads, 1) ReadUnwritten(Notes<float>* notes) {
  auto& shared = SharedMemory<Unwritten>();
  notes->Add(shared.value);
  shared.value = 1.0f;
}

TEST_F(EmulatorTest, SharedMemoryIsNanAtABlocksStart) {
  Notes<float> notes;
  RunNow(ReadUnwritten, {2}, 1, sizeof(Unwritten), &notes);
  EXPECT_THAT(notes.Take(), ElementsAre(IsNan(), IsNan()));
}

// --- What no GPU takes

SIMT_KERNEL(kThreads, 1) ReturnEarly() {
  if (ThreadIndex() == 5) return;
  Barrier();
}

SIMT_KERNEL(kThreads, 1) WaitApart() {
  if (ThreadIndex() == 7) {
    Barrier();
  } else {
    Barrier();
  }
}

SIMT_KERNEL(kThreads, 1) WaitOnceMore() {
  Barrier();
  if (ThreadIndex() < 2) Barrier();
}

SIMT_KERNEL(kThreads, 1) Nothing() {}

using EmulatorDeathTest = EmulatorTest;

TEST_F(EmulatorDeathTest, AThreadThatReturnsWhileOthersWait) {
  EXPECT_DEATH(RunNow(ReturnEarly, {1}, kThreads, 0),
               "block \\(0, 0, 0\\): thread 0 waits at .*emulator_test.cc:.*, "
               "but thread 5 has returned");
  EXPECT_DEATH(RunNow(WaitOnceMore, {1}, kThreads, 0),
               "thread 0 waits at .*, but thread 2 has returned");
}

TEST_F(EmulatorDeathTest, ThreadsThatWaitAtDifferentBarriers) {
  EXPECT_DEATH(RunNow(WaitApart, {1}, kThreads, 0),
               "thread 0 waits at .*, but thread 7 waits at .*");
}

TEST_F(EmulatorDeathTest, SharedMemoryOfAnotherSize) {
  Notes<float> notes;
  EXPECT_DEATH(RunNow(ReadUnwritten, {1}, 1, sizeof(Unwritten) + 16, &notes),
               "has 16 bytes of shared memory, its launch gave 32");
}

TEST_F(EmulatorDeathTest, LaunchesThatNoGpuTakes) {
  EXPECT_DEATH(RunNow(Nothing, {1}, 0, 0), "no GPU has");
  EXPECT_DEATH(RunNow(Nothing, {1}, 1025, 0), "1025 threads");
  EXPECT_DEATH(RunNow(Nothing, {1, 65536}, 1, 0),
               "a grid of \\(1, 65536, 1\\)");
  EXPECT_DEATH(RunNow(Nothing, {1, 1, 65536}, 1, 0), "no GPU has");
  EXPECT_DEATH(RunNow(Nothing, {0x80000000}, 1, 0), "no GPU has");
  EXPECT_DEATH(RunNow(Nothing, {1}, 1, (64 << 10) + 1), "65537 bytes");
}

#ifdef __SANITIZE_ADDRESS__
SIMT_KERNEL(kThreads, 1) OverrunShared(int at) {
  auto& shared = SharedMemory<Unwritten>();
  Barrier();
  shared.tail[at] = 0;
}

SIMT_KERNEL(kThreads, 1) OverrunStack(int at) {
  int local[4] = {};
  Barrier();
  *const_cast<volatile int*>(local + at) = 1;
}

TEST_F(EmulatorDeathTest, AccessesOutOfBounds) {
  EXPECT_DEATH(RunNow(OverrunShared, {1}, 2, sizeof(Unwritten), 12),
               "heap-buffer-overflow");
  EXPECT_DEATH(RunNow(OverrunStack, {1}, 2, 0, 4), "stack-buffer-overflow");
}
#endif

}  // namespace
}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
