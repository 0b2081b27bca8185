#include "engine/cuda/conv/depthwise_kernels.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "engine/cuda/product/product_kind.h"
#include "engine/cuda/product/window.h"
#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/store.h"
#include "engine/cuda/simt/vector.h"
#include "engine/numerics/host_device.h"
#include "engine/tensor/round_up.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

void AddChunks(const AddChunksArgs& args, Stream& stream);

namespace {

// Positions whose terms a thread loads before it adds the first of them.
constexpr int kLoads = 8;

// The chains of kWidth channels side by side.
template <class Product, int kWidth>
class Chains {
 public:
  using T = typename Product::Type;

  SIMT_FUNCTION void Add(const Loaded<T, kWidth>& a,
                         const Loaded<T, kWidth>& b) {
    SIMT_UNROLL for (int j = 0; j < kWidth; ++j) {
      const float x = ToFloat(a.At(j)), y = ToFloat(b.At(j));
      if constexpr (std::is_same_v<Product, InF16>) {
        const float product = Product::Round(f32::Mul(x, y));
        at[j] = Product::Round(f32::Add(at[j], product));
      } else {
        at[j] = f32::Fma(x, y, at[j]);
      }
    }
  }

  float at[kWidth] = {};
};

// Adds the terms of the positions [begin, end), in order. find(position, &a,
// &b) finds a term's factors and says whether it is there; the addresses are
// valid all the same.
template <class Product, int kWidth, class Find>
SIMT_FUNCTION void AddTerms(int begin, int end, const Find& find,
                            Chains<Product, kWidth>& sums) {
  using T = typename Product::Type;
  for (int first = begin; first < end; first += kLoads) {
    Loaded<T, kWidth> a[kLoads], b[kLoads];
    bool present[kLoads];
    SIMT_UNROLL for (int i = 0; i < kLoads; ++i) {
      const bool inside = first + i < end;
      const T *from_a, *from_b;
      present[i] = find(inside ? first + i : begin, &from_a, &from_b) && inside;
      a[i].From(from_a);
      b[i].From(from_b);
    }
    SIMT_UNROLL for (int i = 0; i < kLoads; ++i) {
      if (present[i]) sums.Add(a[i], b[i]);
    }
  }
}

// y[pixel, c] = r( sum over taps of image * w + bias[c] ): forward, and the
// gradient of the input.
template <class T, class W>
struct Filter {
  W window;
  const T* w;
  const T* bias;
  T* y;
  StoreCounter* counter;
  int taps;
  int threads;     // of kWidth channels each
  Divisor groups;  // threads of a pixel
  int no_padding;
};

template <class Product, int kWidth, class W>
SIMT_KERNEL(kElementThreads, 1)
FilterKernel(const Filter<typename Product::Type, W> args) {
  using T = typename Product::Type;
  const int thread = ElementIndex();
  StoreCounts counts;
  if (thread < args.threads) {
    int group;
    const int pixel = args.groups.Divide(thread, &group);
    const int channel = group * kWidth, channels = args.window.channel_count;
    const auto place = args.window.PlaceOf(pixel);
    const auto find = [&](int tap, const T** a, const T** b) {
      const int at = tap * channels + channel;
      const auto found =
          args.window.Find(place, args.window.TapOf(at), /*present=*/true);
      *a = found.address;
      *b = args.w + at;
      return found.present;
    };
    float totals[kWidth];
    SIMT_UNROLL for (int j = 0; j < kWidth; ++j) totals[j] = -0.0f;
    for (int first = 0; first < args.taps; first += Product::kChunk) {
      const int left = args.taps - first;
      Chains<Product, kWidth> chunk;
      AddTerms(first,
               left < Product::kChunk ? args.taps : first + Product::kChunk,
               find, chunk);
      SIMT_UNROLL for (int j = 0; j < kWidth; ++j) {
        totals[j] = Product::Round(f32::Add(totals[j], chunk.at[j]));
      }
    }
    Vector<T, kWidth> stored;
    SIMT_UNROLL for (int j = 0; j < kWidth; ++j) {
      if (args.bias != nullptr) {
        totals[j] = Product::Round(
            f32::Add(totals[j], LoadF32(args.bias + channel + j)));
      }
      stored.at[j] = counts.Round<T>(totals[j]);
    }
    StoreVector(stored, args.y + pixel * channels + channel);
  }
  counts.AddTo(args.counter, SharedMemory<CountsShared>());
}

// sums[chunk, tap, c] of chunks of outputs from `first` on.
template <class T>
struct WeightChunks {
  Window<T> window;
  const T* dy;
  float* sums;
  int first;
  int threads;     // of kWidth channels each
  Divisor groups;  // threads of a tap
  Divisor taps;
};

template <class Product, int kWidth>
SIMT_KERNEL(kElementThreads, 1)
WeightChunksKernel(const WeightChunks<typename Product::Type> args) {
  using T = typename Product::Type;
  const int thread = ElementIndex();
  if (thread >= args.threads) return;
  int group, tap;
  const int chunk = args.taps.Divide(args.groups.Divide(thread, &group), &tap);
  const int channel = group * kWidth, channels = args.window.channel_count;
  const auto place_of_tap = args.window.TapOf(tap * channels + channel);
  const auto find = [&](int pixel, const T** a, const T** b) {
    const auto found = args.window.Find(args.window.PlaceOf(pixel),
                                        place_of_tap, /*present=*/true);
    *a = found.address;
    *b = args.dy + pixel * channels + channel;
    return found.present;
  };
  const int begin = (args.first + chunk) * Product::kChunk;
  const int left = args.window.pixels - begin;
  Chains<Product, kWidth> sums;
  AddTerms(
      begin,
      left < Product::kChunk ? args.window.pixels : begin + Product::kChunk,
      find, sums);
  Vector<float, kWidth> stored;
  SIMT_UNROLL for (int j = 0; j < kWidth; ++j) stored.at[j] = sums.at[j];
  StoreVector(stored, args.sums + thread * kWidth);
}

// --- Launches

// Calls f(product, width) with the kind of product and how many channels a
// thread takes.
template <class F>
void VisitKernel(const DepthwiseArgs& args, const F& f) {
  VisitProduct(args.type, args.accumulator, [&](auto product) {
    using T = typename decltype(product)::Type;
    if (InFours<T>({args.shape.out_channels}, {args.a, args.b, args.y})) {
      f(product, std::integral_constant<int, 4>());
    } else {
      f(product, std::integral_constant<int, 1>());
    }
  });
}

template <class Product, int kWidth, class W>
void LaunchFilter(const DepthwiseArgs& args, const W& window, Stream& stream) {
  using T = typename Product::Type;
  const int64_t groups = args.shape.out_channels / kWidth;
  const int64_t threads = window.pixels * groups;
  const Filter<T, W> filter = {window,
                               static_cast<const T*>(args.b),
                               static_cast<const T*>(args.bias),
                               static_cast<T*>(args.y),
                               args.counter,
                               static_cast<int>(args.shape.window()),
                               static_cast<int>(threads),
                               Divisor(groups),
                               /*no_padding=*/0};
  static_assert(std::has_unique_object_representations_v<Filter<T, W>>);
  Launch(stream, FilterKernel<Product, kWidth, W>, ElementGrid(threads),
         kElementThreads, sizeof(CountsShared), filter);
}

template <class Product, int kWidth>
void LaunchWeightGradient(const DepthwiseArgs& args, Stream& stream) {
  using T = typename Product::Type;
  const int64_t channels = args.shape.out_channels;
  const int64_t weights = args.shape.window() * channels;
  WeightChunks<T> sums = {InputWindow<T>(args.shape, args.a),
                          static_cast<const T*>(args.b),
                          /*sums=*/nullptr,
                          /*first=*/0,
                          /*threads=*/0,
                          Divisor(channels / kWidth),
                          Divisor(args.shape.window())};
  static_assert(std::has_unique_object_representations_v<WeightChunks<T>>);
  const int64_t chunks = CeilDiv(args.shape.out_pixels(), Product::kChunk);
  const int64_t slots =
      args.workspace_bytes / (weights * static_cast<int64_t>(sizeof(float)));
  // The first slot has the sum over the passes before, if there are any.
  for (int64_t first = 0; first < chunks;) {
    const int64_t before = first > 0 ? 1 : 0;
    const int64_t count = std::min(chunks - first, slots - before);
    const int64_t threads = count * weights / kWidth;
    sums.sums = args.workspace + before * weights;
    sums.first = static_cast<int>(first);
    sums.threads = static_cast<int>(threads);
    Launch(stream, WeightChunksKernel<Product, kWidth>, ElementGrid(threads),
           kElementThreads, /*shared_bytes=*/0, sums);
    first += count;
    AddChunks({args.type, args.accumulator, args.workspace, before + count,
               weights, channels, /*bias=*/nullptr,
               first < chunks ? nullptr : args.y, args.counter},
              stream);
  }
}

}  // namespace

void DepthwiseForward(const DepthwiseArgs& args, Stream& stream) {
  VisitKernel(args, [&](auto product, auto width) {
    using Product = decltype(product);
    LaunchFilter<Product, width.value>(
        args, InputWindow<typename Product::Type>(args.shape, args.a), stream);
  });
}

void DepthwiseInputGradient(const DepthwiseArgs& args, Stream& stream) {
  VisitKernel(args, [&](auto product, auto width) {
    using Product = decltype(product);
    using T = typename Product::Type;
    const Window<T> dy = OutputWindow<T>(args.shape, args.a);
    if (args.shape.stride == 1) {
      LaunchFilter<Product, width.value>(args, dy, stream);
    } else {
      LaunchFilter<Product, width.value>(
          args, SpreadWindow<T>{dy, Divisor(args.shape.stride)}, stream);
    }
  });
}

void DepthwiseWeightGradient(const DepthwiseArgs& args, Stream& stream) {
  VisitKernel(args, [&](auto product, auto width) {
    LaunchWeightGradient<decltype(product), width.value>(args, stream);
  });
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
