#include "engine/graph/testing/op_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/numerics/random_stream.h"
#include "engine/numerics/round_to_type.h"

namespace repro16 {
namespace {

// One operation with everything it reads.
struct Call {
  const Graph& graph;
  const Op& op;
  const std::vector<Values>& inputs;
  const std::vector<Values>& parameters;
  const ReferencePass& pass;

  const Shape& in(size_t i = 0) const {
    return graph.tensors[op.inputs[i]].shape;
  }
  const Shape& out() const { return graph.tensors[op.output].shape; }
  const Values& x() const { return inputs[0]; }
  Values Zeros() const {
    return Values(static_cast<size_t>(pass.batch * out().NumElements()), 0.0);
  }
};

// Index of element (n, h, w, c) of images of that shape.
size_t At(const Shape& shape, int64_t n, int64_t h, int64_t w, int64_t c) {
  return static_cast<size_t>(((n * shape[0] + h) * shape[1] + w) * shape[2] +
                             c);
}

template <class F>
void ForEachPixel(int64_t batch, const Shape& shape, const F& f) {
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t h = 0; h < shape[0]; ++h) {
      for (int64_t w = 0; w < shape[1]; ++w) f(n, h, w);
    }
  }
}

// f(r, q, h, w) for every tap (r, q) of the window of output (oh, ow) that is
// an input (h, w).
template <class F>
void ForEachTap(const Call& call, int64_t oh, int64_t ow, const F& f) {
  const auto& window = std::get<WindowAttributes>(call.op.attributes);
  for (int64_t r = 0; r < window.height; ++r) {
    for (int64_t q = 0; q < window.width; ++q) {
      const int64_t h = oh * window.stride + r - window.pad_top;
      const int64_t w = ow * window.stride + q - window.pad_left;
      if (h < 0 || h >= call.in()[0] || w < 0 || w >= call.in()[1]) continue;
      f(r, q, h, w);
    }
  }
}

Values Dense(const Call& call) {
  const int64_t units = call.out().dims().back();
  const int64_t features = call.in().dims().back();
  const int64_t rows = call.pass.batch * call.in().NumElements() / features;
  Values y = call.Zeros();
  for (int64_t n = 0; n < rows; ++n) {
    for (int64_t o = 0; o < units; ++o) {
      double sum = call.parameters[1][o];
      for (int64_t i = 0; i < features; ++i) {
        sum += call.x()[n * features + i] * call.parameters[0][i * units + o];
      }
      y[n * units + o] = sum;
    }
  }
  return y;
}

Values Conv2D(const Call& call) {
  const Shape& in = call.in();
  const Shape& out = call.out();
  const Values& kernel = call.parameters[0];
  const int64_t width = std::get<WindowAttributes>(call.op.attributes).width;
  Values y = call.Zeros();
  ForEachPixel(call.pass.batch, out, [&](int64_t n, int64_t oh, int64_t ow) {
    for (int64_t o = 0; o < out[2]; ++o) {
      double sum = call.parameters.size() > 1 ? call.parameters[1][o] : 0;
      ForEachTap(call, oh, ow, [&](int64_t r, int64_t q, int64_t h, int64_t w) {
        for (int64_t i = 0; i < in[2]; ++i) {
          sum += call.x()[At(in, n, h, w, i)] *
                 kernel[((r * width + q) * in[2] + i) * out[2] + o];
        }
      });
      y[At(out, n, oh, ow, o)] = sum;
    }
  });
  return y;
}

Values DepthwiseConv2D(const Call& call) {
  const Shape& in = call.in();
  const Shape& out = call.out();
  const int64_t width = std::get<WindowAttributes>(call.op.attributes).width;
  Values y = call.Zeros();
  ForEachPixel(call.pass.batch, out, [&](int64_t n, int64_t oh, int64_t ow) {
    for (int64_t c = 0; c < out[2]; ++c) {
      double sum = call.parameters.size() > 1 ? call.parameters[1][c] : 0;
      ForEachTap(call, oh, ow, [&](int64_t r, int64_t q, int64_t h, int64_t w) {
        sum += call.x()[At(in, n, h, w, c)] *
               call.parameters[0][(r * width + q) * in[2] + c];
      });
      y[At(out, n, oh, ow, c)] = sum;
    }
  });
  return y;
}

