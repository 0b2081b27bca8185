#include "engine/cuda/product/product_cases.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/cuda/simt/work_queue.h"
#include "engine/numerics/reduction.h"

namespace repro16 {
namespace emulated {

#define REPRO16_KERNEL(name, Arguments) \
  void name(const Arguments& arguments, Stream& stream);
REPRO16_PRODUCT_KERNELS(REPRO16_KERNEL)
#undef REPRO16_KERNEL

}  // namespace emulated

const ProductFunctions kProductFunctions = {
    emulated::MatrixProduct, emulated::ConvForward, emulated::ConvInputGradient,
    emulated::ConvWeightGradient};

namespace {

std::string Describe(const ProductTypes& types, Flavour flavour) {
  return std::string(" of ") + Name(types.type) + " in " +
         Name(types.accumulator) + ", numbers " +
         std::to_string(static_cast<int>(flavour));
}

std::shared_ptr<TestTensor> Filled(DType type, int64_t size, int offset,
                                   Flavour flavour, uint32_t seed) {
  auto tensor = std::make_shared<TestTensor>(type, size, offset);
  OperandNumbers(seed).Fill(*tensor, flavour);
  return tensor;
}

ProductCase NewCase(const std::string& name, const ProductTypes& types,
                    Flavour flavour, int64_t size, int64_t columns, bool bias,
                    int offset) {
  ProductCase result = {name + Describe(types, flavour),
                        TestTensor(types.type, size, offset),
                        nullptr,
                        types,
                        bias,
                        TestTensor(types.type, columns, offset)};
  OperandNumbers(3).Fill(result.bias_values, flavour);
  return result;
}

void StoreExpected(ProductCase& c, int64_t at, int64_t column,
                   const DotSum& sum) {
  c.expected.Store(
      at, c.bias ? sum.TotalWithBias(c.bias_values.Get(column)) : sum.Total());
}

}  // namespace

TestTensor ProductCase::Run(ProductTile tile, int64_t workspace_bytes,
                            const ProductFunctions& functions) const {
  TestTensor y = expected;
  y.counter() = {};
  std::fill_n(static_cast<uint8_t*>(y.data()), y.size() * SizeOf(y.type()),
              uint8_t{0xff});
  // NaNs, as many as will be used.
  const int64_t floats =
      std::min(workspace_bytes / static_cast<int64_t>(sizeof(float)),
               8 * std::max<int64_t>(y.size(), 1));
  TestTensor workspace(DType::kF32, floats);
  ProductResult result = {types.type,
                          types.accumulator,
                          bias ? bias_values.data() : nullptr,
                          y.data(),
                          &y.counter(),
                          static_cast<float*>(workspace.data()),
                          floats * static_cast<int64_t>(sizeof(float))};
  result.tile = tile;
  emulator::WorkQueue queue;
  enqueue(functions, result, queue);
  queue.Finish();
  return y;
}

ProductCase MatrixCase(const MatrixCaseOptions& o, const ProductTypes& types,
                       Flavour flavour) {
  // Of inner products side by side, as in attention.
  const auto layout = [&](int64_t rows, int64_t cols) {
    const int64_t row = cols * o.inner + o.padding;
    return MatrixLayout{row, rows * row, cols};
  };
  const bool transposed_a = o.form == MatrixForm::kTransposedA;
  const bool transposed_b = o.form == MatrixForm::kTransposedB;
  const MatrixLayout a_layout =
      transposed_a ? layout(o.k, o.m) : layout(o.m, o.k);
  const MatrixLayout b_layout =
      transposed_b ? layout(o.n, o.k) : layout(o.k, o.n);
  const MatrixLayout y_layout = layout(o.m, o.n);
  const auto a =
      Filled(types.type, o.outer * a_layout.outer_stride, o.offset, flavour, 1);
  const auto b =
      Filled(types.type, o.outer * b_layout.outer_stride, o.offset, flavour, 2);
  ProductCase result = NewCase(
      "matrix form " + std::to_string(static_cast<int>(o.form)) + ", " +
          std::to_string(o.outer) + "x" + std::to_string(o.inner) + " of " +
          std::to_string(o.m) + "x" + std::to_string(o.n) + "x" +
          std::to_string(o.k),
      types, flavour, o.outer * y_layout.outer_stride, o.n, o.bias, o.offset);
  const auto at = [](const MatrixLayout& matrix, int64_t outer, int64_t inner,
                     int64_t row, int64_t col) {
    return outer * matrix.outer_stride + inner * matrix.inner_stride +
           row * matrix.row_stride + col;
  };
  for (int64_t outer = 0; outer < o.outer; ++outer) {
    for (int64_t inner = 0; inner < o.inner; ++inner) {
      for (int64_t i = 0; i < o.m; ++i) {
        for (int64_t j = 0; j < o.n; ++j) {
          DotSum sum(types.accumulator);
          for (int64_t p = 0; p < o.k; ++p) {
            sum.AddTerm(
                a->Get(transposed_a ? at(a_layout, outer, inner, p, i)
                                    : at(a_layout, outer, inner, i, p)),
                b->Get(transposed_b ? at(b_layout, outer, inner, j, p)
                                    : at(b_layout, outer, inner, p, j)));
          }
          StoreExpected(result, at(y_layout, outer, inner, i, j), j, sum);
        }
      }
    }
  }
  result.enqueue = [=](const ProductFunctions& functions,
                       const ProductResult& to, Stream& stream) {
    functions.matrix({o.form, o.outer, o.inner, o.m, o.n, o.k, a->data(),
                      a_layout, b->data(), b_layout, y_layout, to},
                     stream);
  };
  return result;
}

namespace {

struct ConvTensors {
  const ConvShape& shape;
  const TestTensor& a;
  const TestTensor& b;

