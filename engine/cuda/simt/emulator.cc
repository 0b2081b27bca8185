#include "engine/cuda/simt/emulator.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <numeric>
#include <random>
#include <utility>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
// For programs with ThreadSanitizer, this file itself is compiled without: what
// it knows of the fibers is shared by them.
#ifdef EMULATOR_FOR_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace repro16::emulator {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(EMULATOR_FOR_TSAN)
constexpr size_t kStackBytes = 256 << 10;
#else
constexpr size_t kStackBytes = 64 << 10;
#endif
constexpr size_t kGuardBytes = 4 << 10;

[[noreturn]] void Die(const char* format, ...) {
  std::fputs("emulator: ", stderr);
  va_list args;
  va_start(args, format);
  std::vfprintf(stderr, format, args);
  va_end(args);
  std::fputc('\n', stderr);
  std::abort();
}

// --- Fibers

// A stack and what is to be restored of it, with what the sanitizers must hear
// of each switch: AddressSanitizer which stack is in use (and where the fake
// stack of the one that is left is kept), ThreadSanitizer which thread runs.
struct Fiber {
  ucontext_t context;
  const void* stack = nullptr;
  size_t stack_bytes = 0;
  bool finished = false;  // the next switch leaves it for good
  void* fake_stack = nullptr;
  void* tsan_fiber = nullptr;
};

// What the fiber that was just switched to does first. Tells the stack of the
// fiber that was left.
void ArriveOn(Fiber& fiber, const void** left_stack, size_t* left_bytes) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fiber.fake_stack, left_stack, left_bytes);
#else
  (void)fiber, (void)left_stack, (void)left_bytes;
#endif
}

void Switch(Fiber& from, Fiber& to) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(from.finished ? nullptr : &from.fake_stack,
                                 to.stack, to.stack_bytes);
#endif
#ifdef EMULATOR_FOR_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber, __tsan_switch_to_fiber_no_sync);
#endif
  if (swapcontext(&from.context, &to.context) != 0) Die("swapcontext failed");
  ArriveOn(from, nullptr, nullptr);
}

// Memory of the stacks of `count` fibers, each above a page that nobody may
// touch.
class Stacks {
 public:
  explicit Stacks(size_t count) : bytes_(count * (kGuardBytes + kStackBytes)) {
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) Die("no memory for the stacks of %zu", count);
    memory_ = static_cast<char*>(memory);
    for (size_t i = 0; i < count; ++i) {
      mprotect(At(i) - kGuardBytes, kGuardBytes, PROT_NONE);
    }
  }
  ~Stacks() {
#ifdef __SANITIZE_ADDRESS__
    // Frames that were never left are still poisoned.
    __asan_unpoison_memory_region(memory_, bytes_);
#endif
    munmap(memory_, bytes_);
  }
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  char* At(size_t i) const {
    return memory_ + i * (kGuardBytes + kStackBytes) + kGuardBytes;
  }

 private:
  const size_t bytes_;
  char* memory_;
};

// --- Launches

struct Thread {
  Fiber fiber;
  enum { kRunning, kWaiting, kReturned } state = kRunning;
  Site site;  // if it waits
};

struct FreeShared {
  void operator()(char* p) const {
    ::operator delete[](p, std::align_val_t(16));
  }
};

class Launch {
 public:
  Launch(Index3 grid, unsigned threads, size_t shared_bytes,
         const std::function<void()>& kernel);
  ~Launch();

  void RunBlock(Index3 block);

  // Called by the thread that runs.
  bool Wait(bool mine, Site site);
  void* SharedMemory(size_t bytes) const;
  unsigned thread_index() const { return order_[position_]; }
  Index3 block_index() const { return block_; }
  Index3 grid_size() const { return grid_; }

  // Of blocks too.
  void Order(std::vector<unsigned>& order);

 private:
  static void EnterThread();

