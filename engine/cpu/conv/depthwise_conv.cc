#include "engine/cpu/conv/depthwise_conv.h"

#include <algorithm>
#include <cstddef>

#include "engine/cpu/conv/depthwise_conv_args.h"
#include "engine/cpu/sums/channel_sums.h"
#include "engine/cpu/sums/reduce_rows.h"
#include "engine/graph/window.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"
#include "engine/tensor/round_up.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/conv/depthwise_conv.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Must come after foreach_target.h.
#include "engine/cpu/conv/depthwise_conv-inl.h"
#include "engine/cpu/sums/channel_sums-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

// Rows [begin, end) of the output, counted over examples.
void FilterRows(const DepthwiseFilter& f, int64_t begin, int64_t end,
                StoreCounter& counter) {
  VisitDType(f.type, [&](auto tag) {
    using T = decltype(tag);
    const int64_t height = f.rows->positions(), width = f.cols->positions();
    for (int64_t line = begin; line < end; ++line) {
      const T* image =
          static_cast<const T*>(f.source) +
          line / height * (f.source_height * f.source_width * f.channels);
      T* to = static_cast<T*>(f.out) + line * width * f.channels;
      FilterRow(f, image, (*f.rows)[line % height], to, counter);
    }
  });
}

void StoreChannelSums(const FloatVector& sum, const ChannelVectors& channels,
                      float* to) {
  StoreCounter ignored;
  StoreChannels(FloatTag(), sum, to, channels, ignored);
}

// Every tap's sums over one chunk for vectors of channels, tap by tap.
template <class Accumulator, class T>
void SumTaps(const DepthwiseWeightGradient& g, int64_t begin, int64_t end,
             size_t first_channel, size_t count, float* sums) {
  const int64_t taps = g.kernel_height * g.kernel_width;
  ForEachChannels<kChannelGroup>(
      FloatTag(), count,
      [&](auto vectors, auto narrow, ChannelVectors channels) HWY_ATTR {
        constexpr size_t kVectors = decltype(vectors)::value;
        channels.begin += first_channel;
        for (int64_t tap = 0; tap < taps; ++tap) {
          FloatVector sum[kVectors];
          SumTap<Accumulator, kVectors, decltype(narrow)::value, T>(
              g, tap, begin, end, channels, sum);
          float* to = sums + tap * g.sum_stride + channels.begin;
          for (size_t v = 0; v < kVectors; ++v) {
            StoreChannelSums(sum[v], channels, to + v * kLanes);
          }
        }
      });
}

// The same for a 3 x 3 window: all taps of a vector at once.
template <size_t kStride, class T>
void SumTapsFast(const DepthwiseWeightGradient& g, int64_t begin, int64_t end,
                 size_t first_channel, size_t count, float* sums) {
  const FloatTag d;
  ChannelVectors vectors[kMaxTaskVectors];
  size_t n = 0;
  ForEachChannels<1>(d, count,
                     [&](auto /*vectors*/, auto /*narrow*/,
                         const ChannelVectors& channels) HWY_ATTR {
                       vectors[n] = channels;
                       vectors[n++].begin += first_channel;
                     });
  FastSums acc[kMaxTaskVectors];
  for (size_t v = 0; v < n; ++v) {
    for (auto& row : acc[v]) {
      for (auto& sum : row) sum = hn::Zero(d);
    }
  }
  ForEachRun<T>(g, begin, end, [&](const OutputRun<T>& s) HWY_ATTR {
    for (size_t v = 0; v < n; ++v) {
      AddRun<kStride>(g, s, vectors[v].begin, acc[v]);
    }
  });
  for (size_t v = 0; v < n; ++v) {
    for (size_t tap = 0; tap < kFastSide * kFastSide; ++tap) {
      StoreChannelSums(
          acc[v][tap / kFastSide][tap % kFastSide], vectors[v],
          sums + static_cast<int64_t>(tap) * g.sum_stride + vectors[v].begin);
    }
  }
}