Values BatchNorm(const Call& call) {
  const double epsilon =
      std::get<BatchNormAttributes>(call.op.attributes).epsilon;
  const int64_t channels = call.in().dims().back();
  ChannelMoments moments{call.parameters[2], call.parameters[3]};
  if (call.pass.training) {
    moments = MomentsOf(call.x(), channels, /*unbiased=*/false);
  }
  Values y = call.x();
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t c = i % static_cast<size_t>(channels);
    y[i] = call.parameters[0][c] * (y[i] - moments.mean[c]) /
               std::sqrt(moments.variance[c] + epsilon) +
           call.parameters[1][c];
  }
  return y;
}

Values LayerNorm(const Call& call) {
  const double epsilon =
      std::get<LayerNormAttributes>(call.op.attributes).epsilon;
  const auto cols = static_cast<size_t>(call.in().dims().back());
  Values y = call.x();
  for (size_t row = 0; row < y.size(); row += cols) {
    double mean = 0;
    double variance = 0;
    for (size_t c = 0; c < cols; ++c) mean += y[row + c] / cols;
    for (size_t c = 0; c < cols; ++c) {
      variance += (y[row + c] - mean) * (y[row + c] - mean) / cols;
    }
    for (size_t c = 0; c < cols; ++c) {
      y[row + c] = call.parameters[0][c] * (y[row + c] - mean) /
                       std::sqrt(variance + epsilon) +
                   call.parameters[1][c];
    }
  }
  return y;
}

template <class F>
Values Map(const Call& call, const F& f) {
  Values y = call.x();
  for (double& value : y) value = f(value);
  return y;
}

Values Dropout(const Call& call) {
  if (!call.pass.training) return call.x();
  const auto& dropout = std::get<DropoutAttributes>(call.op.attributes);
  const double factor = RoundToType(1 / (1 - dropout.rate), call.pass.storage);
  const RandomStream stream(call.pass.seed, RandomPurpose::kDropout,
                            static_cast<uint32_t>(call.pass.step),
                            dropout.stream);
  Values y = call.x();
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] = stream.Uniform(i) >= dropout.rate ? y[i] * factor : 0;
  }
  return y;
}

Values Concat(const Call& call) {
  const int64_t width = call.out().dims().back();
  const int64_t rows = call.pass.batch * call.out().NumElements() / width;
  Values y;
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t part = 0; part < call.inputs.size(); ++part) {
      const int64_t cols = call.in(part).dims().back();
      for (int64_t c = 0; c < cols; ++c) {
        y.push_back(call.inputs[part][row * cols + c]);
      }
    }
  }
  return y;
}

Values Pool(const Call& call) {
  const bool largest = call.op.kind == OpKind::kMaxPool;
  Values y = call.Zeros();
  ForEachPixel(
      call.pass.batch, call.out(), [&](int64_t n, int64_t oh, int64_t ow) {
        for (int64_t c = 0; c < call.out()[2]; ++c) {
          double maximum = -std::numeric_limits<double>::infinity();
          double sum = 0;
          int count = 0;
          ForEachTap(call, oh, ow, [&](int64_t, int64_t, int64_t h, int64_t w) {
            const double x = call.x()[At(call.in(), n, h, w, c)];
            maximum = std::max(maximum, x);
            sum += x;
            ++count;
          });
          y[At(call.out(), n, oh, ow, c)] = largest ? maximum : sum / count;
        }
      });
  return y;
}

Values GlobalAveragePool(const Call& call) {
  const Shape& in = call.in();
  Values y = call.Zeros();
  ForEachPixel(call.pass.batch, in, [&](int64_t n, int64_t h, int64_t w) {
    for (int64_t c = 0; c < in[2]; ++c) {
      y[n * in[2] + c] +=
          call.x()[At(in, n, h, w, c)] / static_cast<double>(in[0] * in[1]);
    }
  });
  return y;
}