  Thread& current() { return threads_[order_[position_]]; }
  // Lets every thread run until it waits or returns.
  void RunThreads();
  // From the thread that runs to the next one, or back to RunThreads.
  void SwitchToNext();
  void CheckThatAllWaitAtOneBarrier() const;

  // For ThreadSanitizer: what was done before the release of a round is done
  // before what follows its acquisition. Two objects in turn, as a thread can
  // end the round before another has begun it.
  void Release(uint64_t round) {
    (void)round;
#ifdef EMULATOR_FOR_TSAN
    __tsan_release(&sync_[round % 2]);
#endif
  }
  void Acquire() {
#ifdef EMULATOR_FOR_TSAN
    __tsan_acquire(&sync_[round_ % 2]);
#endif
  }

  const Index3 grid_;
  const std::function<void()>& kernel_;
  const size_t shared_bytes_;
  const std::unique_ptr<char[], FreeShared> shared_;
  const Stacks stacks_;
  std::vector<Thread> threads_;
  std::vector<unsigned> order_;
  std::mt19937 random_;
  Fiber launcher_;

  Index3 block_;
  size_t position_ = 0;  // in order_, of the thread that runs
  uint64_t round_ = 0;   // that threads run from barrier to barrier
  bool or_of_waiting_ = false;
  bool or_of_passed_ = false;
  bool closing_ = false;
  [[maybe_unused]] char sync_[2] = {};
};

Launch* launch = nullptr;
Options current_options;
std::vector<Site> barriers_met;

Launch::Launch(Index3 grid, unsigned threads, size_t shared_bytes,
               const std::function<void()>& kernel)
    : grid_(grid),
      kernel_(kernel),
      shared_bytes_(shared_bytes),
      shared_(static_cast<char*>(
          ::operator new[](shared_bytes, std::align_val_t(16)))),
      stacks_(threads),
      threads_(threads),
      order_(threads),
      random_(current_options.seed) {
  launch = this;
#ifdef EMULATOR_FOR_TSAN
  launcher_.tsan_fiber = __tsan_get_current_fiber();
#endif
  for (size_t i = 0; i < threads; ++i) {
    Fiber& fiber = threads_[i].fiber;
    fiber.stack = stacks_.At(i);
    fiber.stack_bytes = kStackBytes;
#ifdef EMULATOR_FOR_TSAN
    fiber.tsan_fiber = __tsan_create_fiber(0);
#endif
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = stacks_.At(i);
    fiber.context.uc_stack.ss_size = kStackBytes;
    makecontext(&fiber.context, EnterThread, 0);
    // AddressSanitizer's swapcontext would clear its marks on a stack that it
    // finds here, and miss overflows after the first barrier.
    fiber.context.uc_stack.ss_size = 0;
  }
}

Launch::~Launch() {
  closing_ = true;
  RunThreads();
#ifdef EMULATOR_FOR_TSAN
  for (Thread& thread : threads_) __tsan_destroy_fiber(thread.fiber.tsan_fiber);
#endif
  launch = nullptr;
}

// A fiber's life: one thread of each block after the other.
void Launch::EnterThread() {
  Launch& self = *launch;
  if (self.position_ == 0) {
    ArriveOn(self.current().fiber, &self.launcher_.stack,
             &self.launcher_.stack_bytes);
  } else {
    ArriveOn(self.current().fiber, nullptr, nullptr);
  }
  while (!self.closing_) {
    self.Acquire();
    self.kernel_();
    self.current().state = Thread::kReturned;
    self.Release(self.round_ + 1);
    self.SwitchToNext();
  }
  self.current().fiber.finished = true;
  self.SwitchToNext();
}

void Launch::SwitchToNext() {
  Fiber& from = current().fiber;
  ++position_;
  Switch(from, position_ < order_.size() ? current().fiber : launcher_);
}

void Launch::RunThreads() {
  Order(order_);
  position_ = 0;
  Switch(launcher_, current().fiber);
}

