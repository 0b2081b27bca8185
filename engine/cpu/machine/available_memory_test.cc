#include "engine/cpu/machine/available_memory.h"

#include <gtest/gtest.h>

#include <limits>

#include "engine/cpu/testing/machine_files.h"

namespace repro16 {
namespace {

int64_t Available(const MachineFiles& machine) {
  return AvailableMemory(machine.root());
}

constexpr char kMeminfo[] =
    "MemTotal:  16000 kB\nMemFree:  10 kB\nMemAvailable:   8000 kB\n";

TEST(AvailableMemoryTest, IsThatOfTheMachineWithoutControlGroups) {
  EXPECT_EQ(Available(MachineFiles("plain").Add("proc/meminfo", kMeminfo)),
            8000 * 1024);
  EXPECT_EQ(Available(MachineFiles("nothing")),
            std::numeric_limits<int64_t>::max());
}

TEST(AvailableMemoryTest, IsWhatTheLeastControlGroupLeaves) {
  MachineFiles machine("version2");
  machine.Add("proc/meminfo", kMeminfo)
      .Add("proc/self/cgroup", "0::/a/b\n")
      .Add("sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(Available(machine), 8000 * 1024);
  machine.Add("sys/fs/cgroup/a/memory.max", "5000000\n")
      .Add("sys/fs/cgroup/a/memory.current", "3000000\n")
      .Add("sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 1000000\n");
  EXPECT_EQ(Available(machine), 3'000'000);
  // A container's own group is mounted at the top.
  machine.Add("sys/fs/cgroup/memory.max", "1000\n");
  EXPECT_EQ(Available(machine), 1000);
}

TEST(AvailableMemoryTest, KnowsVersion1) {
  MachineFiles machine("version1");
  machine.Add("proc/meminfo", kMeminfo)
      .Add("proc/self/cgroup", "5:cpu:/x\n4:memory:/x\n")
      .Add("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "4000\n")
      .Add("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "5000\n")
      .Add("sys/fs/cgroup/memory/x/memory.stat", "total_inactive_file 2000\n");
  EXPECT_EQ(Available(machine), 1000);
  // One hierarchy of several controllers.
  machine.Add("proc/self/cgroup", "4:cpuset,memory:/x\n");
  EXPECT_EQ(Available(machine), 1000);
  machine.Add("proc/self/cgroup", "4:cpuset,memories:/x\n");
  EXPECT_EQ(Available(machine), 8000 * 1024);
}

TEST(AvailableMemoryTest, ThisMachineHasSome) {
  EXPECT_GT(AvailableMemory(), 1 << 20);
}

}  // namespace
}  // namespace repro16
