// For every tile of an instruction set: units cover the target once, and a
// slice holds what its bands need.
#include "engine/cpu/conv/conv_blocking.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/cpu/conv/conv_plan.h"
#include "engine/graph/testing/window_case.h"
#include "engine/graph/window.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr TileShape kTiles[] = {{12, 32}, {4, 24}, {4, 8}, {8, 12}};
constexpr int64_t kBatches[] = {1, 5, 12, 13, 128, 401, 2000};

struct Case {
  int64_t height, width, channels, filters, kernel, stride;
};
constexpr Case kCases[] = {
    {32, 32, 16, 16, 3, 1},  {32, 32, 16, 32, 1, 2}, {8, 8, 64, 64, 3, 1},
    {4, 4, 512, 512, 3, 1},  {1, 1, 33, 33, 3, 1},   {2, 2, 5, 6, 3, 1},
    {224, 224, 3, 64, 7, 2}, {9, 7, 300, 130, 5, 3}, {4, 4, 16, 16, 1, 3},
};

// Calls check(plan, tile, blocking) for both products of each case.
template <class Check>
void ForAll(const Check& check) {
  for (const Case& c : kCases) {
    ImageWindow s = MakeWindow(c.height, c.width, c.channels, c.kernel,
                               c.kernel, c.stride, WindowPadding::kSame);
    s.out_channels = c.filters;
    for (const ImagePlan& plan :
         {ImagePlan::Forward(s), ImagePlan::InputGradient(s)}) {
      for (const TileShape& tile : kTiles) {
        for (const int64_t batch : kBatches) {
          SCOPED_TRACE(testing::Message()
                       << c.height << "x" << c.width << "x" << c.channels
                       << " to " << c.filters << ", kernel " << c.kernel
                       << " stride " << c.stride << " batch " << batch
                       << (plan.transposed ? " gradient" : " forward")
                       << ", tile " << tile.rows << "x" << tile.cols);
          check(plan, tile, ImageBlocking(plan, batch, tile));
        }
      }
    }
  }
}

TEST(ImageBlockingTest, UnitsCoverTheTargetOnce) {
  ForAll([](const ImagePlan& plan, const TileShape&, const ImageBlocking& b) {
    std::vector<int> covered(
        static_cast<size_t>(b.blocks() * plan.target_height * b.panels()));
    for (int64_t number = 0; number < b.units(); ++number) {
      const ImageBlocking::Unit unit = b.UnitAt(number);
      ASSERT_LE(unit.end_block - unit.begin_block, b.unit_blocks());
      for (int64_t i = unit.begin_block; i < unit.end_block; ++i) {
        for (int64_t row = unit.begin_row; row < unit.end_row; ++row) {
          for (int64_t j = unit.begin_panel; j < unit.end_panel; ++j) {
            ++covered.at(static_cast<size_t>(
                (i * plan.target_height + row) * b.panels() + j));
          }
        }
      }
    }
    EXPECT_EQ(std::count(covered.begin(), covered.end(), 1),
              static_cast<int64_t>(covered.size()));
    EXPECT_LE(std::min(b.units(), ImageBlocking::kMaxStreams), b.max_streams());
  });
}

TEST(ImageBlockingTest, RingHoldsTheSourceRowsOfABand) {
  ForAll([](const ImagePlan& plan, const TileShape&, const ImageBlocking& b) {
    for (int64_t number = 0; number < b.units(); ++number) {
      const ImageBlocking::Unit unit = b.UnitAt(number);
      for (int64_t row = unit.begin_row; row < unit.end_row;
           row += b.band_rows()) {
        int64_t low = plan.source_height, high = 0;
        const int64_t end = std::min(row + b.band_rows(), unit.end_row);
        for (int64_t r = row; r < end; ++r) {
          for (const WindowTaps::Tap& tap : plan.rows[r]) {
            low = std::min<int64_t>(low, tap.source);
            high = std::max<int64_t>(high, tap.source + 1);
          }
        }
        ASSERT_LE(high - low, b.ring_rows());
      }
    }
  });
}

TEST(ImageBlockingTest, SliceHoldsPointersRingAndSums) {
  ForAll(
      [](const ImagePlan& plan, const TileShape& tile, const ImageBlocking& b) {
        EXPECT_GE(b.group_stride(), plan.source_width * plan.source_channels *
                                        ImagePlan::kStagedLanes);
        EXPECT_GE(b.block_floats() * ImagePlan::kStagedLanes,
                  b.group_stride() * tile.rows);
        EXPECT_GE(b.ring_offset() * static_cast<int64_t>(sizeof(float)),
                  plan.kernel_height * static_cast<int64_t>(sizeof(float*)));
        EXPECT_GE(b.sums_offset() - b.ring_offset(),
                  b.ring_rows() * b.unit_blocks() * b.block_floats());
        const int64_t tiles =
            b.keeps_sums() ? b.unit_blocks() * b.band_rows() * plan.target_width
                           : 1;
        EXPECT_GE(b.slice_floats() - b.sums_offset(),
                  tiles * tile.rows * tile.cols);
        // Vectors are read from 64 bytes on.
        for (const int64_t floats :
             {b.group_stride(), b.block_floats(), b.ring_offset(),
              b.sums_offset(), b.slice_floats()}) {
          EXPECT_EQ(floats % 16, 0);
        }
      });
}

}  // namespace
}  // namespace repro16
