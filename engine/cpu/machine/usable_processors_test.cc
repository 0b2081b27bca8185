#include "engine/cpu/machine/usable_processors.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <limits>
#include <string>

#include "engine/cpu/testing/machine_files.h"

namespace repro16 {
namespace {

constexpr int kUnlimited = std::numeric_limits<int>::max();

int Quota(const MachineFiles& machine) {
  return ProcessorQuota(machine.root());
}

TEST(ProcessorQuotaTest, IsNoneWithoutControlGroups) {
  EXPECT_EQ(Quota(MachineFiles("nothing")), kUnlimited);
}

TEST(ProcessorQuotaTest, IsThatOfAContainer) {
  MachineFiles machine("container");
  machine.Add("proc/self/cgroup", "0::/\n");
  const auto quota = [&machine](const std::string& text) {
    return Quota(machine.Add("sys/fs/cgroup/cpu.max", text));
  };
  EXPECT_EQ(quota("max 100000\n"), kUnlimited);
  EXPECT_EQ(quota("200000 100000\n"), 2);  // docker run --cpus=2
  EXPECT_EQ(quota("150000 100000\n"), 2);
  EXPECT_EQ(quota("100001 100000\n"), 2);
  EXPECT_EQ(quota("100000 100000\n"), 1);
  EXPECT_EQ(quota("1000 100000\n"), 1);
  EXPECT_EQ(quota("6400000 100000\n"), 64);
  EXPECT_EQ(quota(""), kUnlimited);
  EXPECT_EQ(quota("100000 0\n"), kUnlimited);
  EXPECT_EQ(quota("9223372036854775807 1\n"), kUnlimited);
}

TEST(ProcessorQuotaTest, IsTheLeastOfTheGroupAndThoseAboveIt) {
  MachineFiles machine("version2");
  machine.Add("proc/self/cgroup", "0::/slice/service\n")
      .Add("sys/fs/cgroup/slice/service/cpu.max", "800000 100000\n");
  EXPECT_EQ(Quota(machine), 8);
  machine.Add("sys/fs/cgroup/slice/cpu.max", "30000 10000\n");
  EXPECT_EQ(Quota(machine), 3);
  machine.Add("sys/fs/cgroup/slice/service/cpu.max", "max 100000\n");
  EXPECT_EQ(Quota(machine), 3);
  // Of a neighbour.
  machine.Add("sys/fs/cgroup/slice/other/cpu.max", "10000 10000\n");
  EXPECT_EQ(Quota(machine), 3);
}

TEST(ProcessorQuotaTest, KnowsVersion1) {
  MachineFiles machine("version1");
  machine.Add("proc/self/cgroup", "9:memory:/m\n3:cpu,cpuacct:/a/b\n0::/z\n")
      .Add("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n")
      .Add("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n")
      .Add("sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "250000\n")
      .Add("sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(machine), 3);
  // A container's own group is mounted at the top.
  machine.Add("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n")
      .Add("sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(Quota(machine), 1);
}

TEST(UsableProcessorsTest, AreNoMoreThanTheAffinity) {
  EXPECT_GE(UsableProcessors(), 1);
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  EXPECT_LE(UsableProcessors(), CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(UsableProcessors(), 1);
  sched_setaffinity(0, sizeof(before), &before);
}

}  // namespace
}  // namespace repro16
