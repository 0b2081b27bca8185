// Debian's and Ubuntu's _longjmp would otherwise refuse to go up the stack,
// which is where another fiber's may lie.
#undef _FORTIFY_SOURCE

#include "engine/cuda/simt/emulator.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <csetjmp>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <numeric>
#include <random>
#include <utility>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
// For programs with ThreadSanitizer, this file itself is compiled without: what
// it knows of the fibers is shared by them. Nothing is allocated on a fiber, as
// that would be seen.
#ifdef EMULATOR_FOR_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace repro16::emulator {

Position position;

namespace {

// --- Fibers

#ifdef __SANITIZE_ADDRESS__
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif
#ifdef EMULATOR_FOR_TSAN
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif
constexpr bool kSanitizer = kAddressSanitizer || kThreadSanitizer;

constexpr size_t kStackBytes = (kSanitizer ? 256 : 64) << 10;
constexpr size_t kGuardBytes = 4 << 10;

// A stack and what is to be restored of it, with what the sanitizers must hear
// of each switch: AddressSanitizer which stack is in use (and where the fake
// stack of the one that is left is kept), ThreadSanitizer which thread runs.
struct Fiber {
  ucontext_t context;  // until it runs; with a sanitizer always
  jmp_buf registers;   // if it has run
  bool has_run = false;
  const void* stack = nullptr;
  size_t stack_bytes = 0;
  void* fake_stack = nullptr;
  void* tsan_fiber = nullptr;
};

Fiber* left = nullptr;  // in the last switch

// What the fiber that was just switched to does first.
void ArriveOn(Fiber& fiber) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fiber.fake_stack, &left->stack,
                                  &left->stack_bytes);
#else
  (void)fiber;
#endif
}

void Switch(Fiber& from, Fiber& to) {
  left = &from;
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(&from.fake_stack, to.stack, to.stack_bytes);
#endif
#ifdef EMULATOR_FOR_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber, __tsan_switch_to_fiber_no_sync);
#endif
  if constexpr (kSanitizer) {
    if (swapcontext(&from.context, &to.context) != 0) Die("swapcontext failed");
  } else {
    // A tenth of swapcontext's time, most of which goes to the signal mask.
    from.has_run = true;
    if (_setjmp(from.registers) == 0) {
      if (to.has_run) _longjmp(to.registers, 1);
      setcontext(&to.context);
      Die("setcontext failed");
    }
  }
  ArriveOn(from);
}

// A fiber that never ends, on a stack above a page that nobody may touch.
std::unique_ptr<Fiber> MakeFiber(void (*enter)()) {
  auto fiber = std::make_unique<Fiber>();
  void* memory =
      mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) Die("no memory for a stack");
  mprotect(memory, kGuardBytes, PROT_NONE);
  char* stack = static_cast<char*>(memory) + kGuardBytes;
  fiber->stack = stack;
  fiber->stack_bytes = kStackBytes;
#ifdef EMULATOR_FOR_TSAN
  fiber->tsan_fiber = __tsan_create_fiber(0);
#endif
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = stack;
  fiber->context.uc_stack.ss_size = kStackBytes;
  makecontext(&fiber->context, enter, 0);
  // AddressSanitizer's swapcontext would clear its marks on a stack that it
  // finds here, and miss overflows after the first barrier.
  fiber->context.uc_stack.ss_size = 0;
  return fiber;
}

// --- Launches

struct Thread {
  enum State { kNew, kWaiting, kReturned };

  State state = kNew;
  Fiber* fiber = nullptr;  // null if it is new
  Site site;               // if it waits
};

// The launch that runs, and what is kept from one to the next: the fibers wait
// for the threads of the next one.
class Launch {
 public:
  void Run(Index3 grid, unsigned threads, size_t shared_bytes,
           const std::function<void()>& kernel);

  // Called by the thread that runs.
  bool Wait(bool mine, Site site);
  void* SharedMemory(size_t bytes) const;

 private:
  [[noreturn]] static void EnterFiber();

  void RunBlock(Index3 block);
  // Lets every thread run until it waits or returns.
  void RunThreads();
  // What the fiber of a new thread does, and then for the next ones.
  void RunNewThreads();
  // From the thread that ran on `from` to the next one, or back to RunThreads.
  inline void SwitchToNext(Fiber& from);
  bool is_last() const { return position_in_order_ + 1 == order_.size(); }
  void Advance();
  Fiber& FiberOf(Thread& thread);

  void BeginOrder(std::vector<unsigned>& order, size_t count) const;
  void ShuffleIfRandom(std::vector<unsigned>& order);
  void CheckThatAllWaitAtOneBarrier() const;
  void NoteBarrier(Site site);

  Thread& current() { return threads_[position.thread]; }

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

  std::vector<std::unique_ptr<Fiber>> fibers_;
  size_t fibers_of_block_ = 0;  // the first ones
  Fiber launcher_;

  const std::function<void()>* kernel_ = nullptr;
  // Exactly as large as the launch says, so that AddressSanitizer sees its end.
  std::unique_ptr<char[]> shared_;
  size_t shared_bytes_ = 0;
  std::vector<Thread> threads_;
  std::vector<unsigned> blocks_;
  std::vector<unsigned> order_;  // of the threads
  size_t position_in_order_ = 0;
  std::mt19937 random_;

  uint64_t round_ = 0;  // that threads run from barrier to barrier
  size_t waiting_ = 0;  // threads, in this round
  Site first_site_;     // where they wait
  bool sites_differ_ = false;
  bool or_of_waiting_ = false;
  bool or_of_passed_ = false;
  [[maybe_unused]] char sync_[2] = {};
};

