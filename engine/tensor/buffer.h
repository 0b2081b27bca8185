// Aligned memory of a fixed size.
#ifndef REPRO16_ENGINE_TENSOR_BUFFER_H_
#define REPRO16_ENGINE_TENSOR_BUFFER_H_

#include <cstdint>
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
  explicit AlignedBuffer(int64_t bytes);

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