  // Where the window's tap meets the input; -1: on padding.
  int64_t Input(int64_t n, int64_t oy, int64_t ox, int64_t kr,
                int64_t kc) const {
    const int64_t row = oy * shape.stride - shape.pad_top + kr;
    const int64_t col = ox * shape.stride - shape.pad_left + kc;
    if (row < 0 || row >= shape.in_height) return -1;
    if (col < 0 || col >= shape.in_width) return -1;
    return (n * shape.in_height + row) * shape.in_width + col;
  }
  int64_t Output(int64_t n, int64_t iy, int64_t ix, int64_t kr,
                 int64_t kc) const {
    const int64_t row = iy + shape.pad_top - kr;
    const int64_t col = ix + shape.pad_left - kc;
    if (row < 0 || row % shape.stride != 0) return -1;
    if (col < 0 || col % shape.stride != 0) return -1;
    const int64_t oy = row / shape.stride, ox = col / shape.stride;
    if (oy >= shape.out_height || ox >= shape.out_width) return -1;
    return (n * shape.out_height + oy) * shape.out_width + ox;
  }

  DotSum ForwardSum(DType accumulator, int64_t n, int64_t oy, int64_t ox,
                    int64_t o) const {
    DotSum sum(accumulator);
    for (int64_t kr = 0; kr < shape.height; ++kr) {
      for (int64_t kc = 0; kc < shape.width; ++kc) {
        const int64_t input = Input(n, oy, ox, kr, kc);
        for (int64_t i = 0; i < shape.in_channels; ++i) {
          if (input < 0) {
            sum.SkipTerm();
            continue;
          }
          sum.AddTerm(a.Get(input * shape.in_channels + i),
                      b.Get(((kr * shape.width + kc) * shape.in_channels + i) *
                                shape.out_channels +
                            o));
        }
      }
    }
    return sum;
  }

  DotSum InputGradientSum(DType accumulator, int64_t n, int64_t iy, int64_t ix,
                          int64_t i) const {
    DotSum sum(accumulator);
    for (int64_t kr = 0; kr < shape.height; ++kr) {
      for (int64_t kc = 0; kc < shape.width; ++kc) {
        const int64_t output = Output(n, iy, ix, kr, kc);
        for (int64_t o = 0; o < shape.out_channels; ++o) {
          if (output < 0) {
            sum.SkipTerm();
            continue;
          }
          sum.AddTerm(a.Get(output * shape.out_channels + o),
                      b.Get(((kr * shape.width + kc) * shape.in_channels + i) *
                                shape.out_channels +
                            o));
        }
      }
    }
    return sum;
  }

