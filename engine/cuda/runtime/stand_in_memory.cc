#include "engine/cuda/runtime/stand_in_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "engine/cuda/simt/emulator.h"
#include "engine/tensor/round_up.h"
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace repro16 {
namespace {

constexpr int64_t kAlignment = 256;
constexpr int64_t kPage = 4096;
constexpr char kFresh = static_cast<char>(0xff);

bool HostHasMapped(uintptr_t word) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  // The sanitizers map so much that most pairs of small numbers are addresses.
  (void)word;
  return false;
#else
  // Small numbers and those that no process can have for an address.
  if (word >> 32 == 0 || word >> 47 != 0) return false;
  unsigned char resident;
  return mincore(reinterpret_cast<void*>(word & ~uintptr_t{kPage - 1}), 1,
                 &resident) == 0;
#endif
}

}  // namespace

StandInMemory::~StandInMemory() {
  for (const auto& mapping : mappings_) {
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(reinterpret_cast<void*>(mapping.first),
                                  mapping.second.mapped_bytes);
#endif
    munmap(reinterpret_cast<void*>(mapping.first), mapping.second.mapped_bytes);
  }
}

int64_t StandInMemory::TakenBytes(int64_t bytes) {
  return RoundUp(std::max<int64_t>(bytes, 1), kAlignment);
}

void* StandInMemory::Allocate(int64_t bytes) {
  const int64_t taken = TakenBytes(bytes);
  const int64_t open = RoundUp(taken, kPage);
  const auto mapped = static_cast<size_t>(open + 2 * kPage);
  void* base = mmap(nullptr, mapped, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    emulator::Die("the host has no %zu bytes for the device", mapped);
  }
  const auto address = reinterpret_cast<uintptr_t>(base);
  char* begin = static_cast<char*>(base) + kPage + open - taken;
  const auto at =
      mappings_.insert({address, Mapping{mapped, begin, bytes}}).first;
  free_ -= taken;
  Protect(*at, PROT_READ | PROT_WRITE);
  std::memset(static_cast<char*>(base) + kPage, kFresh,
              static_cast<size_t>(open));
#ifdef __SANITIZE_ADDRESS__
  __asan_poison_memory_region(base, static_cast<size_t>(kPage + open - taken));
  __asan_poison_memory_region(begin + bytes,
                              static_cast<size_t>(taken - bytes + kPage));
#endif
  Protect(*at, PROT_NONE);
  return begin;
}

void StandInMemory::Free(void* memory) {
  const auto at =
      std::find_if(mappings_.begin(), mappings_.end(), [&](const auto& m) {
        return m.second.begin == memory && m.second.bytes >= 0;
      });
  if (at == mappings_.end()) {
    emulator::Die("%p is freed, but was not allocated", memory);
  }
  free_ += TakenBytes(at->second.bytes);
  at->second.bytes = -1;
  // The address stays taken, the pages go.
  madvise(reinterpret_cast<void*>(at->first), at->second.mapped_bytes,
          MADV_DONTNEED);
}

void StandInMemory::Open() {
  for (const auto& mapping : mappings_) {
    if (mapping.second.bytes >= 0) Protect(mapping, PROT_READ | PROT_WRITE);
  }
}

void StandInMemory::Close() {
  for (const auto& mapping : mappings_) {
    if (mapping.second.bytes < 0) continue;
    CheckEdges(mapping);
    Protect(mapping, PROT_NONE);
  }
}

bool StandInMemory::Contains(const void* begin, int64_t bytes) const {
  const Mapping* mapping = Find(reinterpret_cast<uintptr_t>(begin));
  if (mapping == nullptr || bytes < 0) return false;
  const ptrdiff_t offset = static_cast<const char*>(begin) - mapping->begin;
  return offset >= 0 && offset + bytes <= mapping->bytes;
}

StandInMemory::Kind StandInMemory::KindOf(uintptr_t word) const {
  const Mapping* mapping = Find(word);
  if (mapping == nullptr) {
    return HostHasMapped(word) ? Kind::kHost : Kind::kNoAddress;
  }
  return mapping->bytes < 0 ? Kind::kFreed : Kind::kAllocated;
}

void StandInMemory::Protect(const Mappings::value_type& mapping,
                            int protection) {
  const size_t bytes = mapping.second.mapped_bytes - 2 * kPage;
  if (mprotect(reinterpret_cast<char*>(mapping.first) + kPage, bytes,
               protection) != 0) {
    emulator::Die("mprotect failed");
  }
}

// The pages of an allocation also hold up to a page before it, and up to the
// next multiple of kAlignment after it. AddressSanitizer watches these itself.
void StandInMemory::CheckEdges(const Mappings::value_type& mapping) {
#ifndef __SANITIZE_ADDRESS__
  const char* first = reinterpret_cast<const char*>(mapping.first) + kPage;
  const char* end = mapping.second.begin + mapping.second.bytes;
  const char* last = first + mapping.second.mapped_bytes - 2 * kPage;
  const auto fresh = [](char c) { return c == kFresh; };
  if (!std::all_of(first, static_cast<const char*>(mapping.second.begin),
                   fresh) ||
      !std::all_of(end, last, fresh)) {
    emulator::Die("somebody wrote just outside of the %lld bytes at %p",
                  static_cast<long long>(mapping.second.bytes),
                  static_cast<void*>(mapping.second.begin));
  }
#else
  (void)mapping;
#endif
}

const StandInMemory::Mapping* StandInMemory::Find(uintptr_t address) const {
  auto at = mappings_.upper_bound(address);
  if (at == mappings_.begin()) return nullptr;
  --at;
  return address - at->first < at->second.mapped_bytes ? &at->second : nullptr;
}

}  // namespace repro16
