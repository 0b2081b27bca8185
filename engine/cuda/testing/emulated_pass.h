// For tests of operations: passes on the emulator, in every order of threads
// and blocks.
#ifndef REPRO16_ENGINE_CUDA_TESTING_EMULATED_PASS_H_
#define REPRO16_ENGINE_CUDA_TESTING_EMULATED_PASS_H_

#include <cstdint>
#include <string>

#include "engine/cuda/kernels.h"
#include "engine/cuda/operation.h"
#include "engine/cuda/simt/emulator.h"
#include "engine/cuda/simt/work_queue.h"
#include "engine/graph/testing/guarded_workspace.h"
#include "gtest/gtest.h"

namespace repro16 {

// The parameter is the order.
class EmulatedTest : public testing::TestWithParam<emulator::Order> {
 protected:
  void SetUp() override { emulator::options().order = GetParam(); }
  void TearDown() override { emulator::options() = {}; }

  // Calls run(PassContext), of training, in a guarded workspace, and waits for
  // what it enqueued.
  template <class Run>
  static void RunPass(const Operation& operation, int64_t batch,
                      const Run& run) {
    WithGuardedWorkspace(operation.WorkspaceBytes(batch),
                         [&](uint8_t* workspace) {
                           emulator::WorkQueue queue;
                           run(PassContext{EmulatedKernels(), queue, workspace,
                                           batch, /*training=*/true});
                           queue.Finish();
                         });
  }
};

inline std::string OrderName(
    const testing::TestParamInfo<emulator::Order>& info) {
  switch (info.param) {
    case emulator::Order::kForward:
      return "Forward";
    case emulator::Order::kReverse:
      return "Reverse";
    case emulator::Order::kRandom:
      return "Random";
  }
  return "";
}

#define REPRO16_IN_EVERY_ORDER(Test)                                        \
  INSTANTIATE_TEST_SUITE_P(                                                 \
      Orders, Test,                                                         \
      testing::Values(emulator::Order::kForward, emulator::Order::kReverse, \
                      emulator::Order::kRandom),                            \
      OrderName)

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_TESTING_EMULATED_PASS_H_