// The sums of one chunk for `count` channels from `first_channel` on, at most
// kTaskChannels.
void SumChunkOfOutputs(const DepthwiseWeightGradient& g, int64_t chunk,
                       int64_t first_channel, int64_t count, float* sums) {
  const int64_t begin = chunk * kReductionChunk;
  const int64_t end = std::min(begin + kReductionChunk, g.outputs);
  const size_t first = static_cast<size_t>(first_channel);
  const size_t channels = static_cast<size_t>(count);
  constexpr int64_t kSide = static_cast<int64_t>(kFastSide);
  const bool fast = g.accumulator == DType::kF32 && g.kernel_height == kSide &&
                    g.kernel_width == kSide && channels >= kLanes;
  VisitDType(g.type, [&](auto tag) {
    using T = decltype(tag);
    if (g.accumulator == DType::kF16) {
      SumTaps<F16Accumulator, T>(g, begin, end, first, channels, sums);
    } else if (fast && g.stride == 1) {
      SumTapsFast<1, T>(g, begin, end, first, channels, sums);
    } else if (fast && g.stride == 2) {
      SumTapsFast<2, T>(g, begin, end, first, channels, sums);
    } else {
      SumTaps<F32Accumulator, T>(g, begin, end, first, channels, sums);
    }
  });
}

