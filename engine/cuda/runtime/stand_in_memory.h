// Memory that stands for a GPU's: out of the host's reach unless it is open.
#ifndef REPRO16_ENGINE_CUDA_RUNTIME_STAND_IN_MEMORY_H_
#define REPRO16_ENGINE_CUDA_RUNTIME_STAND_IN_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <map>

namespace repro16 {

class StandInMemory {
 public:
  explicit StandInMemory(int64_t capacity_bytes) : free_(capacity_bytes) {}
  ~StandInMemory();
  StandInMemory(const StandInMemory&) = delete;
  StandInMemory& operator=(const StandInMemory&) = delete;

  // What an allocation takes of the capacity.
  static int64_t TakenBytes(int64_t bytes);

  int64_t free_bytes() const { return free_; }

  // Of at most free_bytes(). It is closed, and all ones.
  void* Allocate(int64_t bytes);
  void Free(void* memory);

  // Makes all allocations readable and writable, and takes that back; then
  // whether somebody wrote just outside of one has shown.
  void Open();
  void Close();

  // Whether the range is within one allocation.
  bool Contains(const void* begin, int64_t bytes) const;

  enum class Kind { kAllocated, kFreed, kHost, kNoAddress };
  // Of a number that may be an address. Just outside of an allocation counts as
  // within it: the end of a range.
  Kind KindOf(uintptr_t word) const;

 private:
  // A mapping: a page out of reach, those that hold the allocation, which ends
  // with them, and another page out of reach.
  struct Mapping {
    size_t mapped_bytes;
    char* begin;    // of the allocation
    int64_t bytes;  // of the allocation; -1 when it is freed
  };
  using Mappings = std::map<uintptr_t, Mapping>;  // by where they begin

  static void Protect(const Mappings::value_type& mapping, int protection);
  static void CheckEdges(const Mappings::value_type& mapping);
  // The mapping that holds the address, or null.
  const Mapping* Find(uintptr_t address) const;

  Mappings mappings_;
  int64_t free_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_RUNTIME_STAND_IN_MEMORY_H_
