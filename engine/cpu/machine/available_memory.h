// How much memory the machine could give to this process.
#ifndef REPRO16_ENGINE_CPU_MACHINE_AVAILABLE_MEMORY_H_
#define REPRO16_ENGINE_CPU_MACHINE_AVAILABLE_MEMORY_H_

#include <cstdint>
#include <string>

namespace repro16 {

// Bytes: MemAvailable of /proc/meminfo, or less where a control group of the
// process is limited to less (its limit, less what it uses beyond caches).
// Where the system tells neither, the largest int64_t. `root` is the folder in
// which proc/ and sys/ are looked for (tests).
int64_t AvailableMemory(const std::string& root = "/");

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_MACHINE_AVAILABLE_MEMORY_H_