void Launch::Order(std::vector<unsigned>& order) {
  std::iota(order.begin(), order.end(), 0u);
  if (current_options.order == emulator::Order::kReverse) {
    std::reverse(order.begin(), order.end());
  } else if (current_options.order == emulator::Order::kRandom) {
    std::shuffle(order.begin(), order.end(), random_);
  }
}

void Launch::RunBlock(Index3 block) {
  block_ = block;
  std::memset(shared_.get(), 0xff, shared_bytes_);
  for (Thread& thread : threads_) thread.state = Thread::kRunning;
  while (true) {
    Release(round_);
    RunThreads();
    ++round_;
    Acquire();
    const auto returned = std::count_if(
        threads_.begin(), threads_.end(),
        [](const Thread& t) { return t.state == Thread::kReturned; });
    if (returned == static_cast<ptrdiff_t>(threads_.size())) break;
    CheckThatAllWaitAtOneBarrier();
    or_of_passed_ = or_of_waiting_;
    or_of_waiting_ = false;
  }
}

void Launch::CheckThatAllWaitAtOneBarrier() const {
  const auto waits =
      std::find_if(threads_.begin(), threads_.end(),
                   [](const Thread& t) { return t.state == Thread::kWaiting; });
  const Site site = waits->site;
  for (const Thread& thread : threads_) {
    if (thread.state == Thread::kWaiting && thread.site == site) continue;
    char other[200] = "has returned";
    if (thread.state == Thread::kWaiting) {
      std::snprintf(other, sizeof(other), "waits at %s:%d", thread.site.file,
                    thread.site.line);
    }
    Die("block (%u, %u, %u): thread %d waits at %s:%d, but thread %d %s",
        block_.x, block_.y, block_.z,
        static_cast<int>(waits - threads_.begin()), site.file, site.line,
        static_cast<int>(&thread - threads_.data()), other);
  }
}

bool Launch::Wait(bool mine, Site site) {
  if (std::find(barriers_met.begin(), barriers_met.end(), site) ==
      barriers_met.end()) {
    barriers_met.push_back(site);
  }
  if (site == current_options.ignored_barrier) return mine;
  current().state = Thread::kWaiting;
  current().site = site;
  or_of_waiting_ |= mine;
  Release(round_ + 1);
  SwitchToNext();
  Acquire();
  return or_of_passed_;
}

void* Launch::SharedMemory(size_t bytes) const {
  if (bytes != shared_bytes_) {
    Die("the kernel has %zu bytes of shared memory, its launch gave %zu", bytes,
        shared_bytes_);
  }
  return shared_.get();
}

}  // namespace

Options& options() { return current_options; }

std::vector<Site> TakeBarriersMet() { return std::exchange(barriers_met, {}); }

void Run(Index3 grid, unsigned threads, size_t shared_bytes,
         const std::function<void()>& kernel) {
  // What every GPU since compute capability 7.5 has.
  if (threads == 0 || threads > 1024 || grid.x > 0x7fffffff ||
      grid.y > 0xffff || grid.z > 0xffff || shared_bytes > 64 << 10) {
    Die("no GPU has a grid of (%u, %u, %u) with %u threads and %zu bytes",
        grid.x, grid.y, grid.z, threads, shared_bytes);
  }
  Launch run(grid, threads, shared_bytes, kernel);
  std::vector<unsigned> blocks(size_t{grid.x} * grid.y * grid.z);
  run.Order(blocks);
  for (const unsigned block : blocks) {
    run.RunBlock(
        {block % grid.x, block / grid.x % grid.y, block / grid.x / grid.y});
  }
}

unsigned ThreadIndex() { return launch->thread_index(); }
Index3 BlockIndex() { return launch->block_index(); }
Index3 GridSize() { return launch->grid_size(); }
void* SharedMemory(size_t bytes) { return launch->SharedMemory(bytes); }
bool Wait(bool mine, Site site) { return launch->Wait(mine, site); }

}  // namespace repro16::emulator
