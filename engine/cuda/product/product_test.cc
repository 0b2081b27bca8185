// Every product in the emulator, bit for bit and counters included, against the
// scalar order of engine/numerics/reduction.h.
#include <cstdint>
#include <vector>

#include "engine/cuda/product/product_cases.h"
#include "engine/cuda/product/product_plan.h"
#include "engine/cuda/simt/emulator.h"
#include "engine/cuda/testing/test_tensor.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr ProductTile kTiles[] = {ProductTile::k128x128, ProductTile::k128x64,
                                  ProductTile::k128x32,  ProductTile::k64x16,
                                  ProductTile::k48x16,   ProductTile::k32x32};
constexpr MatrixForm kForms[] = {MatrixForm::kPlain, MatrixForm::kTransposedB,
                                 MatrixForm::kTransposedA};

TEST(ProductTest, EveryRuleInEveryOrder) {
  for (const ProductTypes& types : kProductTypes) {
    for (const ProductCase& c : SmallProductCases(types)) {
      SCOPED_TRACE(c.name);
      ForEachOrder([&] { EXPECT_TRUE(c.Run() == c.expected); });
    }
  }
}

TEST(ProductTest, EveryTileOfMatrices) {
  for (const ProductTypes& types : kProductTypes) {
    for (const MatrixForm form : kForms) {
      MatrixCaseOptions options;
      options.form = form;
      options.m = 132;
      options.n = 68;
      options.k = 292;
      options.bias = true;
      const ProductCase c = MatrixCase(options, types, Flavour::kSpecial);
      for (const ProductTile tile : kTiles) {
        SCOPED_TRACE(testing::Message()
                     << c.name << ", tile " << static_cast<int>(tile));
        EXPECT_TRUE(c.Run(tile, /*workspace_bytes=*/0) == c.expected);
      }
    }
  }
}

TEST(ProductTest, EveryTileOfConvolutions) {
  for (const ProductTypes& types : kProductTypes) {
    for (const ConvPass pass : kConvPasses) {
      for (const int64_t stride : {1, 2}) {
        const ProductCase c =
            ConvCase(pass, SameConv(2, 13, 12, 32, 40, 3, 3, stride), types,
                     Flavour::kSpecial);
        for (const ProductTile tile : kTiles) {
          SCOPED_TRACE(testing::Message()
                       << c.name << ", tile " << static_cast<int>(tile));
          EXPECT_TRUE(c.Run(tile, /*workspace_bytes=*/0) == c.expected);
        }
      }
    }
  }
}

TEST(ProductTest, MatricesOfAllSizes) {
  OperandNumbers numbers(1);
  for (int i = 0; i < 120; ++i) {
    MatrixCaseOptions options;
    options.form = kForms[i % 3];
    options.m = 1 + numbers.Below(40);
    options.n = 1 + numbers.Below(40);
    options.k = numbers.Below(40);
    options.padding = numbers.Below(3);
    options.bias = numbers.Below(2) == 0;
    options.offset = static_cast<int>(numbers.Below(2));
    const ProductCase c =
        MatrixCase(options, kProductTypes[i % 4], kFlavours[numbers.Below(5)]);
    SCOPED_TRACE(c.name);
    EXPECT_TRUE(c.Run() == c.expected);
  }
}

TEST(ProductTest, ProductsSideBySide) {
  for (const ProductTypes& types : kProductTypes) {
    for (const MatrixForm form : kForms) {
      for (const int64_t size : {7, 36}) {
        MatrixCaseOptions options;
        options.form = form;
        options.outer = 3;
        options.inner = 4;
        options.m = options.n = size;
        options.k = size + 4;
        const ProductCase c = MatrixCase(options, types, Flavour::kSpecial);
        SCOPED_TRACE(c.name);
        EXPECT_TRUE(c.Run() == c.expected);
      }
    }
  }
}

TEST(ProductTest, ChunksInPasses) {
  for (const ProductTypes& types : kProductTypes) {
    for (const int64_t k : {255, 256, 257, 512, 513, 1601}) {
      for (const bool bias : {false, true}) {
        MatrixCaseOptions options;
        options.m = 5;
        options.n = 7;
        options.k = k;
        options.bias = bias;
        const ProductCase c = MatrixCase(options, types, Flavour::kOrdinary);
        SCOPED_TRACE(c.name);
        const int64_t slot = options.m * options.n * 4;
        for (const int64_t slots : {0, 1, 2, 3, 4, 7, 100}) {
          EXPECT_TRUE(c.Run(ProductTile::kBest, slots * slot) == c.expected)
              << slots << " slots";
        }
      }
    }
  }
}

