// Products to run in the emulator, with what the scalar order of
// engine/numerics/reduction.h gives for them: for product_test.cc, and for
// sabotage_test.cc, which expects kernels that break the contract to differ.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_CASES_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_CASES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/cuda/product/product_kernels.h"
#include "engine/cuda/simt/stream.h"
#include "engine/cuda/testing/test_tensor.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// Types of a product: of what is stored, and of the accumulator.
struct ProductTypes {
  DType type;
  DType accumulator;
};
inline constexpr ProductTypes kProductTypes[] = {{DType::kF32, DType::kF32},
                                                 {DType::kF16, DType::kF32},
                                                 {DType::kBF16, DType::kF32},
                                                 {DType::kF16, DType::kF16}};

// Kernels, or others in their place.
struct ProductFunctions {
  void (*matrix)(const MatrixProductArgs& args, Stream& stream);
  void (*forward)(const ConvArgs& args, Stream& stream);
  void (*input_gradient)(const ConvArgs& args, Stream& stream);
  void (*weight_gradient)(const ConvArgs& args, Stream& stream);
};
extern const ProductFunctions kProductFunctions;

struct ProductCase {
  std::string name;
  TestTensor expected;
  // Fills in the rest of the arguments.
  std::function<void(const ProductFunctions& functions,
                     const ProductResult& result, Stream& stream)>
      enqueue;
  ProductTypes types;
  bool bias;
  TestTensor bias_values;

  // `tile` where the kernel has it.
  TestTensor Run(ProductTile tile = ProductTile::kBest,
                 int64_t workspace_bytes = kMaxChunkSumBytes,
                 const ProductFunctions& functions = kProductFunctions) const;
};

struct MatrixCaseOptions {
  MatrixForm form = MatrixForm::kPlain;
  int64_t outer = 1;
  int64_t inner = 1;
  int64_t m = 1;
  int64_t n = 1;
  int64_t k = 1;
  bool bias = false;
  int64_t padding = 0;  // elements between rows
  int offset = 0;       // of addresses (TestTensor)
};
ProductCase MatrixCase(const MatrixCaseOptions& options,
                       const ProductTypes& types, Flavour flavour);

enum class ConvPass { kForward, kInputGradient, kWeightGradient };
inline constexpr ConvPass kConvPasses[] = {
    ConvPass::kForward, ConvPass::kInputGradient, ConvPass::kWeightGradient};
// A bias in the forward pass.
ProductCase ConvCase(ConvPass pass, const ConvShape& shape,
                     const ProductTypes& types, Flavour flavour);

// Operand a of f32 with NaNs of all kinds, among them the bits that mark an
// absent term (thread_sums.h).
ProductCase NanCase(ConvPass pass, const ConvShape& shape);

// Outputs and padding as TensorFlow has them for padding "same".
ConvShape SameConv(int64_t batch, int64_t height, int64_t width,
                   int64_t in_channels, int64_t out_channels,
                   int64_t window_height, int64_t window_width, int64_t stride);

// Small cases in which each rule of the contract matters.
std::vector<ProductCase> SmallProductCases(const ProductTypes& types);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_CASES_H_
