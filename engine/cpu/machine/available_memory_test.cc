#include "engine/cpu/machine/available_memory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

namespace repro16 {
namespace {

// A machine's files, in a folder of their own.
class Machine {
 public:
  explicit Machine(const std::string& name)
      : root_(testing::TempDir() + "/" + name + "/") {}

  Machine& Add(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return *this;
  }
  int64_t Available() const { return AvailableMemory(root_); }

 private:
  std::string root_;
};

constexpr char kMeminfo[] =
    "MemTotal:  16000 kB\nMemFree:  10 kB\nMemAvailable:   8000 kB\n";

TEST(AvailableMemoryTest, IsThatOfTheMachineWithoutControlGroups) {
  EXPECT_EQ(Machine("plain").Add("proc/meminfo", kMeminfo).Available(),
            8000 * 1024);
  EXPECT_EQ(Machine("nothing").Available(),
            std::numeric_limits<int64_t>::max());
}

TEST(AvailableMemoryTest, IsWhatTheLeastControlGroupLeaves) {
  Machine machine("version2");
  machine.Add("proc/meminfo", kMeminfo)
      .Add("proc/self/cgroup", "0::/a/b\n")
      .Add("sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(machine.Available(), 8000 * 1024);
  machine.Add("sys/fs/cgroup/a/memory.max", "5000000\n")
      .Add("sys/fs/cgroup/a/memory.current", "3000000\n")
      .Add("sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 1000000\n");
  EXPECT_EQ(machine.Available(), 3'000'000);
  // A container's own group is mounted at the top.
  machine.Add("sys/fs/cgroup/memory.max", "1000\n");
  EXPECT_EQ(machine.Available(), 1000);
}

TEST(AvailableMemoryTest, KnowsVersion1) {
  Machine machine("version1");
  machine.Add("proc/meminfo", kMeminfo)
      .Add("proc/self/cgroup", "5:cpu:/x\n4:memory:/x\n")
      .Add("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "4000\n")
      .Add("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "5000\n")
      .Add("sys/fs/cgroup/memory/x/memory.stat", "total_inactive_file 2000\n");
  EXPECT_EQ(machine.Available(), 1000);
  // One hierarchy of several controllers.
  machine.Add("proc/self/cgroup", "4:cpuset,memory:/x\n");
  EXPECT_EQ(machine.Available(), 1000);
  machine.Add("proc/self/cgroup", "4:cpuset,memories:/x\n");
  EXPECT_EQ(machine.Available(), 8000 * 1024);
}

TEST(AvailableMemoryTest, ThisMachineHasSome) {
  EXPECT_GT(AvailableMemory(), 1 << 20);
}

}  // namespace
}  // namespace repro16
