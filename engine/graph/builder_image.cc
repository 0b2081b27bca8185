// The builder's operations on images [N, H, W, C].
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/graph/builder.h"
#include "engine/tensor/round_up.h"

namespace repro16 {
namespace {

constexpr char kImage[] = "an image [N, H, W, C]";

// Outputs along one axis and padding before it, as TensorFlow has it.
struct Extent {
  int64_t outputs;
  int64_t pad_before;
};

Extent PlaceAxis(int64_t size, int64_t window, int64_t stride,
                 Padding padding) {
  if (padding == Padding::kValid) {
    return {size < window ? 0 : (size - window) / stride + 1, 0};
  }
  const int64_t outputs = CeilDiv(size, stride);
  const int64_t pad =
      std::max<int64_t>(0, (outputs - 1) * stride + window - size);
  return {outputs, pad / 2};
}

}  // namespace

bool GraphBuilder::PlaceWindow(OpKind kind, TensorId x, const Window& window,
                               Padding padding, WindowAttributes& attributes,
                               Shape& output) {
  if (!HasRank(kind, x, 3, kImage)) return false;
  const Shape& in = ShapeOf(x);
  const std::string_view name = TraitsOf(kind).name;
  if (window.height < 1 || window.width < 1 || window.stride < 1) {
    Fail(absl::StrCat(name, " after ", Describe(x), ": window ", window.height,
                      " x ", window.width, ", stride ", window.stride,
                      "; all must be at least 1"));
    return false;
  }
  const Extent rows = PlaceAxis(in[0], window.height, window.stride, padding);
  const Extent cols = PlaceAxis(in[1], window.width, window.stride, padding);
  if (rows.outputs < 1 || cols.outputs < 1) {
    Fail(absl::StrCat(name, " with a window of ", window.height, " x ",
                      window.width, " does not fit: ", Describe(x)));
    return false;
  }
  attributes = {window.height, window.width, window.stride, rows.pad_before,
                cols.pad_before};
  output = Shape({rows.outputs, cols.outputs, in[2]});
  return true;
}

TensorId GraphBuilder::Conv2D(TensorId x, int64_t filters, Window window,
                              const ConvOptions& options) {
  WindowAttributes attributes{};
  Shape out;
  if (!PlaceWindow(OpKind::kConv2D, x, window, options.padding, attributes,
                   out)) {
    return kNoTensor;
  }
  if (filters < 1) {
    return Fail(absl::StrCat("conv2d after ", Describe(x), ": ", filters,
                             " filters; at least 1 is needed"));
  }
  const int64_t channels = out[2];
  const int64_t taps = window.height * window.width;
  const TensorId y =
      AddOp(OpKind::kConv2D, {x}, Shape({out[0], out[1], filters}), attributes);
  AddParameter(
      "kernel",
      {"", Shape({window.height, window.width, channels, filters}),
       options.initializer, taps * channels, taps * filters, options.l2});
  if (options.bias) {
    AddParameter("bias", {"", Shape({filters}), Initializer::kZeros});
  }
  return y;
}

TensorId GraphBuilder::DepthwiseConv2D(TensorId x, Window window,
                                       const ConvOptions& options) {
  WindowAttributes attributes{};
  Shape out;
  if (!PlaceWindow(OpKind::kDepthwiseConv2D, x, window, options.padding,
                   attributes, out)) {
    return kNoTensor;
  }
  const int64_t channels = out[2];
  const int64_t taps = window.height * window.width;
  const TensorId y = AddOp(OpKind::kDepthwiseConv2D, {x}, out, attributes);
  // The fans that Keras takes from a kernel [height, width, C, 1].
  AddParameter("kernel",
               {"", Shape({window.height, window.width, channels, 1}),
                options.initializer, taps * channels, taps, options.l2});
  if (options.bias) {
    AddParameter("bias", {"", Shape({channels}), Initializer::kZeros});
  }
  return y;
}

TensorId GraphBuilder::SeparableConv2D(TensorId x, int64_t filters,
                                       Window window,
                                       const ConvOptions& options) {
  ConvOptions depthwise = options;
  depthwise.bias = false;
  return Conv2D(DepthwiseConv2D(x, window, depthwise), filters,
                Window::Square(1), options);
}

TensorId GraphBuilder::Pool(OpKind kind, TensorId x, Window window,
                            Padding padding) {
  WindowAttributes attributes{};
  Shape out;
  if (!PlaceWindow(kind, x, window, padding, attributes, out)) return kNoTensor;
  return AddOp(kind, {x}, std::move(out), attributes);
}

TensorId GraphBuilder::MaxPool(TensorId x, Window window, Padding padding) {
  return Pool(OpKind::kMaxPool, x, window, padding);
}

TensorId GraphBuilder::AveragePool(TensorId x, Window window, Padding padding) {
  return Pool(OpKind::kAveragePool, x, window, padding);
}

TensorId GraphBuilder::GlobalAveragePool(TensorId x) {
  if (!HasRank(OpKind::kGlobalAveragePool, x, 3, kImage)) return kNoTensor;
  return AddOp(OpKind::kGlobalAveragePool, {x}, Shape({ShapeOf(x)[2]}));
}

TensorId GraphBuilder::ZeroPad(TensorId x, int64_t top, int64_t bottom,
                               int64_t left, int64_t right) {
  if (!HasRank(OpKind::kZeroPad, x, 3, kImage)) return kNoTensor;
  if (std::min({top, bottom, left, right}) < 0) {
    return Fail(absl::StrCat("zero_pad after ", Describe(x),
                             ": a padding is negative"));
  }
  const Shape& in = ShapeOf(x);
  return AddOp(OpKind::kZeroPad, {x},
               Shape({in[0] + top + bottom, in[1] + left + right, in[2]}),
               PadAttributes{top, left, 0});
}

TensorId GraphBuilder::PadChannels(TensorId x, int64_t before, int64_t after) {
  if (!HasRank(OpKind::kPadChannels, x, 3, kImage)) return kNoTensor;
  if (before < 0 || after < 0) {
    return Fail(absl::StrCat("pad_channels after ", Describe(x),
                             ": a padding is negative"));
  }
  const Shape& in = ShapeOf(x);
  return AddOp(OpKind::kPadChannels, {x},
               Shape({in[0], in[1], before + in[2] + after}),
               PadAttributes{0, 0, before});
}

TensorId GraphBuilder::Patches(TensorId x, int64_t size) {
  if (!HasRank(OpKind::kPatches, x, 3, kImage)) return kNoTensor;
  const Shape& in = ShapeOf(x);
  if (size < 1 || size > in[0] || size > in[1]) {
    return Fail(
        absl::StrCat("patches of ", size, " do not fit: ", Describe(x)));
  }
  return AddOp(OpKind::kPatches, {x},
               Shape({(in[0] / size) * (in[1] / size), size * size * in[2]}),
               PatchAttributes{size});
}

}  // namespace repro16
