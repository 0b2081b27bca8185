#include "engine/numerics/reduction.h"

#include <cmath>

#include "engine/numerics/binary16.h"

namespace repro16 {
namespace {

// The sum over chunks when `chunk` is the sum of the chunk that holds the last
// of `terms` terms.
float AddLastChunk(int64_t terms, float total, float chunk) {
  if (terms % kReductionChunk == 0) return total;
  return terms < kReductionChunk ? chunk : total + chunk;
}

}  // namespace

float DotSum::Round(float x) const {
  return accumulator_ == DType::kF16 ? ToFloat(RoundToBinary16(x)) : x;
}

void DotSum::AddTerm(float a, float b) {
  chunk_ = accumulator_ == DType::kF16 ? Round(chunk_ + Round(a * b))
                                       : std::fma(a, b, chunk_);
  EndPosition();
}

void DotSum::SkipTerm() { EndPosition(); }

void DotSum::EndPosition() {
  ++positions_;
  if (positions_ % kReductionChunk != 0) return;
  total_ = positions_ == kReductionChunk ? chunk_ : Round(total_ + chunk_);
  chunk_ = 0;
}

float DotSum::Total() const {
  return Round(AddLastChunk(positions_, total_, chunk_));
}

float DotSum::TotalWithBias(float bias) const { return Round(Total() + bias); }

void RowSum::AddTerm(float x) {
  chunk_ = chunk_ + x;
  ++terms_;
  if (terms_ % kReductionChunk != 0) return;
  total_ = terms_ == kReductionChunk ? chunk_ : total_ + chunk_;
  chunk_ = 0;
}

float RowSum::Total() const { return AddLastChunk(terms_, total_, chunk_); }

Moments ComputeMoments(absl::Span<const float> x) {
  const float n = static_cast<float>(x.size());
  RowSum sum;
  for (const float value : x) sum.AddTerm(value);
  const float mean = sum.Total() / n;
  DotSum squares(DType::kF32);
  for (const float value : x) {
    const float deviation = value - mean;
    squares.AddTerm(deviation, deviation);
  }
  const float total = squares.Total();
  return {mean, total, total / n, total / (n - 1.0f)};
}

}  // namespace repro16