Values Pad(const Call& call) {
  const auto& pad = std::get<PadAttributes>(call.op.attributes);
  const Shape& in = call.in();
  Values y = call.Zeros();
  ForEachPixel(call.pass.batch, in, [&](int64_t n, int64_t h, int64_t w) {
    for (int64_t c = 0; c < in[2]; ++c) {
      y[At(call.out(), n, h + pad.top, w + pad.left, c + pad.before)] =
          call.x()[At(in, n, h, w, c)];
    }
  });
  return y;
}

Values Patches(const Call& call) {
  const int64_t size = std::get<PatchAttributes>(call.op.attributes).size;
  const Shape& in = call.in();
  Values y;
  for (int64_t n = 0; n < call.pass.batch; ++n) {
    for (int64_t top = 0; top + size <= in[0]; top += size) {
      for (int64_t left = 0; left + size <= in[1]; left += size) {
        for (int64_t r = 0; r < size; ++r) {
          for (int64_t q = 0; q < size; ++q) {
            for (int64_t c = 0; c < in[2]; ++c) {
              y.push_back(call.x()[At(in, n, top + r, left + q, c)]);
            }
          }
        }
      }
    }
  }
  return y;
}

Values PositionEmbedding(const Call& call) {
  Values y = call.x();
  const Values& e = call.parameters[0];
  for (size_t i = 0; i < y.size(); ++i) y[i] += e[i % e.size()];
  return y;
}

Values AttentionScores(const Call& call) {
  const int64_t heads = call.out()[0];
  const int64_t tokens = call.out()[1];
  const int64_t width = call.in()[1];  // heads * key_size
  const int64_t key_size = width / heads;
  Values y;
  for (int64_t n = 0; n < call.pass.batch; ++n) {
    for (int64_t a = 0; a < heads; ++a) {
      for (int64_t i = 0; i < tokens; ++i) {
        for (int64_t j = 0; j < tokens; ++j) {
          double sum = 0;
          for (int64_t d = a * key_size; d < (a + 1) * key_size; ++d) {
            sum += call.inputs[0][(n * tokens + i) * width + d] *
                   call.inputs[1][(n * tokens + j) * width + d];
          }
          y.push_back(sum);
        }
      }
    }
  }
  return y;
}

Values AttentionContext(const Call& call) {
  const int64_t heads = call.in()[0];
  const int64_t tokens = call.in()[1];
  const int64_t width = call.out()[1];
  Values y = call.Zeros();
  for (int64_t n = 0; n < call.pass.batch; ++n) {
    for (int64_t i = 0; i < tokens; ++i) {
      for (int64_t d = 0; d < width; ++d) {
        const int64_t a = d / (width / heads);
        for (int64_t j = 0; j < tokens; ++j) {
          y[(n * tokens + i) * width + d] +=
              call.inputs[0][((n * heads + a) * tokens + i) * tokens + j] *
              call.inputs[1][(n * tokens + j) * width + d];
        }
      }
    }
  }
  return y;
}

double LogSumExp(const double* x, int64_t n) {
  const double largest = *std::max_element(x, x + n);
  double sum = 0;
  for (int64_t c = 0; c < n; ++c) sum += std::exp(x[c] - largest);
  return largest + std::log(sum);
}

Values Softmax(const Call& call) {
  const int64_t cols = call.in().dims().back();
  Values y = call.x();
  for (size_t row = 0; row < y.size(); row += static_cast<size_t>(cols)) {
    const double normaliser = LogSumExp(&call.x()[row], cols);
    for (int64_t c = 0; c < cols; ++c) {
      y[row + c] = std::exp(y[row + c] - normaliser);
    }
  }
  return y;
}

