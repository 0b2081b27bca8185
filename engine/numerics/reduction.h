// The order of sums: the one place that says in which order the terms of a
// reduction are added, with a scalar implementation that every kernel must
// equal bit for bit.
//
// A reduction over terms 0 .. n-1 is cut into chunks of kReductionChunk
// consecutive terms (the last may be shorter). A chunk is a chain that starts
// at +0 and takes its terms in order; the chunk sums are added from left to
// right: ((c0 + c1) + c2) + ... A sum of no terms is +0. The order depends on
// the number of terms alone, so threads, vector widths and block sizes cannot
// change a bit. Nothing is rounded to a storage type on the way: bias and the
// one rounding of the operation come after the last addition.
//
// A term's chunk follows from its position, also when other terms are absent: a
// tap of a convolution that falls on padding, or, in the gradient of the input,
// outside the outputs or between two of them where the stride is above 1,
// contributes no term (the chain passes it by) and yet counts as a position. A
// chunk whose terms are all absent is +0 and is added like any other.
//
// Terms of a convolution's forward pass are ordered by (kernel row, kernel
// column, input channel); of its gradient with respect to the input by (kernel
// row, kernel column, output channel); of its gradient with respect to the
// weights, and of sums over a batch (biases, normalisations), by (example, row,
// column). A depthwise convolution has the same orders without the channel. A
// dense layer is a 1 x 1 convolution; attention's dot products ascend in the
// index that is summed, global average pooling in (row, column).
//
// Not cut into chunks, however long: the chains of a pooling window and of its
// gradient (engine/cpu/pool/pool.h). Rows of softmax and layer normalisation
// have at most one chunk (kMaxRow in engine/graph/graph.h).
//
// Changing anything here changes results: raise kNumericsVersion (version.h).
#ifndef REPRO16_ENGINE_NUMERICS_REDUCTION_H_
#define REPRO16_ENGINE_NUMERICS_REDUCTION_H_

#include <cstdint>

#include "engine/numerics/binary16.h"
#include "engine/numerics/host_device.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// Terms of a chunk. Short chunks keep the rounding error of a long sum small
// (it grows with the chunk's length plus the number of chunks); at 256 adding
// the chunk sums costs a matrix product under 1% of its speed, at 128 under 2%.
inline constexpr int64_t kReductionChunk = 256;

// A sum of no terms is one chunk of none.
REPRO16_HOST_DEVICE inline int64_t ReductionChunks(int64_t terms) {
  return terms == 0 ? 1 : (terms + kReductionChunk - 1) / kReductionChunk;
}

// The sum over chunks when `chunk` is the sum of the chunk that holds the last
// of `terms` terms.
REPRO16_HOST_DEVICE inline float AddLastChunk(int64_t terms, float total,
                                              float chunk) {
  if (terms % kReductionChunk == 0) return total;
  return terms < kReductionChunk ? chunk : f32::Add(total, chunk);
}

// sum_p a[p] * b[p]. With an f32 accumulator a step is acc = fma(a, b, acc),
// one rounding, and chunk sums are added in f32. With an f16 accumulator
// (FP16_ACC16) a step is acc = r(acc + r(a * b)), where product and sum are
// taken in f32 and r rounds to binary16; chunk sums are added as r(c0 + c1).
// The result is a binary16 value then.
class DotSum {
 public:
  REPRO16_HOST_DEVICE explicit DotSum(DType accumulator)
      : accumulator_(accumulator) {}

  REPRO16_HOST_DEVICE void AddTerm(float a, float b) {
    chunk_ = accumulator_ == DType::kF16
                 ? Round(f32::Add(chunk_, Round(f32::Mul(a, b))))
                 : f32::Fma(a, b, chunk_);
    EndPosition();
  }

  // The next position has no term.
  REPRO16_HOST_DEVICE void SkipTerm() { EndPosition(); }

  // Of all terms so far.
  REPRO16_HOST_DEVICE float Total() const {
    return Round(AddLastChunk(positions_, total_, chunk_));
  }

  // Total() + bias, rounded to the accumulator type; the operation then rounds
  // it to its storage type.
  REPRO16_HOST_DEVICE float TotalWithBias(float bias) const {
    return Round(f32::Add(Total(), bias));
  }

 private:
  // r() of the accumulator type.
  REPRO16_HOST_DEVICE float Round(float x) const {
    return accumulator_ == DType::kF16 ? ToFloat(RoundToBinary16(x)) : x;
  }

  REPRO16_HOST_DEVICE void EndPosition() {
    ++positions_;
    if (positions_ % kReductionChunk != 0) return;
    total_ = positions_ == kReductionChunk ? chunk_
                                           : Round(f32::Add(total_, chunk_));
    chunk_ = 0;
  }

  const DType accumulator_;
  int64_t positions_ = 0;
  float chunk_ = 0;  // of the current chunk
  float total_ = 0;  // of the finished chunks
};

// sum_i x[i], in f32: acc = acc + x.
class RowSum {
 public:
  REPRO16_HOST_DEVICE void AddTerm(float x) {
    chunk_ = f32::Add(chunk_, x);
    ++terms_;
    if (terms_ % kReductionChunk != 0) return;
    total_ = terms_ == kReductionChunk ? chunk_ : f32::Add(total_, chunk_);
    chunk_ = 0;
  }

  REPRO16_HOST_DEVICE float Total() const {
    return AddLastChunk(terms_, total_, chunk_);
  }

 private:
  int64_t terms_ = 0;
  float chunk_ = 0;
  float total_ = 0;
};

// Mean and variance of one channel over its rows, in two passes:
//   mean = sum_i x[i] / n                       (RowSum)
//   squares = sum_i d[i] * d[i], d = x - mean   (DotSum in f32)
// Divisions and the subtraction are IEEE operations in f32; n >= 1, rounded to
// f32 (above 2^24 rows) and, for the unbiased variance, n - 1 taken there.
struct Moments {
  float mean;
  float squares;
  // squares / n, and squares / (n - 1): what normalises, and what the moving
  // variance of 4-D inputs takes.
  float biased_variance;
  float unbiased_variance;  // NaN or infinity at n = 1
};

// Of x[0] to x[count - 1].
REPRO16_HOST_DEVICE inline Moments ComputeMoments(const float* x,
                                                  int64_t count) {
  const auto n = static_cast<float>(count);
  RowSum sum;
  for (int64_t i = 0; i < count; ++i) sum.AddTerm(x[i]);
  const float mean = f32::Div(sum.Total(), n);
  DotSum squares(DType::kF32);
  for (int64_t i = 0; i < count; ++i) {
    const float deviation = f32::Sub(x[i], mean);
    squares.AddTerm(deviation, deviation);
  }
  const float total = squares.Total();
  return {mean, total, f32::Div(total, n), f32::Div(total, f32::Sub(n, 1.0f))};
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_REDUCTION_H_
