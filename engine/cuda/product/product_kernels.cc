#include "engine/cuda/product/product_kernels.h"

#include <cstdint>

#include "engine/cuda/product/product_kind.h"
#include "engine/cuda/product/product_launch.h"
#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/store.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

template <class T>
struct ChunkTotals {
  float* chunks;
  const T* bias;
  T* y;
  StoreCounter* counter;
  int count;
  int elements;
  Divisor columns;
  int no_padding;
};

// kLoads chunk sums are loaded before the first of them is added.
template <class Product, int kLoads>
SIMT_KERNEL(kElementThreads, 1)
AddChunksKernel(const ChunkTotals<typename Product::Type> args) {
  const int i = ElementIndex();
  StoreCounts counts;
  if (i < args.elements) {
    float total = -0.0f;  // -0 + x is x
    for (int first = 0; first < args.count; first += kLoads) {
      float sums[kLoads];
      SIMT_UNROLL for (int j = 0; j < kLoads; ++j) {
        const int chunk = first + j < args.count ? first + j : args.count - 1;
        sums[j] = args.chunks[chunk * args.elements + i];
      }
      SIMT_UNROLL for (int j = 0; j < kLoads; ++j) {
        if (first + j >= args.count) continue;
        total = Product::Round(f32::Add(total, sums[j]));
      }
    }
    if (args.y == nullptr) {
      args.chunks[i] = total;
    } else {
      if (args.bias != nullptr) {
        int column;
        args.columns.Divide(i, &column);
        total = Product::Round(f32::Add(total, LoadF32(args.bias + column)));
      }
      counts.Store(total, args.y + i);
    }
  }
  counts.AddTo(args.counter, SharedMemory<CountsShared>());
}

}  // namespace

void MatrixProduct(const MatrixProductArgs& args, Stream& stream) {
  VisitProduct(args.result.type, args.result.accumulator, [&](auto product) {
    ProductLauncher<decltype(product)>::Matrix(args, stream);
  });
}

void ConvForward(const ConvArgs& args, Stream& stream) {
  VisitProduct(args.result.type, args.result.accumulator, [&](auto product) {
    ProductLauncher<decltype(product)>::Forward(args, stream);
  });
}

void ConvInputGradient(const ConvArgs& args, Stream& stream) {
  VisitProduct(args.result.type, args.result.accumulator, [&](auto product) {
    ProductLauncher<decltype(product)>::InputGradient(args, stream);
  });
}

void ConvWeightGradient(const ConvArgs& args, Stream& stream) {
  VisitProduct(args.result.type, args.result.accumulator, [&](auto product) {
    ProductLauncher<decltype(product)>::WeightGradient(args, stream);
  });
}

void AddChunks(const AddChunksArgs& args, Stream& stream) {
  VisitProduct(args.type, args.accumulator, [&](auto product) {
    using Product = decltype(product);
    using T = typename Product::Type;
    const ChunkTotals<T> totals = {args.chunks,
                                   static_cast<const T*>(args.bias),
                                   static_cast<T*>(args.y),
                                   args.counter,
                                   static_cast<int>(args.count),
                                   static_cast<int>(args.elements),
                                   Divisor(args.columns),
                                   /*no_padding=*/0};
    const auto kernel = args.count <= 8 ? AddChunksKernel<Product, 8>
                                        : AddChunksKernel<Product, 32>;
    Launch(stream, kernel, ElementGrid(args.elements), kElementThreads,
           sizeof(CountsShared), totals);
  });
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
