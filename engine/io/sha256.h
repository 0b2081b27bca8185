// SHA-256 as in FIPS 180-4, section 6.2: identifies weights, data and results.
#ifndef REPRO16_ENGINE_IO_SHA256_H_
#define REPRO16_ENGINE_IO_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace repro16 {

// Digest of a message that comes in pieces:
//
//   Sha256 sha;
//   sha.Update(header);
//   sha.Update(data, size);
//   std::string hex = sha.HexDigest();
class Sha256 {
 public:
  using Digest = std::array<uint8_t, 32>;

  void Update(const void* data, size_t size);
  void Update(std::string_view bytes) { Update(bytes.data(), bytes.size()); }

  // Of everything so far; more may be added after it.
  Digest Finish() const;

  // The same as 64 lower-case hexadecimal digits.
  std::string HexDigest() const;

 private:
  static constexpr size_t kBlock = 64;

  void Compress(const uint8_t* block);

  // Section 5.3.3: the first 32 bits of the fractional parts of the square
  // roots of the first eight primes.
  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                    0xa54ff53a, 0x510e527f, 0x9b05688c,
                                    0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, kBlock> pending_ = {};
  uint64_t size_ = 0;  // bytes so far; size_ % kBlock of them are pending
};

// 64 hexadecimal digits for one piece.
std::string Sha256Hex(std::string_view bytes);

}  // namespace repro16

#endif  // REPRO16_ENGINE_IO_SHA256_H_
