// Aligned memory of a fixed size.
#ifndef REPRO16_ENGINE_TENSOR_BUFFER_H_
#define REPRO16_ENGINE_TENSOR_BUFFER_H_

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace repro16 {

// Zeroed on creation, aligned to 64 bytes (a cache line, and the widest
// vector). Movable.
class AlignedBuffer {
 public:
  static constexpr int64_t kAlignment = 64;

  AlignedBuffer() = default;

  // Throws nothing: a size that does not fit in memory ends the process, as
  // every allocation does.
  explicit AlignedBuffer(int64_t bytes) : bytes_(bytes) {
    const int64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (rounded == 0) return;
    data_.reset(static_cast<uint8_t*>(
        std::aligned_alloc(kAlignment, static_cast<size_t>(rounded))));
    if (data_ == nullptr) std::abort();
    std::memset(data_.get(), 0, static_cast<size_t>(rounded));
  }

  uint8_t* data() { return data_.get(); }
  const uint8_t* data() const { return data_.get(); }
  int64_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  std::unique_ptr<uint8_t, Free> data_;
  int64_t bytes_ = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_TENSOR_BUFFER_H_
