#include "engine/cpu/machine/control_groups.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace repro16 {
namespace {

// The group `path` and those above it. A container sees its own group as the
// top one, whatever its path: that folder is always among them.
void AddGroups(int version, const std::string& mount, std::string path,
               std::vector<ControlGroup>& groups) {
  while (path.size() > 1) {
    groups.push_back({version, mount + path});
    path.erase(path.rfind('/'));
  }
  groups.push_back({version, mount});
}

}  // namespace

std::vector<ControlGroup> ControlGroups(std::string_view controller,
                                        const std::string& root) {
  std::vector<ControlGroup> groups;
  const std::string mounts = root + "sys/fs/cgroup";
  std::ifstream file(root + "proc/self/cgroup");
  std::string line;  // "4:cpu,cpuacct:/path", in version 2 "0::/path"
  while (std::getline(file, line)) {
    const std::vector<std::string> fields =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    const std::vector<std::string_view> of = absl::StrSplit(fields[1], ',');
    if (fields[0] == "0" && fields[1].empty()) {
      AddGroups(2, mounts, fields[2], groups);
    } else if (std::find(of.begin(), of.end(), controller) != of.end()) {
      AddGroups(1, absl::StrCat(mounts, "/", controller), fields[2], groups);
    }
  }
  return groups;
}

}  // namespace repro16
