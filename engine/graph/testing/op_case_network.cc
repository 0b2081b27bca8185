// Small networks in which operations meet as in the paper's: tensors that
// several operations read, activations that can and cannot be fused, memory
// that is taken over.
#include "engine/graph/testing/op_case.h"

namespace repro16 {
namespace {

using B = GraphBuilder;

constexpr ConvOptions kNoBias{Padding::kSame, /*bias=*/false};

// Convolutions with batch normalisation; one normalised tensor has two readers,
// so that its activation stands alone.
TensorId Residual(B& b, TensorId x) {
  x = b.Conv2D(x, 6, Window::Square(3), kNoBias);
  const TensorId shortcut = b.Relu(b.BatchNorm(x));
  x = b.Relu6(b.BatchNorm(b.Conv2D(shortcut, 6, Window::Square(3), kNoBias)));
  x = b.Add(x, shortcut);
  const TensorId normalised = b.BatchNorm(x, 1e-3, 0.9);
  x = b.Add(b.Relu(normalised), normalised);
  x = b.MaxPool(x, Window::Square(3, 2), Padding::kSame);
  x = b.Add(b.Conv2D(x, 8, Window::Square(3, 2)),
            b.PadChannels(b.AveragePool(x, Window::Square(2, 2)), 1, 1));
  return b.Dense(b.GlobalAveragePool(b.Relu(x)), 10);
}

TensorId DenseLayer(B& b, TensorId x) {
  TensorId y = b.Relu(b.BatchNorm(x, 1.001e-5));
  y = b.Conv2D(y, 8, Window::Square(1), kNoBias);
  y = b.Relu(b.BatchNorm(y, 1.001e-5));
  return b.Concat({x, b.Conv2D(y, 4, Window::Square(3), kNoBias)});
}

TensorId DenselyConnected(B& b, TensorId x) {
  const ConvOptions valid{Padding::kValid, /*bias=*/false};
  x = b.Conv2D(b.ZeroPad(x, 3, 3, 3, 3), 6, Window::Square(7, 2), valid);
  x = b.Relu(b.BatchNorm(x));
  x = b.MaxPool(b.ZeroPad(x, 1, 1, 1, 1), Window::Square(3), Padding::kValid);
  x = DenseLayer(b, DenseLayer(b, DenseLayer(b, x)));
  x = b.Conv2D(b.Relu(b.BatchNorm(x)), 9, Window::Square(1), kNoBias);
  x = b.AveragePool(x, Window::Square(2, 2));
  x = DenseLayer(b, x);
  return b.Dense(b.GlobalAveragePool(b.Relu(b.BatchNorm(x))), 10);
}

TensorId InvertedResidual(B& b, TensorId x) {
  TensorId y = b.Conv2D(x, 12, Window::Square(1), kNoBias);
  y = b.DepthwiseConv2D(b.Relu6(b.BatchNorm(y)), Window::Square(3), kNoBias);
  y = b.Conv2D(b.Relu6(b.BatchNorm(y)), 5, Window::Square(1), kNoBias);
  return b.Add(x, b.BatchNorm(y));
}

TensorId Mobile(B& b, TensorId x) {
  const ConvOptions valid{Padding::kValid, /*bias=*/false};
  x = b.Conv2D(x, 5, Window::Square(3), kNoBias);
  x = InvertedResidual(b, b.Relu6(b.BatchNorm(x, 1e-3, 0.999)));
  x = b.DepthwiseConv2D(b.ZeroPad(x, 0, 1, 0, 1), Window::Square(3, 2), valid);
  x = InvertedResidual(b, b.BatchNorm(x));
  x = b.SeparableConv2D(x, 7, Window::Square(3));
  x = b.Dense(b.Flatten(b.Tanh(x)), 9);
  return b.Dense(b.Relu(b.BatchNorm(x)), 10);
}

TensorId EncoderBlock(B& b, TensorId x) {
  const TensorId attention = b.Dropout(b.MultiHeadAttention(x, 2, 4), 0.1);
  x = b.LayerNorm(b.Add(x, attention), 1e-6);
  const TensorId hidden = b.Gelu(b.Dense(x, 12));
  const TensorId y = b.Dropout(b.Dense(hidden, 8), 0.1);
  return b.LayerNorm(b.Add(x, y), 1e-6);
}

TensorId Transformer(B& b, TensorId x) {
  x = b.PositionEmbedding(b.Dense(b.Patches(x, 3), 8));
  x = EncoderBlock(b, EncoderBlock(b, x));
  x = b.Dropout(b.Flatten(x), 0.5);
  return b.Dense(b.Gelu(b.Dense(x, 11)), 10);
}

}  // namespace

const std::vector<NetworkCase>& NetworkCases() {
  static const auto& cases = *new std::vector<NetworkCase>{
      {"residual", Shape({7, 8, 3}), Residual},
      {"densely_connected", Shape({9, 8, 2}), DenselyConnected},
      {"mobile", Shape({7, 6, 3}), Mobile},
      {"transformer", Shape({7, 6, 2}), Transformer},
  };
  return cases;
}

}  // namespace repro16
