#include "engine/graph/loss_scale.h"

#include <gtest/gtest.h>

namespace repro16 {
namespace {

// The state after `steps` steps.
UpdateState After(UpdateState state, bool dynamic, bool finite, int steps) {
  for (int i = 0; i < steps; ++i) state = AfterStep(state, dynamic, finite);
  return state;
}

TEST(LossScaleTest, HalvesOnOverflowAndDoublesAfter2000Steps) {
  UpdateState state = InitialUpdateState(/*dynamic=*/true);
  EXPECT_EQ(state.loss_scale, 32768);
  state = After(state, true, true, 1999);
  EXPECT_EQ(state.loss_scale, 32768);
  EXPECT_EQ(state.good_steps, 1999);
  state = After(state, true, true, 1);
  EXPECT_EQ(state.loss_scale, 65536);
  EXPECT_EQ(state.good_steps, 0);
  EXPECT_FALSE(state.skipped);
  state = After(state, true, false, 1);
  EXPECT_TRUE(state.skipped);
  EXPECT_EQ(state.loss_scale, 32768);
  // A skipped step starts the count again.
  state = After(state, true, true, 1999);
  EXPECT_FALSE(state.skipped);
  state = After(state, true, false, 1);
  state = After(state, true, true, 1999);
  EXPECT_EQ(state.loss_scale, 16384);
  EXPECT_EQ(state.updates, 2000 + 1999 + 1999);
  state = After(state, true, false, 100);
  EXPECT_EQ(state.loss_scale, 1);
  EXPECT_EQ(state.updates, 2000 + 1999 + 1999);
}

TEST(LossScaleTest, StaysWithinTheRangeOfF32) {
  UpdateState state = InitialUpdateState(true);
  state.loss_scale = 0x1p126f;
  for (const float scale : {0x1p127f, 0x1p127f}) {
    state = After(state, true, true, 2000);
    EXPECT_EQ(state.loss_scale, scale);
    EXPECT_EQ(state.good_steps, 0);
  }
}

TEST(LossScaleTest, DisabledAcceptsEverything) {
  UpdateState state = InitialUpdateState(/*dynamic=*/false);
  state = After(state, false, false, 2001);
  EXPECT_FALSE(state.skipped);
  EXPECT_EQ(state.loss_scale, 1);
  EXPECT_EQ(state.updates, 2001);
}

}  // namespace
}  // namespace repro16
