#include "engine/cpu/machine/available_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "engine/cpu/machine/control_groups.h"

namespace repro16 {
namespace {

constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

// The number after `key` at the beginning of a line ("MemAvailable: 12 kB"); an
// empty key takes the first line. Absent where there is no such file, line or
// number ("max").
std::optional<int64_t> NumberIn(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.compare(0, key.size(), key) != 0) continue;
    char* end = nullptr;
    const char* text = line.c_str() + key.size();
    const int64_t value = std::strtoll(text, &end, 10);
    if (end != text) return value;
    return std::nullopt;
  }
  return std::nullopt;
}

// The names of one version of control groups.
struct GroupFiles {
  const char* limit;
  const char* usage;
  const char* caches;  // key of memory.stat: what is given up on demand
};
constexpr GroupFiles kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                               "total_inactive_file "};
constexpr GroupFiles kVersion2{"memory.max", "memory.current",
                               "inactive_file "};

int64_t LeftInGroup(const ControlGroup& group) {
  const GroupFiles& files = group.version == 1 ? kVersion1 : kVersion2;
  const std::string& folder = group.folder;
  const auto limit = NumberIn(folder + "/" + files.limit, "");
  if (!limit.has_value()) return kUnlimited;
  const int64_t used = NumberIn(folder + "/" + files.usage, "").value_or(0);
  const int64_t caches =
      NumberIn(folder + "/memory.stat", files.caches).value_or(0);
  return std::max<int64_t>(*limit - std::max<int64_t>(used - caches, 0), 0);
}

}  // namespace

int64_t AvailableMemory(const std::string& root) {
  constexpr int64_t kKibi = 1024;
  const auto kilobytes = NumberIn(root + "proc/meminfo", "MemAvailable:");
  const int64_t machine =
      kilobytes.has_value() ? *kilobytes * kKibi : kUnlimited;
  int64_t left = machine;
  for (const ControlGroup& group : ControlGroups("memory", root)) {
    left = std::min(left, LeftInGroup(group));
  }
  return left;
}

}  // namespace repro16
