// From the arguments of a product to a launch of its kernel: for the files that
// each compile the kernels of one kind of product (product_kind.h).
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_LAUNCH_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_LAUNCH_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "engine/cuda/product/operands.h"
#include "engine/cuda/product/product_kernel.h"
#include "engine/cuda/product/product_kernels.h"
#include "engine/cuda/product/product_kind.h"
#include "engine/cuda/product/product_plan.h"
#include "engine/cuda/product/spread_pixels.h"
#include "engine/cuda/product/tile.h"
#include "engine/cuda/product/window.h"
#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/stream.h"
#include "engine/cuda/simt/vector.h"
#include "engine/tensor/round_up.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// Enqueues products of one kind.
template <class Product>
struct ProductLauncher {
  static void Matrix(const MatrixProductArgs& args, Stream& stream);
  static void Forward(const ConvArgs& args, Stream& stream);
  static void InputGradient(const ConvArgs& args, Stream& stream);
  static void WeightGradient(const ConvArgs& args, Stream& stream);
};

extern template struct ProductLauncher<InF32<float>>;
extern template struct ProductLauncher<InF32<Binary16>>;
extern template struct ProductLauncher<InF32<BFloat16>>;
extern template struct ProductLauncher<InF16>;

void AddChunks(const AddChunksArgs& args, Stream& stream);

// --- Tiles

// kCost: cycles of a scheduler of compute capability 9.0 for kDepth positions
// of a warp: instructions as compiled, or, where that takes longer, what goes
// to and from shared memory.
template <ProductTile kNameT, int kCostT, class TileT>
struct Choice {
  static constexpr ProductTile kName = kNameT;
  static constexpr int kCost = kCostT;
  using Tile = TileT;
};
using Choice128x128 =
    Choice<ProductTile::k128x128, 710, Tile<128, 128, 8, 8, 2>>;
using Choice128x64 = Choice<ProductTile::k128x64, 740, Tile<128, 64, 8, 8, 3>>;
using Choice128x32 = Choice<ProductTile::k128x32, 770, Tile<128, 32, 8, 8, 6>>;
using Choice64x16 = Choice<ProductTile::k64x16, 475, Tile<64, 16, 4, 8, 16>>;
using Choice48x16 = Choice<ProductTile::k48x16, 390, Tile<48, 16, 6, 4, 16>>;
using Choice32x32 = Choice<ProductTile::k32x32, 460, Tile<32, 32, 4, 8, 16>>;

template <class... Choices>
struct ChoiceList {};

using MatrixTiles =
    ChoiceList<Choice128x128, Choice128x64, Choice128x32, Choice32x32>;
using ConvTiles = ChoiceList<Choice128x128, Choice128x64, Choice128x32,
                             Choice64x16, Choice32x32>;
using SpreadTiles = ChoiceList<Choice128x64, Choice32x32>;
using WeightTiles = ChoiceList<Choice128x128, Choice128x64, Choice128x32,
                               Choice48x16, Choice32x32>;
// Of one element a load.
using NarrowTiles = ChoiceList<Choice32x32>;

// Calls f with the choice that has the wanted tile, or else with the cheapest.
template <class... Choices, class F>
void VisitTile(ChoiceList<Choices...>, const ProductSize& size, int64_t slots,
               ProductTile wanted, const F& f) {
  const auto cost_of = [&](auto choice) {
    using Tile = typename decltype(choice)::Tile;
    return choice.kName == wanted
               ? int64_t{-1}
               : ProductCost(size, slots, Tile::kRows, Tile::kCols,
                             Tile::kThreads, choice.kCost);
  };
  const int64_t least = std::min({cost_of(Choices())...});
  bool found = false;
  const auto visit = [&](auto choice) {
    if (found || cost_of(choice) != least) return;
    found = true;
    f(choice);
  };
  (visit(Choices()), ...);
}

// --- Launches

