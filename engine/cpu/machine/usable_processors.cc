#include "engine/cpu/machine/usable_processors.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>

#include "engine/cpu/machine/control_groups.h"
#include "hwy/contrib/thread_pool/topology.h"

namespace repro16 {
namespace {

constexpr int kUnlimited = std::numeric_limits<int>::max();

// Of the time that the group gets in a period, both in microseconds.
int QuotaOf(const ControlGroup& group) {
  int64_t quota = 0;
  int64_t period = 0;
  if (group.version == 1) {
    std::ifstream(group.folder + "/cpu.cfs_quota_us") >> quota;  // -1: no limit
    std::ifstream(group.folder + "/cpu.cfs_period_us") >> period;
  } else {
    std::ifstream(group.folder + "/cpu.max") >> quota >> period;  // or "max .."
  }
  if (quota <= 0 || period <= 0) return kUnlimited;
  const int64_t processors = (quota - 1) / period + 1;
  return static_cast<int>(std::min<int64_t>(processors, kUnlimited));
}

}  // namespace

int ProcessorQuota(const std::string& root) {
  int quota = kUnlimited;
  for (const ControlGroup& group : ControlGroups("cpu", root)) {
    quota = std::min(quota, QuotaOf(group));
  }
  return quota;
}

int UsableProcessors() {
  hwy::LogicalProcessorSet affinity;
  const int processors =
      hwy::GetThreadAffinity(affinity) ? static_cast<int>(affinity.Count()) : 1;
  return std::min(processors, ProcessorQuota());
}

}  // namespace repro16
