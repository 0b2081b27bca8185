// Runs the blocks of a kernel on the host: every thread of a block is a fiber,
// which runs until it waits at a barrier or returns.
//
// Aborts, with a message that names block, threads and lines, when threads of a
// block wait at different barriers or some have returned while others wait, and
// when a kernel's shared memory is not what the launch gave. Shared memory is
// all ones (NaN) when a block starts. Data races show as results that differ
// from the reference in one of the orders; a build with -fsanitize=thread
// reports those within a block by itself, and one with -fsanitize=address finds
// accesses out of bounds.
//
// Launches come from one host thread at a time.
#ifndef REPRO16_ENGINE_CUDA_SIMT_EMULATOR_H_
#define REPRO16_ENGINE_CUDA_SIMT_EMULATOR_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "engine/cuda/simt/index3.h"

namespace repro16 {

namespace emulator {

// A call of Barrier() or BarrierOr(). Calls on one line are one site.
struct Site {
  const char* file = "";
  int line = 0;

  friend bool operator==(const Site& a, const Site& b) {
    return a.line == b.line &&
           (a.file == b.file || std::strcmp(a.file, b.file) == 0);
  }
};

// In which order blocks run, and the threads of a block between two barriers.
enum class Order { kForward, kReverse, kRandom };

struct Options {
  Order order = Order::kForward;
  uint32_t seed = 1;  // of kRandom
  // Threads pass this barrier without waiting: what tests do to see that they
  // would notice.
  Site ignored_barrier;
};

// Of the launches that follow.
Options& options();

// The barriers that launches have met since the last call.
std::vector<Site> TakeBarriersMet();

// Ends the process with a line; printf's format.
[[noreturn]] void Die(const char* format, ...)
    __attribute__((format(printf, 1, 2)));

// Runs `kernel` as every thread of every block.
void Run(Index3 grid, unsigned threads, size_t shared_bytes,
         const std::function<void()>& kernel);

// --- For simt.h: of the thread that calls.

struct Position {
  unsigned thread;
  Index3 block;
  Index3 grid;
};
extern Position position;

void* SharedMemory(size_t bytes);
// Waits for the block's other threads; true if `mine` is true for one of them.
bool Wait(bool mine, Site site);

}  // namespace emulator
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_EMULATOR_H_
