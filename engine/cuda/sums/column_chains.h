// Sums over the rows of a matrix, for each column, in the contract's order: two
// kernels, which are told what the terms are and what becomes of a sum.
//
// A chunk of a column's rows is a chain, and one thread takes it: neighbours
// take neighbouring columns, then the next chunk's. The second kernel adds a
// column's chunk sums from left to right.
#ifndef REPRO16_ENGINE_CUDA_SUMS_COLUMN_CHAINS_H_
#define REPRO16_ENGINE_CUDA_SUMS_COLUMN_CHAINS_H_

#include <cstdint>

#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/store.h"
#include "engine/cuda/sums/sum_kernels.h"
#include "engine/numerics/reduction.h"
#include "engine/tensor/round_up.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// Chains are few, so a thread has many loads under way.
inline constexpr int kChainLoads = 64;
inline constexpr int kChainTailLoads = 16;
// Small blocks, so that few chains fill many multiprocessors.
inline constexpr unsigned kChainThreads = 64;
inline constexpr unsigned kTotalThreads = 32;

// Calls add(load(i)) for i = 0 .. count - 1, in this order; loads kAtOnce terms
// before it adds the first of them.
template <int kAtOnce, class Load, class Add>
SIMT_FUNCTION void ForTerms(int count, const Load& load, const Add& add) {
  using Term = decltype(load(0));
  int begin = 0;
  for (; begin + kAtOnce <= count; begin += kAtOnce) {
    Term terms[kAtOnce];
    SIMT_UNROLL for (int i = 0; i < kAtOnce; ++i) terms[i] = load(begin + i);
    SIMT_UNROLL for (int i = 0; i < kAtOnce; ++i) add(terms[i]);
  }
  for (; begin < count; begin += kChainTailLoads) {
    Term terms[kChainTailLoads];
    SIMT_UNROLL for (int i = 0; i < kChainTailLoads; ++i) {
      terms[i] = load(begin + i < count ? begin + i : count - 1);
    }
    SIMT_UNROLL for (int i = 0; i < kChainTailLoads; ++i) {
      if (begin + i < count) add(terms[i]);
    }
  }
}

// The sum of `count` numbers that lie `stride` apart, from left to right.
// Starting at -0 makes the first one no special case: -0 + x is x.
SIMT_FUNCTION float AddFromLeft(const float* numbers, int count, int stride) {
  float total = -0.0f;
  ForTerms<kChainLoads>(
      count, [&](int i) { return Load(numbers + i * stride); },
      [&](float number) { total = f32::Add(total, number); });
  return total;
}

// sums[s, chunk, column]: sum s of a chunk's rows. Of Terms,
//   kSums                      is the number of sums,
//   kLoads                     that of terms to load at once,
//   OfColumn(column)           what the terms of a column have in common,
//   Load(row, at)              what memory has of a term: element `at` of the
//                              matrix, in `row`,
//   Add(of_column, term, sum)  adds it to the kSums chains.
template <class Terms>
SIMT_KERNEL(kChainThreads, 1)
ChunkSumsOfColumns(const Terms terms, int rows, int columns,
                   Divisor column_divisor, int chains, float* sums) {
  const int chain =
      static_cast<int>(BlockIndex().x * kChainThreads + ThreadIndex());
  if (chain >= chains) return;
  constexpr int kChunk = static_cast<int>(kReductionChunk);
  int column;
  const int first_row = column_divisor.Divide(chain, &column) * kChunk;
  const int rows_left = rows - first_row;
  const auto of_column = terms.OfColumn(column);
  float sum[Terms::kSums] = {};
  ForTerms<Terms::kLoads>(
      rows_left < kChunk ? rows_left : kChunk,
      [&](int i) {
        const int row = first_row + i;
        return terms.Load(row, row * columns + column);
      },
      [&](const auto& term) { terms.Add(of_column, term, sum); });
  SIMT_UNROLL for (int s = 0; s < Terms::kSums; ++s) {
    sums[s * chains + chain] = sum[s];
  }
}

// Of Result,
//   kSums, kStores                are the numbers of sums and of tensors that
//                                 are stored to,
//   Store(column, totals, counts) does it for a column,
//   counter(i)                    is that of the i-th tensor.
template <class Result>
SIMT_KERNEL(kTotalThreads, 1)
TotalsOfColumns(const Result result, const float* sums, int chunks,
                int columns) {
  struct Shared {
    CountsShared counts[Result::kStores];
  };
  const int column =
      static_cast<int>(BlockIndex().x * kTotalThreads + ThreadIndex());
  StoreCounts counts[Result::kStores];
  if (column < columns) {
    float totals[Result::kSums];
    SIMT_UNROLL for (int s = 0; s < Result::kSums; ++s) {
      totals[s] =
          AddFromLeft(sums + s * chunks * columns + column, chunks, columns);
    }
    result.Store(column, totals, counts);
  }
  Shared& shared = SharedMemory<Shared>();
  SIMT_UNROLL for (int i = 0; i < Result::kStores; ++i) {
    counts[i].AddTo(result.counter(i), shared.counts[i]);
  }
}

// The elements themselves.
template <class T>
struct PlainTerms {
  static constexpr int kSums = 1;
  static constexpr int kLoads = kChainLoads;
  struct Column {};

  SIMT_FUNCTION Column OfColumn(int /*column*/) const { return {}; }
  SIMT_FUNCTION T Load(int /*row*/, int at) const {
    return REPRO16_CUDA_TARGET::Load(x + at);
  }
  SIMT_FUNCTION void Add(Column, T term, float* sum) const {
    sum[0] = f32::Add(sum[0], ToFloat(term));
  }

  const T* x;
};

// workspace: ChunkSumBytes of kSums sums.
template <class Terms, class Result>
void SumColumns(const Terms& terms, const Result& result, int64_t rows,
                int64_t columns, float* workspace, Stream& stream) {
  static_assert(Terms::kSums == Result::kSums);
  const int64_t chunks = ReductionChunks(rows);
  const int64_t chains = chunks * columns;
  Launch(stream, ChunkSumsOfColumns<Terms>,
         {static_cast<unsigned>(CeilDiv(chains, kChainThreads))}, kChainThreads,
         /*shared_bytes=*/0, terms, static_cast<int>(rows),
         static_cast<int>(columns), Divisor(columns), static_cast<int>(chains),
         workspace);
  Launch(stream, TotalsOfColumns<Result>,
         {static_cast<unsigned>(CeilDiv(columns, kTotalThreads))},
         kTotalThreads, Result::kStores * sizeof(CountsShared), result,
         workspace, static_cast<int>(chunks), static_cast<int>(columns));
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SUMS_COLUMN_CHAINS_H_