// dw[tap, c] = r(the sum over all outputs).
void SumWeights(const DepthwiseWeightGradient& g, const TensorRef& dw,
                ThreadPool& pool) {
  const ChunkSums sums = {
      g.outputs, g.kernel_height * g.kernel_width * g.sum_stride, g.sums};
  const int64_t blocks = CeilDiv(g.channels, kTaskChannels);
  const auto sum = [&](const ChunkTask& task, StoreCounter& /*counter*/) {
    const int64_t first = task.block * kTaskChannels;
    SumChunkOfOutputs(g, task.first, first,
                      std::min(kTaskChannels, g.channels - first),
                      sums.of_chunk(task.first));
  };
  StoreCounter unused;
  if (g.accumulator == DType::kF16) {
    SumInChunks<F16Accumulator>(sums, /*at_once=*/1, blocks, pool, unused, sum);
  } else {
    SumInChunks<F32Accumulator>(sums, /*at_once=*/1, blocks, pool, unused, sum);
  }
  WriteParameterGradient(sums.sums, g.channels, dw);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

HWY_EXPORT(ReadParameter);
HWY_EXPORT(FilterRows);
HWY_EXPORT(SumWeights);

// Elements that a task of a filter writes, about.
constexpr int64_t kElementsPerFilterTask = 16384;

class DepthwiseConv2DKernel : public Kernel {
 public:
  DepthwiseConv2DKernel(const ImageWindow& shape, DType accumulator)
      : shape_(shape),
        accumulator_(accumulator),
        padded_channels_(PaddedChannels(shape.in_channels)),
        taps_(shape) {}

  // Weights and bias in f32, or the weight gradient's sums.
  int64_t WorkspaceBytes(int64_t max_batch) const override {
    const int64_t filter = (taps() + 1) * padded_channels_;
    const int64_t gradient =
        ChunkSumFloats(Outputs(max_batch), taps() * padded_channels_);
    return std::max(filter, gradient) * static_cast<int64_t>(sizeof(float));
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    DepthwiseFilter filter =
        FilterOf(taps_.output_rows, taps_.output_cols, buffers, pass);
    filter.source_height = shape_.in_height;
    filter.source_width = shape_.in_width;
    filter.source = buffers.inputs[0].data;
    filter.out = buffers.output.data;
    if (buffers.parameters.size() > 1) {
      const TensorRef& bias = buffers.parameters[1];
      float* wide =
          reinterpret_cast<float*>(pass.workspace) + taps() * padded_channels_;
      HWY_DYNAMIC_DISPATCH(ReadParameter)(bias, shape_.in_channels, wide);
      filter.bias = wide;
    }
    Run(filter, pass, *buffers.output.counter);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    const TensorRef& dy = buffers.output_gradient;
    if (dx.data != nullptr) {
      DepthwiseFilter filter =
          FilterOf(taps_.input_rows, taps_.input_cols, buffers, pass);
      filter.reversed = true;
      filter.source_height = shape_.out_height;
      filter.source_width = shape_.out_width;
      filter.source = dy.data;
      filter.out = dx.data;
      Run(filter, pass, *dx.counter);
    }
    WeightGradient(buffers, pass);
    if (buffers.parameters.size() > 1) {
      ReduceRows(dy, buffers.parameter_gradients[1], pass);
    }
  }

 private:
  int64_t taps() const { return shape_.window.height * shape_.window.width; }
  int64_t Outputs(int64_t batch) const {
    return batch * shape_.out_height * shape_.out_width;
  }

  // The part that both directions share; widens the weights.
  DepthwiseFilter FilterOf(const WindowTaps& rows, const WindowTaps& cols,
                           const OpBuffers& buffers,
                           const PassContext& pass) const {
    float* wide = reinterpret_cast<float*>(pass.workspace);
    HWY_DYNAMIC_DISPATCH(ReadParameter)
    (buffers.parameters[0], shape_.in_channels, wide);
    DepthwiseFilter filter{};
    filter.rows = &rows;
    filter.cols = &cols;
    filter.kernel_height = shape_.window.height;
    filter.kernel_width = shape_.window.width;
    filter.stride = shape_.window.stride;
    filter.accumulator = accumulator_;
    filter.channels = shape_.in_channels;
    filter.weight_stride = padded_channels_;
    filter.weights = wide;
    filter.type = buffers.inputs[0].type;
    return filter;
  }

  static void Run(const DepthwiseFilter& filter, const PassContext& pass,
                  StoreCounter& total) {
    const int64_t lines = pass.batch * filter.rows->positions();
    const int64_t per_line = filter.cols->positions() * filter.channels;
    const int64_t per_task =
        std::max<int64_t>(1, kElementsPerFilterTask / per_line);
    const int64_t tasks = CeilDiv(lines, per_task);
    pass.pool->RunCounted(
        tasks, total, [&](int64_t task, StoreCounter& counter) {
          const int64_t begin = task * per_task;
          HWY_DYNAMIC_DISPATCH(FilterRows)
          (filter, begin, std::min(begin + per_task, lines), counter);
        });
  }

  void WeightGradient(const OpBuffers& buffers, const PassContext& pass) const {
    const TensorRef& dw = buffers.parameter_gradients[0];
    DepthwiseWeightGradient gradient{};
    gradient.rows = &taps_.output_rows;
    gradient.cols = &taps_.output_cols;
    gradient.kernel_height = shape_.window.height;
    gradient.kernel_width = shape_.window.width;
    gradient.stride = shape_.window.stride;
    gradient.accumulator = accumulator_;
    gradient.in_height = shape_.in_height;
    gradient.in_width = shape_.in_width;
    gradient.channels = shape_.in_channels;
    gradient.outputs = Outputs(pass.batch);
    gradient.x = buffers.inputs[0].data;
    gradient.dy = buffers.output_gradient.data;
    gradient.type = buffers.inputs[0].type;
    gradient.sum_stride = padded_channels_;
    gradient.sums = reinterpret_cast<float*>(pass.workspace);

    HWY_DYNAMIC_DISPATCH(SumWeights)(gradient, dw, *pass.pool);
  }

  const ImageWindow shape_;
  const DType accumulator_;
  const int64_t padded_channels_;
  const ImageTaps taps_;
};

}  // namespace

std::unique_ptr<Kernel> MakeDepthwiseConv2D(const ImageWindow& shape,
                                            DType accumulator) {
  return std::make_unique<DepthwiseConv2DKernel>(shape, accumulator);
}

}  // namespace repro16
#endif  // HWY_ONCE
