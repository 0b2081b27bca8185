#include "engine/tensor/buffer.h"

#include <cstdio>
#include <cstdlib>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace repro16 {
namespace {

// Large buffers lie on large pages where the system has them (2 MiB on x86 and
// most ARM systems): tensors are walked through faster than small pages can be
// looked up.
constexpr int64_t kLargePage = int64_t{2} << 20;
constexpr int64_t kLargeBuffer = 2 * kLargePage;

}  // namespace

AlignedBuffer::AlignedBuffer(int64_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  const int64_t alignment = bytes >= kLargeBuffer ? kLargePage : kAlignment;
  // calloc, not aligned_alloc: pages that come zeroed are not touched.
  memory_.reset(std::calloc(static_cast<size_t>(bytes + alignment - 1), 1));
  if (memory_ == nullptr) {
    std::fprintf(stderr,
                 "error: the system has no %lld bytes of memory in one piece; "
                 "reduce batch_size or the model\n",
                 static_cast<long long>(bytes));
    std::_Exit(2);
  }
  const auto address = reinterpret_cast<uintptr_t>(memory_.get());
  const auto step = static_cast<uintptr_t>(alignment);
  data_ = static_cast<uint8_t*>(memory_.get()) + (step - address % step) % step;
#if defined(__linux__)
  // Advice: whether it is taken changes the speed alone.
  if (bytes >= kLargeBuffer) {
    (void)madvise(data_, static_cast<size_t>(bytes), MADV_HUGEPAGE);
  }
#endif
}

}  // namespace repro16
