// For tests of kernels in the emulator: tensors of any storage type, numbers to
// fill them with, and the orders in which threads run.
#ifndef REPRO16_ENGINE_CUDA_TESTING_TEST_TENSOR_H_
#define REPRO16_ENGINE_CUDA_TESTING_TEST_TENSOR_H_

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "engine/cuda/simt/emulator.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/store_counter.h"
#include "engine/numerics/visit_dtype.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

inline constexpr DType kStorageTypes[] = {DType::kF32, DType::kF16,
                                          DType::kBF16};

// `size` elements, all bits set at first (a NaN), and what stores to them did.
class TestTensor {
 public:
  // At an address that is a multiple of `offset` elements and of no more, or,
  // with 0, of 64 bytes.
  TestTensor(DType type, int64_t size, int offset = 0)
      : type_(type),
        size_(size),
        offset_(offset),
        bytes_((static_cast<size_t>(size) + offset) * SizeOf(type) + kAlignment,
               0xff) {}

  DType type() const { return type_; }
  int64_t size() const { return size_; }
  StoreCounter& counter() { return counter_; }
  void* data() { return bytes_.data() + Start(); }
  const void* data() const { return bytes_.data() + Start(); }

  float Get(int64_t i) const {
    float value = 0;
    VisitDType(type_, [&](auto tag) {
      std::memcpy(&tag, static_cast<const uint8_t*>(data()) + i * sizeof(tag),
                  sizeof(tag));
      value = ToFloat(tag);
    });
    return value;
  }

  // Rounds; NaN becomes the canonical NaN.
  void Set(int64_t i, float x) {
    const auto at = i * static_cast<int64_t>(SizeOf(type_));
    StoreAsType(x, type_, static_cast<uint8_t*>(data()) + at);
  }

  // Set, and counts as a kernel's store must.
  void Store(int64_t i, float x) {
    Set(i, x);
    counter_.nan += std::isnan(Get(i));
    counter_.infinite += std::isinf(Get(i));
    counter_.underflow += x != 0 && Get(i) == 0;
  }

  // Any bits.
  void SetBits(int64_t i, uint32_t bits) {
    std::memcpy(
        static_cast<uint8_t*>(data()) + i * static_cast<int64_t>(SizeOf(type_)),
        &bits, SizeOf(type_));
  }

  // The same bits and counts; sizes are equal.
  friend bool operator==(const TestTensor& a, const TestTensor& b) {
    return a.type_ == b.type_ && a.counter_.nan == b.counter_.nan &&
           a.counter_.infinite == b.counter_.infinite &&
           a.counter_.underflow == b.counter_.underflow &&
           std::memcmp(a.data(), b.data(), a.size_ * SizeOf(a.type_)) == 0;
  }

 private:
  static constexpr size_t kAlignment = 64;

  // A copy has other addresses.
  size_t Start() const {
    const auto address = reinterpret_cast<uintptr_t>(bytes_.data());
    return (kAlignment - address % kAlignment) % kAlignment +
           offset_ * SizeOf(type_);
  }

  DType type_;
  int64_t size_;
  int offset_;
  std::vector<uint8_t> bytes_;
  StoreCounter counter_;
};

// What numbers are like: ordinary; about the least number and under it; about
// the largest; ordinary, with some infinities, NaNs, zeros and subnormals; or
// of one sign, and so small that products round to zero, which has that sign.
enum class Flavour { kOrdinary, kTiny, kHuge, kSpecial, kVanishing };
inline constexpr Flavour kFlavours[] = {Flavour::kOrdinary, Flavour::kTiny,
                                        Flavour::kHuge, Flavour::kSpecial,
                                        Flavour::kVanishing};

class OperandNumbers {
 public:
  // An odd seed makes kVanishing negative.
  explicit OperandNumbers(uint32_t seed)
      : engine_(seed), vanishing_sign_(seed % 2 == 1 ? -1.0f : 1.0f) {}

  int64_t Below(int64_t n) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n));
  }

  // Products of two are in the region that the flavour names.
  void Fill(TestTensor& tensor, Flavour flavour) {
    const bool half = tensor.type() == DType::kF16;
    float scale = 1;
    if (flavour == Flavour::kTiny) scale = half ? 0x1p-12f : 0x1p-73f;
    if (flavour == Flavour::kHuge) scale = half ? 0x1p7f : 0x1p63f;
    for (int64_t i = 0; i < tensor.size(); ++i) {
      const auto fraction = static_cast<float>(Below(1 << 24) - (1 << 23));
      const float x = std::ldexp(fraction, static_cast<int>(Below(6)) - 26);
      if (flavour == Flavour::kVanishing) {
        tensor.Set(i, vanishing_sign_ * (half ? 0x1p-24f : 0x1p-100f));
        continue;
      }
      tensor.Set(i, Below(16) == 0 ? std::copysign(0.0f, x) : x * scale);
    }
    if (flavour != Flavour::kSpecial || tensor.size() == 0) return;
    // Few, so that most results are numbers.
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (int64_t i = 0; i < 3 + tensor.size() / 200; ++i) {
      constexpr float kNumbers[] = {kInfinity,
                                    -kInfinity,
                                    0x1p-24f,
                                    -0x1p-16f,
                                    0x1p-140f,
                                    65504.0f,
                                    std::numeric_limits<float>::quiet_NaN()};
      tensor.Set(Below(tensor.size()), kNumbers[Below(std::size(kNumbers))]);
    }
  }

 private:
  std::mt19937 engine_;
  const float vanishing_sign_;
};

// Calls run() with each order of the emulator's threads and blocks.
template <class Run>
void ForEachOrder(const Run& run) {
  emulator::Options& options = emulator::options();
  const emulator::Order before = options.order;
  for (const emulator::Order order :
       {emulator::Order::kForward, emulator::Order::kReverse,
        emulator::Order::kRandom}) {
    options.order = order;
    ++options.seed;
    run();
  }
  options.order = before;
}

// Whether run() returns false or aborts when the block's threads pass `barrier`
// without waiting, in one of the orders.
template <class Run>
bool NoticesMissing(const emulator::Site& barrier, const Run& run) {
  bool noticed = false;
  ForEachOrder([&] {
    if (noticed) return;
    const pid_t child = fork();
    if (child == 0) {
      std::fclose(stderr);  // which thread waits where
      emulator::options().ignored_barrier = barrier;
      _exit(run() ? 0 : 1);
    }
    int status = 0;
    noticed = waitpid(child, &status, 0) == child && status != 0;
  });
  return noticed;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_TESTING_TEST_TENSOR_H_
