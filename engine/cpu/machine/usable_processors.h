// How many processors this process may use.
#ifndef REPRO16_ENGINE_CPU_USABLE_PROCESSORS_H_
#define REPRO16_ENGINE_CPU_USABLE_PROCESSORS_H_

#include <string>

namespace repro16 {

// The processors whose time the control groups of this process grant it, a part
// of one counted as one ("docker run --cpus=1.5": 2); the largest int where
// they do not limit it. `root` is the folder in which proc/ and sys/ are looked
// for (tests).
int ProcessorQuota(const std::string& root = "/");

// How many threads can run at once: the processors of the calling thread's
// affinity, or the quota where that is less.
int UsableProcessors();

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_USABLE_PROCESSORS_H_
