#include "engine/cpu/machine/available_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

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

int64_t LeftInGroup(const std::string& folder, const GroupFiles& files) {
  const auto limit = NumberIn(folder + "/" + files.limit, "");
  if (!limit.has_value()) return kUnlimited;
  const int64_t used = NumberIn(folder + "/" + files.usage, "").value_or(0);
  const int64_t caches =
      NumberIn(folder + "/memory.stat", files.caches).value_or(0);
  return std::max<int64_t>(*limit - std::max<int64_t>(used - caches, 0), 0);
}

// The least of the group `path` and those above it; a container sees its own
// group as the top one.
int64_t LeftInGroups(const std::string& mount, std::string path,
                     const GroupFiles& files) {
  int64_t left = LeftInGroup(mount, files);
  while (path.size() > 1) {
    left = std::min(left, LeftInGroup(mount + path, files));
    path.erase(path.rfind('/'));
  }
  return left;
}

int64_t LeftInControlGroups(const std::string& root) {
  int64_t left = kUnlimited;
  std::ifstream groups(root + "proc/self/cgroup");
  std::string line;  // "4:memory:/path", in version 2 "0::/path"
  while (std::getline(groups, line)) {
    const size_t path = line.find(":/");
    if (path == std::string::npos) continue;
    if (line.compare(0, 3, "0::") == 0) {
      left = std::min(left, LeftInGroups(root + "sys/fs/cgroup",
                                         line.substr(path + 1), kVersion2));
    } else if (line.find(":memory:") != std::string::npos) {
      left = std::min(left, LeftInGroups(root + "sys/fs/cgroup/memory",
                                         line.substr(path + 1), kVersion1));
    }
  }
  return left;
}

}  // namespace

int64_t AvailableMemory(const std::string& root) {
  constexpr int64_t kKibi = 1024;
  const auto kilobytes = NumberIn(root + "proc/meminfo", "MemAvailable:");
  const int64_t machine =
      kilobytes.has_value() ? *kilobytes * kKibi : kUnlimited;
  return std::min(machine, LeftInControlGroups(root));
}

}  // namespace repro16