// Lives as long as the process, like the fibers' stacks.
Launch& launch = *new Launch;
Options current_options;
std::vector<Site> barriers_met;

void Launch::Run(Index3 grid, unsigned threads, size_t shared_bytes,
                 const std::function<void()>& kernel) {
  kernel_ = &kernel;
  shared_.reset(new char[shared_bytes]);
  shared_bytes_ = shared_bytes;
  threads_.resize(threads);
  position.grid = grid;
  while (fibers_.size() < threads) fibers_.push_back(MakeFiber(EnterFiber));
#ifdef EMULATOR_FOR_TSAN
  launcher_.tsan_fiber = __tsan_get_current_fiber();
#endif
  if (current_options.order == Order::kRandom) {
    random_.seed(current_options.seed);
  }
  BeginOrder(order_, threads);
  BeginOrder(blocks_, size_t{grid.x} * grid.y * grid.z);
  ShuffleIfRandom(blocks_);
  for (const unsigned block : blocks_) {
    RunBlock(
        {block % grid.x, block / grid.x % grid.y, block / grid.x / grid.y});
  }
}

void Launch::BeginOrder(std::vector<unsigned>& order, size_t count) const {
  order.resize(count);
  std::iota(order.begin(), order.end(), 0u);
  if (current_options.order == Order::kReverse) {
    std::reverse(order.begin(), order.end());
  }
}

void Launch::ShuffleIfRandom(std::vector<unsigned>& order) {
  if (current_options.order == Order::kRandom) {
    std::shuffle(order.begin(), order.end(), random_);
  }
}

void Launch::RunBlock(Index3 block) {
  position.block = block;
  std::memset(shared_.get(), 0xff, shared_bytes_);
  fibers_of_block_ = 0;
  for (Thread& thread : threads_) thread = {};
  while (true) {
    waiting_ = 0;
    sites_differ_ = false;
    Release(round_);
    RunThreads();
    ++round_;
    Acquire();
    if (waiting_ == 0) break;
    if (waiting_ != threads_.size() || sites_differ_) {
      CheckThatAllWaitAtOneBarrier();
    }
    NoteBarrier(first_site_);
    or_of_passed_ = std::exchange(or_of_waiting_, false);
  }
}

void Launch::RunThreads() {
  ShuffleIfRandom(order_);
  position_in_order_ = 0;
  position.thread = order_[0];
  Switch(launcher_, FiberOf(current()));
}

Fiber& Launch::FiberOf(Thread& thread) {
  if (thread.state == Thread::kNew) {
    thread.fiber = fibers_[fibers_of_block_++].get();
  }
  return *thread.fiber;
}

void Launch::EnterFiber() {
  ArriveOn(*launch.current().fiber);
  while (true) launch.RunNewThreads();
}

void Launch::RunNewThreads() {
  Fiber& fiber = *current().fiber;
  while (true) {
    Acquire();
    (*kernel_)();
    current().state = Thread::kReturned;
    Release(round_ + 1);
    // A thread that does not wait leaves its fiber to the next one, unless they
    // are watched for races.
    if (kThreadSanitizer || is_last()) break;
    Thread& next = threads_[order_[position_in_order_ + 1]];
    if (next.state != Thread::kNew) break;
    Advance();
    next.fiber = &fiber;
  }
  SwitchToNext(fiber);
}

void Launch::Advance() { position.thread = order_[++position_in_order_]; }

void Launch::SwitchToNext(Fiber& from) {
  if (is_last()) {
    Switch(from, launcher_);
  } else {
    Advance();
    Switch(from, FiberOf(current()));
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
        position.block.x, position.block.y, position.block.z,
        static_cast<int>(waits - threads_.begin()), site.file, site.line,
        static_cast<int>(&thread - threads_.data()), other);
  }
}

void Launch::NoteBarrier(Site site) {
  if (std::find(barriers_met.begin(), barriers_met.end(), site) ==
      barriers_met.end()) {
    barriers_met.push_back(site);
  }
}

bool Launch::Wait(bool mine, Site site) {
  if (site == current_options.ignored_barrier) return mine;
  if (waiting_ == 0) {
    first_site_ = site;
  } else if (!(site == first_site_)) {
    sites_differ_ = true;
  }
  ++waiting_;
  Thread& self = current();
  self.state = Thread::kWaiting;
  self.site = site;
  or_of_waiting_ |= mine;
  Release(round_ + 1);
  SwitchToNext(*self.fiber);
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

void Die(const char* format, ...) {
  std::fputs("emulator: ", stderr);
  va_list args;
  va_start(args, format);
  std::vfprintf(stderr, format, args);
  va_end(args);
  std::fputc('\n', stderr);
  std::abort();
}

void Run(Index3 grid, unsigned threads, size_t shared_bytes,
         const std::function<void()>& kernel) {
  // What every GPU since compute capability 7.5 has.
  if (threads == 0 || threads > 1024 || grid.x > 0x7fffffff ||
      grid.y > 0xffff || grid.z > 0xffff || shared_bytes > 64 << 10) {
    Die("no GPU has a grid of (%u, %u, %u) with %u threads and %zu bytes",
        grid.x, grid.y, grid.z, threads, shared_bytes);
  }
  launch.Run(grid, threads, shared_bytes, kernel);
}

void* SharedMemory(size_t bytes) { return launch.SharedMemory(bytes); }
bool Wait(bool mine, Site site) { return launch.Wait(mine, site); }

}  // namespace repro16::emulator
