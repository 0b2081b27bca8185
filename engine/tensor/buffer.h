// Aligned memory of a fixed size.
#ifndef REPRO16_ENGINE_TENSOR_BUFFER_H_
#define REPRO16_ENGINE_TENSOR_BUFFER_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace repro16 {

// Zeroed on creation, aligned to 64 bytes (a cache line, and the widest
// vector). Movable.
class AlignedBuffer {
 public:
  static constexpr int64_t kAlignment = 64;

  AlignedBuffer() = default;

  // A large buffer takes memory from the system only as it is used. Throws
  // nothing: a size that the system refuses outright ends the process with one
  // line and the exit status of bad input.
  explicit AlignedBuffer(int64_t bytes) : bytes_(bytes) {
    if (bytes == 0) return;
    // calloc, not aligned_alloc: pages that come zeroed are not touched.
    memory_.reset(std::calloc(static_cast<size_t>(bytes + kAlignment - 1), 1));
    if (memory_ == nullptr) {
      std::fprintf(stderr,
                   "error: the system has no %lld bytes of memory in one "
                   "piece; reduce batch_size or the model\n",
                   static_cast<long long>(bytes));
      std::_Exit(2);
    }
    const auto address = reinterpret_cast<uintptr_t>(memory_.get());
    data_ = static_cast<uint8_t*>(memory_.get()) +
            (kAlignment - address % kAlignment) % kAlignment;
  }

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> memory_;
  uint8_t* data_ = nullptr;  // in memory_
  int64_t bytes_ = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_TENSOR_BUFFER_H_
