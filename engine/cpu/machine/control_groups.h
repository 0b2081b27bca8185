// The control groups of this process: what limits it within the machine, e.g.
// as a container.
#ifndef REPRO16_ENGINE_CPU_CONTROL_GROUPS_H_
#define REPRO16_ENGINE_CPU_CONTROL_GROUPS_H_

#include <string>
#include <string_view>
#include <vector>

namespace repro16 {

struct ControlGroup {
  int version;         // of control groups, 1 or 2: they name their files apart
  std::string folder;  // of its files; need not exist
};

// The groups whose limits hold for this process, of a controller ("cpu",
// "memory"): its own and all above it, of both versions. `root` is the folder
// in which proc/ and sys/ are looked for (tests).
std::vector<ControlGroup> ControlGroups(std::string_view controller,
                                        const std::string& root);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONTROL_GROUPS_H_