template <class Product, class Tile, int kWidth, class A, class B>
void LaunchTile(const A& a, const B& b, Outputs<typename A::Type> out,
                const ProductSize& size, int64_t slots,
                const ProductResult& result, Stream& stream) {
  // The emulator looks at every word of the arguments.
  static_assert(std::has_unique_object_representations_v<A> &&
                std::has_unique_object_representations_v<B> &&
                std::has_unique_object_representations_v<decltype(out)>);
  const auto row_tiles = CeilDiv(size.rows, Tile::kRows);
  const auto col_tiles = CeilDiv(size.cols, Tile::kCols);
  out.row_tiles = Divisor(row_tiles);
  Index3 grid = {static_cast<unsigned>(row_tiles * size.products),
                 static_cast<unsigned>(col_tiles)};
  const auto launch = [&] {
    Launch(stream, ProductKernel<Product, Tile, kWidth, A, B>, grid,
           Tile::kThreads, sizeof(TileShared<Tile>), a, b, out);
  };
  if (slots == 0) {
    launch();
    return;
  }
  // The first slot has the sum over the passes before, if there are any.
  const int64_t chunks = CeilDiv(size.terms, Product::kChunk);
  for (int64_t first = 0; first < chunks;) {
    const int64_t before = first > 0 ? 1 : 0;
    const int64_t count = std::min(chunks - first, slots - before);
    out.first = static_cast<int>(first * Product::kChunk);
    out.span = Product::kChunk;
    out.chunks = result.workspace + before * size.outputs();
    grid.z = static_cast<unsigned>(count);
    launch();
    first += count;
    AddChunks({result.type, result.accumulator, result.workspace,
               before + count, size.outputs(), size.cols, result.bias,
               first < chunks ? nullptr : result.y, result.counter},
              stream);
  }
}

// `wide`: whether operands and result are made of groups of 4 elements.
template <class Product, class Tiles, class A, class B>
void LaunchProduct(const A& a, const B& b, const ProductSize& size,
                   const MatrixLayout& y, int64_t inner, bool wide,
                   const ProductResult& result, Stream& stream) {
  if (size.outputs() == 0) return;
  using T = typename A::Type;
  Outputs<T> out = {};
  out.rows = static_cast<int>(size.rows);
  out.cols = static_cast<int>(size.cols);
  out.terms = out.span = static_cast<int>(size.terms);
  out.y = static_cast<T*>(result.y);
  out.row_stride = static_cast<int>(y.row_stride);
  out.outer_stride = static_cast<int>(y.outer_stride);
  out.inner_stride = static_cast<int>(y.inner_stride);
  out.bias = static_cast<const T*>(result.bias);
  out.counter = result.counter;
  out.inner = Divisor(inner);
  const int64_t slots =
      y.row_stride == size.cols ? ChunkSlots(size, result.workspace_bytes) : 0;
  if (wide) {
    VisitTile(Tiles(), size, slots, result.tile, [&](auto choice) {
      LaunchTile<Product, typename decltype(choice)::Tile, 4>(
          a, b, out, size, slots, result, stream);
    });
  } else {
    VisitTile(NarrowTiles(), size, slots, result.tile, [&](auto choice) {
      LaunchTile<Product, typename decltype(choice)::Tile, 1>(
          a, b, out, size, slots, result, stream);
    });
  }
}

// --- Matrices

template <bool kTermsContiguous, class T>
MatrixOperand<T, kTermsContiguous> Operand(const void* data, int64_t lines,
                                           int64_t terms,
                                           const MatrixLayout& layout) {
  return {{},
          static_cast<const T*>(data),
          static_cast<int>(lines),
          static_cast<int>(terms),
          static_cast<int>(layout.row_stride),
          static_cast<int>(layout.outer_stride),
          static_cast<int>(layout.inner_stride),
          Divisor(std::max<int64_t>(terms, 1)),
          /*group_gap=*/0};
}

inline bool StridesInFours(const MatrixLayout& layout) {
  return (layout.row_stride | layout.outer_stride | layout.inner_stride) % 4 ==
         0;
}