Values SoftmaxCrossEntropy(const Call& call) {
  const int64_t classes = call.in()[0];
  Values y;
  for (int64_t n = 0; n < call.pass.batch; ++n) {
    const double* row = &call.x()[n * classes];
    y.push_back(LogSumExp(row, classes) - row[call.pass.labels[n]]);
  }
  return y;
}

Values Evaluate(const Call& call) {
  switch (call.op.kind) {
    case OpKind::kDense:
      return Dense(call);
    case OpKind::kConv2D:
      return Conv2D(call);
    case OpKind::kDepthwiseConv2D:
      return DepthwiseConv2D(call);
    case OpKind::kBatchNorm:
      return BatchNorm(call);
    case OpKind::kLayerNorm:
      return LayerNorm(call);
    case OpKind::kRelu:
      return Map(call, [](double x) { return std::max(x, 0.0); });
    case OpKind::kRelu6:
      return Map(call, [](double x) { return std::clamp(x, 0.0, 6.0); });
    case OpKind::kTanh:
      return Map(call, [](double x) { return std::tanh(x); });
    case OpKind::kGelu:
      return Map(call, [](double x) {
        return x / 2 * std::erfc(-x / std::sqrt(2.0));
      });
    case OpKind::kDropout:
      return Dropout(call);
    case OpKind::kFlatten:
      return call.x();
    case OpKind::kAdd: {
      Values y = call.x();
      for (size_t i = 0; i < y.size(); ++i) y[i] += call.inputs[1][i];
      return y;
    }
    case OpKind::kConcat:
      return Concat(call);
    case OpKind::kMaxPool:
    case OpKind::kAveragePool:
      return Pool(call);
    case OpKind::kGlobalAveragePool:
      return GlobalAveragePool(call);
    case OpKind::kZeroPad:
    case OpKind::kPadChannels:
      return Pad(call);
    case OpKind::kPatches:
      return Patches(call);
    case OpKind::kPositionEmbedding:
      return PositionEmbedding(call);
    case OpKind::kScale: {
      const double factor =
          RoundToType(std::get<ScaleAttributes>(call.op.attributes).factor,
                      call.pass.storage);
      return Map(call, [factor](double x) { return x * factor; });
    }
    case OpKind::kAttentionScores:
      return AttentionScores(call);
    case OpKind::kAttentionContext:
      return AttentionContext(call);
    case OpKind::kSoftmax:
      return Softmax(call);
    case OpKind::kSoftmaxCrossEntropy:
      return SoftmaxCrossEntropy(call);
  }
  return {};
}

}  // namespace

Values EvaluateOp(const Graph& graph, const Op& op,
                  const std::vector<Values>& inputs,
                  const std::vector<Values>& parameters,
                  const ReferencePass& pass) {
  return Evaluate({graph, op, inputs, parameters, pass});
}

std::vector<Values> EvaluateGraph(const Graph& graph, const Values& input,
                                  const std::vector<Values>& parameters,
                                  const ReferencePass& pass) {
  std::vector<Values> tensors(graph.tensors.size());
  tensors[graph.input] = input;
  for (const Op& op : graph.ops) {
    std::vector<Values> op_inputs;
    std::vector<Values> op_parameters;
    for (TensorId id : op.inputs) op_inputs.push_back(tensors[id]);
    for (ParameterId id : op.parameters) {
      op_parameters.push_back(parameters[id]);
    }
    tensors[op.output] = EvaluateOp(graph, op, op_inputs, op_parameters, pass);
  }
  return tensors;
}

ChannelMoments MomentsOf(const Values& x, int64_t channels, bool unbiased) {
  const auto width = static_cast<size_t>(channels);
  const double n = static_cast<double>(x.size() / width);
  ChannelMoments moments{Values(width, 0.0), Values(width, 0.0)};
  for (size_t i = 0; i < x.size(); ++i) moments.mean[i % width] += x[i] / n;
  for (size_t i = 0; i < x.size(); ++i) {
    const double d = x[i] - moments.mean[i % width];
    moments.variance[i % width] += d * d / (unbiased ? n - 1 : n);
  }
  return moments;
}

}  // namespace repro16
