// For tests of kernels: scratch that shows what reads or writes too much.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_GUARDED_WORKSPACE_H_
#define REPRO16_ENGINE_GRAPH_TESTING_GUARDED_WORKSPACE_H_

#include <algorithm>
#include <cstdint>

#include "engine/tensor/buffer.h"
#include "gtest/gtest.h"

namespace repro16 {

// Calls run(uint8_t* workspace) with `bytes` bytes that start as NaN; what lies
// behind them must not be touched.
template <class Run>
void WithGuardedWorkspace(int64_t bytes, const Run& run) {
  AlignedBuffer workspace(bytes + 64);
  std::fill_n(workspace.data(), workspace.bytes(), uint8_t{0xff});
  run(workspace.data());
  for (int64_t i = bytes; i < workspace.bytes(); ++i) {
    ASSERT_EQ(workspace.data()[i], 0xff) << "beyond the workspace";
  }
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_GUARDED_WORKSPACE_H_
