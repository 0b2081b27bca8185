// Kernels that break the contract give other bits than the scalar order: the
// tests of products would notice.
#include <vector>

#include "engine/cuda/product/half_pair.h"
#include "engine/cuda/product/product_cases.h"
#include "engine/cuda/product/product_kind.h"
#include "engine/cuda/product/product_launch.h"
#include "engine/cuda/product/thread_sums.h"
#include "engine/numerics/host_device.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace emulated {
namespace {

struct ShortChunks : InF32<float> {
  static constexpr int kChunk = kReductionChunk / 2;
};

struct ZeroFilledPadding : InF32<float> {
  static constexpr bool kSkipsAbsentTerms = false;
};

// A multiply-add of two roundings where the contract has one.
struct ApartStep {
  SIMT_FUNCTION static float Add(float a, float b, float acc) {
    return f32::Add(acc, f32::Mul(a, b));
  }
};
struct RoundedProducts : InF32<float> {
  template <int kRows, int kCols>
  using Sums = F32Sums<kRows, kCols, ApartStep>;
};

// One rounding where the contract has two.
struct ContractedStep {
  SIMT_FUNCTION static HalfPair Add(HalfPair a, HalfPair b, HalfPair acc) {
    return {RoundToHalf(f32::Fma(a.first, b.first, acc.first)),
            RoundToHalf(f32::Fma(a.second, b.second, acc.second))};
  }
};
struct ContractedInF16 : InF16 {
  template <int kRows, int kCols>
  using Sums = F16Sums<kRows, kCols, ContractedStep>;
};

// How many of the matrix products and of the convolutions differ.
struct Differences {
  int matrices = 0;
  int convolutions = 0;
};

template <class Product>
Differences CountDifferences(const ProductTypes& types) {
  using Launcher = ProductLauncher<Product>;
  const ProductFunctions sabotaged = {Launcher::Matrix, Launcher::Forward,
                                      Launcher::InputGradient,
                                      Launcher::WeightGradient};
  Differences result;
  for (const ProductCase& c : SmallProductCases(types)) {
    const bool differs = !(
        c.Run(ProductTile::kBest, kMaxChunkSumBytes, sabotaged) == c.expected);
    const bool matrix = c.name.find("matrix") != std::string::npos;
    (matrix ? result.matrices : result.convolutions) += differs;
  }
  return result;
}

constexpr ProductTypes kF32 = {DType::kF32, DType::kF32};
constexpr ProductTypes kF16 = {DType::kF16, DType::kF16};

TEST(SabotageTest, ChunksOf128) {
  const auto differences = CountDifferences<ShortChunks>(kF32);
  EXPECT_GT(differences.matrices, 0);
  EXPECT_GT(differences.convolutions, 0);
}

TEST(SabotageTest, PaddingFilledWithZeros) {
  const auto differences = CountDifferences<ZeroFilledPadding>(kF32);
  EXPECT_EQ(differences.matrices, 0);  // they have none
  EXPECT_GT(differences.convolutions, 0);
}

TEST(SabotageTest, MultiplyAddThatRoundsTwice) {
  const auto differences = CountDifferences<RoundedProducts>(kF32);
  EXPECT_GT(differences.matrices, 0);
  EXPECT_GT(differences.convolutions, 0);
}

TEST(SabotageTest, MultiplyAddContractedInF16) {
  const auto differences = CountDifferences<ContractedInF16>(kF16);
  EXPECT_GT(differences.matrices, 0);
  EXPECT_GT(differences.convolutions, 0);
}

}  // namespace
}  // namespace emulated
}  // namespace repro16