TEST(ProductTest, WindowsOfEveryKind) {
  int i = 0;
  for (const int64_t stride : {1, 2, 3}) {
    for (const int64_t channels : {1, 3, 4}) {
      for (const ConvShape& shape :
           {SameConv(2, 7, 10, channels, 5, 3, 3, stride),
            SameConv(1, 8, 9, channels, 4, 2, 2, stride),
            SameConv(1, 6, 6, channels, 8, 5, 5, stride),
            SameConv(2, 4, 5, channels, 3, 1, 1, stride),
            SameConv(2, 2, 1, channels, 12, 3, 3, stride)}) {
        for (const ConvPass pass : kConvPasses) {
          ++i;
          const ProductCase c =
              ConvCase(pass, shape, kProductTypes[i % 4], kFlavours[i / 4 % 5]);
          SCOPED_TRACE(c.name);
          EXPECT_TRUE(c.Run() == c.expected);
        }
      }
    }
  }
}

// Where the stride is above 1, whole taps are passed over, and chunks of them.
TEST(ProductTest, TapsBetweenPixels) {
  for (const ProductTypes& types : kProductTypes) {
    for (const Flavour flavour : {Flavour::kSpecial, Flavour::kVanishing}) {
      for (const ConvShape& shape : {SameConv(2, 9, 12, 4, 136, 3, 3, 2),
                                     SameConv(2, 12, 9, 4, 264, 1, 1, 2),
                                     SameConv(1, 11, 13, 5, 72, 5, 3, 3),
                                     SameConv(2, 12, 12, 4, 264, 2, 2, 2),
                                     SameConv(1, 1, 1, 4, 264, 3, 3, 2)}) {
        const ProductCase c =
            ConvCase(ConvPass::kInputGradient, shape, types, flavour);
        SCOPED_TRACE(c.name);
        for (const ProductTile tile :
             {ProductTile::k128x64, ProductTile::k32x32}) {
          EXPECT_TRUE(c.Run(tile) == c.expected);
          EXPECT_TRUE(c.Run(tile, /*workspace_bytes=*/0) == c.expected);
        }
      }
    }
  }
}

// An f32 with the very bits that mark an absent term is a NaN like any other.
TEST(ProductTest, NaNsOfAllKinds) {
  const ConvShape shape = SameConv(1, 9, 9, 4, 4, 3, 3, 1);
  for (const ConvPass pass : kConvPasses) {
    const ProductCase c = NanCase(pass, shape);
    SCOPED_TRACE(c.name);
    EXPECT_TRUE(c.Run() == c.expected);
  }
}

// A barrier that is left out is noticed, in one of the orders.
TEST(ProductTest, EveryBarrierIsNeeded) {
  std::vector<ProductCase> cases;
  for (const ConvPass pass : kConvPasses) {
    cases.push_back(ConvCase(pass, SameConv(2, 12, 12, 20, 8, 3, 3, 1),
                             {DType::kF16, DType::kF32}, Flavour::kHuge));
  }
  MatrixCaseOptions options;
  options.m = options.n = 64;
  options.k = 300;
  cases.push_back(
      MatrixCase(options, {DType::kF32, DType::kF32}, Flavour::kHuge));
  for (const ProductCase& c : cases) {
    for (const ProductTile tile :
         {ProductTile::k128x128, ProductTile::k48x16, ProductTile::k32x32}) {
      emulator::TakeBarriersMet();
      EXPECT_TRUE(c.Run(tile, 0) == c.expected);
      const auto barriers = emulator::TakeBarriersMet();
      EXPECT_GE(barriers.size(), 3u);
      for (const emulator::Site& barrier : barriers) {
        SCOPED_TRACE(testing::Message()
                     << c.name << ", tile " << static_cast<int>(tile)
                     << " without " << barrier.file << ":" << barrier.line);
        EXPECT_TRUE(NoticesMissing(
            barrier, [&] { return c.Run(tile, 0) == c.expected; }));
      }
    }
  }
}

TEST(ProductPlanTest, ChunkSums) {
  // Weights of ResNet-110's first stage: all chunks at once.
  EXPECT_EQ(ChunkSlots({1, 144, 16, 131072}, kMaxChunkSumBytes), 512);
  // A bounded workspace, whatever the batch.
  const ProductSize many = {1, 2304, 256, 1 << 20};
  EXPECT_EQ(ChunkSlots(many, kMaxChunkSumBytes), 14);
  EXPECT_LE(ProductWorkspaceBytes(many), kMaxChunkSumBytes);
  // Enough outputs, one chunk, or many products: a block takes all.
  EXPECT_EQ(ProductWorkspaceBytes({1, 131072, 16, 1024}), 0);
  EXPECT_EQ(ProductWorkspaceBytes({1, 128, 10, 256}), 0);
  EXPECT_EQ(ProductWorkspaceBytes({512, 32, 32, 1024}), 0);
  // A grid has at most 65535 blocks along z.
  EXPECT_EQ(ChunkSlots({1, 1, 1, int64_t{1} << 30}, kMaxChunkSumBytes), 65535);
}

}  // namespace
}  // namespace repro16
