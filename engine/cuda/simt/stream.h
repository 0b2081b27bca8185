// Work for a device, done in the order in which it is enqueued.
#ifndef REPRO16_ENGINE_CUDA_SIMT_STREAM_H_
#define REPRO16_ENGINE_CUDA_SIMT_STREAM_H_

namespace repro16 {

// What a launch needs of a stream (launch.h); ../runtime/runtime.h has the
// rest.
class Stream {
 public:
  // A cudaStream_t, or the emulator's emulator::LaunchQueue*.
  explicit Stream(void* handle) : handle_(handle) {}
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void* handle() const { return handle_; }

  // Remembers the first error of a launch, by the runtime's number.
  void Fail(int error) {
    if (error_ == 0) error_ = error;
  }
  int error() const { return error_; }  // 0: none

 private:
  void* const handle_;
  int error_ = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_STREAM_H_