template <class Product>
void ProductLauncher<Product>::Matrix(const MatrixProductArgs& args,
                                      Stream& stream) {
  using T = typename Product::Type;
  const ProductSize size = {args.outer * args.inner, args.m, args.n, args.k};
  const bool rows_of_a = args.form != MatrixForm::kTransposedA;
  const bool wide =
      InFours<T>({rows_of_a ? args.k : args.m, args.n,
                  args.form == MatrixForm::kTransposedB ? args.k : args.n},
                 {args.a, args.b, args.result.y}) &&
      StridesInFours(args.a_layout) && StridesInFours(args.b_layout) &&
      StridesInFours(args.y_layout);
  const auto launch = [&](const auto& a, const auto& b) {
    LaunchProduct<Product, MatrixTiles>(a, b, size, args.y_layout, args.inner,
                                        wide, args.result, stream);
  };
  const auto plain_a = Operand<true, T>(args.a, args.m, args.k, args.a_layout);
  const auto plain_b = Operand<false, T>(args.b, args.n, args.k, args.b_layout);
  switch (args.form) {
    case MatrixForm::kPlain:
      return launch(plain_a, plain_b);
    case MatrixForm::kTransposedB:
      return launch(plain_a,
                    Operand<true, T>(args.b, args.n, args.k, args.b_layout));
    case MatrixForm::kTransposedA:
      return launch(Operand<false, T>(args.a, args.m, args.k, args.a_layout),
                    plain_b);
  }
}

// --- Convolutions

template <class T>
bool ChannelsInFours(const ConvArgs& args) {
  return InFours<T>({args.shape.in_channels, args.shape.out_channels},
                    {args.a, args.b, args.result.y});
}

template <class Product>
void ProductLauncher<Product>::Forward(const ConvArgs& args, Stream& stream) {
  using T = typename Product::Type;
  const ConvShape& s = args.shape;
  const int64_t taps = s.window() * s.in_channels;
  LaunchProduct<Product, ConvTiles>(
      PixelsByTaps<T>{{}, InputWindow<T>(s, args.a)},
      Operand<false, T>(args.b, s.out_channels, taps, {s.out_channels}),
      {1, s.out_pixels(), s.out_channels, taps}, {s.out_channels}, /*inner=*/1,
      ChannelsInFours<T>(args), args.result, stream);
}

template <class Product>
void ProductLauncher<Product>::InputGradient(const ConvArgs& args,
                                             Stream& stream) {
  using T = typename Product::Type;
  const ConvShape& s = args.shape;
  const int64_t taps = s.window() * s.out_channels;
  // w [kr, kc, i, o] by i and (kr, kc, o).
  auto w = Operand<true, T>(args.b, s.in_channels, taps, {s.out_channels});
  w.group = Divisor(s.out_channels);
  w.group_gap = static_cast<int>((s.in_channels - 1) * s.out_channels);
  const ProductSize size = {1, s.in_pixels(), s.in_channels, taps};
  const Window<T> dy = OutputWindow<T>(s, args.a);
  if (s.stride == 1) {
    LaunchProduct<Product, ConvTiles>(
        PixelsByTaps<T>{{}, dy}, w, size, {s.in_channels}, /*inner=*/1,
        ChannelsInFours<T>(args), args.result, stream);
  } else {
    LaunchProduct<Product, SpreadTiles>(
        SpreadPixelsByTaps<T>{
            {dy, Divisor(s.stride)},
            {static_cast<int>(s.batch), static_cast<int>(s.in_height),
             static_cast<int>(s.in_width), static_cast<int>(s.stride)}},
        w, size, {s.in_channels}, /*inner=*/1, ChannelsInFours<T>(args),
        args.result, stream);
  }
}

template <class Product>
void ProductLauncher<Product>::WeightGradient(const ConvArgs& args,
                                              Stream& stream) {
  using T = typename Product::Type;
  const ConvShape& s = args.shape;
  const int64_t taps = s.window() * s.in_channels;
  LaunchProduct<Product, WeightTiles>(
      TapsByPixels<T>{{}, InputWindow<T>(s, args.a)},
      Operand<false, T>(args.b, s.out_channels, s.out_pixels(),
                        {s.out_channels}),
      {1, taps, s.out_channels, s.out_pixels()}, {s.out_channels},
      /*inner=*/1, ChannelsInFours<T>(args), args.result, stream);
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_LAUNCH_H_
