// Kinds of products: of which type operands and result are, and how terms are
// added.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KIND_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KIND_H_

#include "engine/cuda/product/thread_sums.h"
#include "engine/cuda/simt/simt.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/rounding.h"
#include "engine/numerics/visit_dtype.h"
#include "engine/tensor/dtype.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// What a product is of: Type is what operands and result are stored in. A test
// has others, which break the contract, to see that it would notice.
struct DotProduct {
  static constexpr int kChunk = kReductionChunk;
  // Whether a chain passes a position without a term by. Else it would take
  // 0 * b, which is NaN for an infinite b, and makes a -0 a +0.
  static constexpr bool kSkipsAbsentTerms = true;
};

template <class T>
struct InF32 : DotProduct {
  using Type = T;
  template <int kRows, int kCols>
  using Sums = F32Sums<kRows, kCols>;

  // r() of the accumulator type.
  SIMT_FUNCTION static float Round(float x) { return x; }
};

struct InF16 : DotProduct {
  using Type = Binary16;
  template <int kRows, int kCols>
  using Sums = F16Sums<kRows, kCols>;

  SIMT_FUNCTION static float Round(float x) { return RoundTo<Binary16>(x); }
};

// Calls f with the kind of product.
template <class F>
void VisitProduct(DType type, DType accumulator, const F& f) {
  if (accumulator == DType::kF16) {
    f(InF16());
  } else {
    VisitDType(type, [&](auto tag) { f(InF32<decltype(tag)>()); });
  }
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KIND_H_