  DotSum WeightGradientSum(DType accumulator, int64_t kr, int64_t kc, int64_t i,
                           int64_t o) const {
    DotSum sum(accumulator);
    int64_t output = 0;
    for (int64_t n = 0; n < shape.batch; ++n) {
      for (int64_t oy = 0; oy < shape.out_height; ++oy) {
        for (int64_t ox = 0; ox < shape.out_width; ++ox, ++output) {
          const int64_t input = Input(n, oy, ox, kr, kc);
          if (input < 0) {
            sum.SkipTerm();
          } else {
            sum.AddTerm(a.Get(input * shape.in_channels + i),
                        b.Get(output * shape.out_channels + o));
          }
        }
      }
    }
    return sum;
  }
};

// The result of a pass, [d0, d1, d2, d3].
struct Dims {
  int64_t d[4];
  int64_t size() const { return d[0] * d[1] * d[2] * d[3]; }
};

ProductCase ConvCaseOf(ConvPass pass, const ConvShape& s,
                       const ProductTypes& types, Flavour flavour,
                       bool with_nans) {
  const Dims x = {{s.batch, s.in_height, s.in_width, s.in_channels}};
  const Dims w = {{s.height, s.width, s.in_channels, s.out_channels}};
  const Dims y = {{s.batch, s.out_height, s.out_width, s.out_channels}};
  const bool forward = pass == ConvPass::kForward;
  const bool to_input = pass == ConvPass::kInputGradient;
  const Dims& out = forward ? y : to_input ? x : w;
  const auto a = Filled(types.type, (to_input ? y : x).size(), 0, flavour, 1);
  const auto b =
      Filled(types.type, (forward || to_input ? w : y).size(), 0, flavour, 2);
  if (with_nans) {
    constexpr uint32_t kNans[] = {0x7fc0ab5e, 0xffc0ab5e, 0x7f800001,
                                  0x7fffffff};
    for (int64_t i = 0; i < 4; ++i) {
      a->SetBits(i * (a->size() / 4), kNans[i]);
    }
  }
  const int64_t* d = out.d;
  ProductCase result = NewCase(
      "convolution pass " + std::to_string(static_cast<int>(pass)) + ", " +
          std::to_string(s.in_height) + "x" + std::to_string(s.in_width) + "x" +
          std::to_string(s.in_channels) + " to " +
          std::to_string(s.out_channels) + ", window " +
          std::to_string(s.height) + "x" + std::to_string(s.width) +
          " stride " + std::to_string(s.stride),
      types, flavour, out.size(), d[3], forward, 0);
  const ConvTensors tensors = {s, *a, *b};
  const DType sums = types.accumulator;
  for (int64_t i = 0; i < out.size(); ++i) {
    const int64_t i3 = i % d[3], i2 = i / d[3] % d[2];
    const int64_t i1 = i / (d[3] * d[2]) % d[1], i0 = i / (d[3] * d[2] * d[1]);
    StoreExpected(result, i, i3,
                  forward    ? tensors.ForwardSum(sums, i0, i1, i2, i3)
                  : to_input ? tensors.InputGradientSum(sums, i0, i1, i2, i3)
                             : tensors.WeightGradientSum(sums, i0, i1, i2, i3));
  }
  result.enqueue = [=](const ProductFunctions& functions,
                       const ProductResult& to, Stream& stream) {
    const ConvArgs args = {s, a->data(), b->data(), to};
    const auto function = forward    ? functions.forward
                          : to_input ? functions.input_gradient
                                     : functions.weight_gradient;
    function(args, stream);
  };
  return result;
}

}  // namespace

ProductCase ConvCase(ConvPass pass, const ConvShape& shape,
                     const ProductTypes& types, Flavour flavour) {
  return ConvCaseOf(pass, shape, types, flavour, /*with_nans=*/false);
}

ProductCase NanCase(ConvPass pass, const ConvShape& shape) {
  return ConvCaseOf(pass, shape, {DType::kF32, DType::kF32}, Flavour::kOrdinary,
                    /*with_nans=*/true);
}

ConvShape SameConv(int64_t batch, int64_t height, int64_t width,
                   int64_t in_channels, int64_t out_channels,
                   int64_t window_height, int64_t window_width,
                   int64_t stride) {
  const auto place = [&](int64_t size, int64_t window, int64_t* pad) {
    const int64_t outputs = (size + stride - 1) / stride;
    *pad = std::max<int64_t>(0, (outputs - 1) * stride + window - size) / 2;
    return outputs;
  };
  ConvShape shape = {
      batch,        height,        width,        in_channels, 0, 0,
      out_channels, window_height, window_width, stride,      0, 0};
  shape.out_height = place(height, window_height, &shape.pad_top);
  shape.out_width = place(width, window_width, &shape.pad_left);
  return shape;
}

std::vector<ProductCase> SmallProductCases(const ProductTypes& types) {
  std::vector<ProductCase> cases;
  for (const Flavour flavour : kFlavours) {
    for (const MatrixForm form : {MatrixForm::kPlain, MatrixForm::kTransposedB,
                                  MatrixForm::kTransposedA}) {
      MatrixCaseOptions options;
      options.form = form;
      options.m = 12;
      options.n = 20;
      options.k = 524;
      options.bias = true;
      cases.push_back(MatrixCase(options, types, flavour));
    }
    for (const ConvPass pass : kConvPasses) {
      cases.push_back(
          ConvCase(pass, SameConv(3, 11, 10, 32, 8, 3, 3, 1), types, flavour));
      cases.push_back(
          ConvCase(pass, SameConv(3, 11, 10, 8, 32, 3, 3, 2), types, flavour));
    }
  }
  return cases;
}

}  // namespace repro16
