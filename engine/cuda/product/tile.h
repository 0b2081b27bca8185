// A tile of a product's outputs, which a block computes.
//
// Matrix products and convolutions are one loop, SumTerms. kDepth positions at
// a time are staged in shared memory as f32, in one of two buffers while the
// other is being used. Lanes and registers run over outputs: a thread takes all
// terms of its sums, in order, and that is why the bits are those of the CPU.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_TILE_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_TILE_H_

#include <type_traits>

#include "engine/cuda/product/operands.h"
#include "engine/cuda/product/thread_sums.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/store.h"
#include "engine/cuda/simt/vector.h"
#include "engine/numerics/host_device.h"
#include "engine/numerics/rounding.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// Before a loop that shall be one.
#ifdef __CUDACC__
#define REPRO16_ROLLED _Pragma("unroll 1")
#else
#define REPRO16_ROLLED
#endif

inline constexpr int kDepth = 8;  // positions that are staged at a time

// --- Which outputs a thread has

// kCount of kLines lines, in groups that are neighbours, so that threads side
// by side read vectors side by side.
template <int kLines, int kCount>
struct Share {
  static constexpr int kGroup = kCount % 4 == 0 ? 4 : 2;
  static constexpr int kThreads = kLines / kCount;
  static_assert(kCount % kGroup == 0 && kLines % kCount == 0);

  SIMT_FUNCTION static int First(int thread) { return thread * kGroup; }
  // Line i of a thread, counted from its first.
  SIMT_FUNCTION static constexpr int Offset(int i) {
    return i / kGroup * (kThreads * kGroup) + i % kGroup;
  }

  // Of one staged position; `lines` is at the thread's first line.
  SIMT_FUNCTION static void Read(const float* lines, float (&to)[kCount]) {
    SIMT_UNROLL for (int i = 0; i < kCount; i += kGroup) {
      const auto& group =
          *reinterpret_cast<const Vector<float, kGroup>*>(lines + Offset(i));
      SIMT_UNROLL for (int j = 0; j < kGroup; ++j) to[i + j] = group.at[j];
    }
  }
};

// kRowsT x kColsT outputs, of which a thread has kThreadRowsT x kThreadColsT; a
// multiprocessor shall hold kBlocksT blocks.
template <int kRowsT, int kColsT, int kThreadRowsT, int kThreadColsT,
          int kBlocksT>
struct Tile {
  static constexpr int kRows = kRowsT;
  static constexpr int kCols = kColsT;
  static constexpr int kThreadRows = kThreadRowsT;
  static constexpr int kThreadCols = kThreadColsT;
  static constexpr int kBlocks = kBlocksT;
  static constexpr int kThreads = kRows * kCols / (kThreadRows * kThreadCols);
  using Rows = Share<kRows, kThreadRows>;
  using Cols = Share<kCols, kThreadCols>;

  // A warp has up to kLanes threads side by side along the columns.
  static constexpr int kLanes = Cols::kThreads < 8 ? Cols::kThreads : 8;
  static constexpr int kWarps = Cols::kThreads / kLanes;
  static_assert(kThreads % 32 == 0 && Cols::kThreads % kLanes == 0);

  // The thread's first row and column.
  SIMT_FUNCTION static int Row() {
    const int warp = Thread() / 32, lane = Thread() % 32;
    return Rows::First(warp / kWarps * (32 / kLanes) + lane / kLanes);
  }
  SIMT_FUNCTION static int Col() {
    const int warp = Thread() / 32, lane = Thread() % 32;
    return Cols::First(warp % kWarps * kLanes + lane % kLanes);
  }

 private:
  SIMT_FUNCTION static int Thread() { return static_cast<int>(ThreadIndex()); }
};

// --- Staging

// By position and line. Four more than the lines, so that writes of several
// positions of a line go to different banks.
template <int kLines>
using Staged = float[kDepth][kLines + 4];

template <class Tile>
struct alignas(16) TileShared {
  Staged<Tile::kRows> a[2];
  Staged<Tile::kCols> b[2];
  CountsShared counts;
};

// The vectors of an operand's kLines lines that a thread of kThreads stages:
// kCount, kStep lines apart. Neighbours take neighbours in memory.
template <bool kTermsContiguousT, int kLines, int kThreads, int kWidthT>
struct StagingShare {
  static constexpr bool kTermsContiguous = kTermsContiguousT;
  static constexpr int kWidth = kWidthT;
  // Threads that share a line, or, where lines are contiguous, a position.
  static constexpr int kAcross =
      kTermsContiguous ? kDepth / kWidth : kThreads / kDepth;
  static constexpr int kStep =
      kTermsContiguous ? kThreads / kAcross : kAcross * kWidth;
  static constexpr int kCount = kLines / kStep;
  static_assert(kCount > 0 && kLines % kStep == 0);

  SIMT_FUNCTION StagingShare() {
    const int thread = static_cast<int>(ThreadIndex());
    const int along = thread / kAcross, across = thread % kAcross * kWidth;
    line = kTermsContiguous ? along : across;
    term = kTermsContiguous ? across : along;
  }

  // Writes vector i of the thread, if it is there; else `absent`.
  template <bool kMarks, class T>
  SIMT_FUNCTION void Write(int i, const Loaded<T, kWidth>& vector, bool present,
                           float absent, Staged<kLines>& to) const {
    Vector<float, kWidth> wide;
    SIMT_UNROLL for (int j = 0; j < kWidth; ++j) {
      wide.at[j] = present ? StagedTerm<kMarks>(vector.At(j)) : absent;
    }
    if (kTermsContiguous) {
      SIMT_UNROLL for (int j = 0; j < kWidth; ++j) {
        to[term + j][line + i * kStep] = wide.at[j];
      }
    } else {
      StoreVector(wide, &to[term][line + i * kStep]);
    }
  }

  int line;
  int term;

 private:
  // x as it is staged. Where absent terms are marked, no f32 may look like the
  // mark; a widened number of 16 bits cannot, as its last 13 bits are equal.
  template <bool kMarks, class T>
  SIMT_FUNCTION static float StagedTerm(T x) {
    if constexpr (kMarks && std::is_same_v<T, float>) {
      return f32::IsNan(x) ? FromBits<float>(kCanonicalNanF32) : x;
    } else {
      return ToFloat(x);
    }
  }
};

// --- Sums

// Adds the staged positions, in order.
template <class Tile, bool kMarks, class Sums>
SIMT_FUNCTION void AddStaged(const float* a, const float* b, Sums& sums) {
  SIMT_UNROLL for (int term = 0; term < kDepth; ++term) {
    float row[Tile::kThreadRows], col[Tile::kThreadCols];
    Tile::Rows::Read(a + term * (Tile::kRows + 4), row);
    Tile::Cols::Read(b + term * (Tile::kCols + 4), col);
    sums.template AddTerm<kMarks>(row, col);
  }
}

// What a block stages next, and how.
template <class Product, class Tile, int kWidth, class A, class B>
class Stager {
 public:
  SIMT_FUNCTION Stager(const A& a, int first_row, const B& b, int first_col)
      : reader_a_(a, first_row + share_a_.line),
        reader_b_(b, first_col + share_b_.line) {}

  // Of kDepth positions from `term` on. To look at a value here would be to
  // wait for it.
  SIMT_FUNCTION void Load(int term) {
    reader_a_.Seek(term + share_a_.term);
    reader_b_.Seek(term + share_b_.term);
    SIMT_UNROLL for (int i = 0; i < ShareA::kCount; ++i) {
      const auto found = reader_a_.Find(i);
      present_a_[i] = found.present;
      next_a_[i].From(found.address);
    }
    SIMT_UNROLL for (int i = 0; i < ShareB::kCount; ++i) {
      const auto found = reader_b_.Find(i);
      present_b_ = found.present;
      next_b_[i].From(found.address);
    }
  }

  // Of matrices no term is absent: past the last position a product is made a
  // -0, and x + -0 is x for every x.
  SIMT_FUNCTION void Stage(TileShared<Tile>& shared, int buffer) const {
    const float absent_a = !A::kHasGaps ? -0.0f
                           : Product::kSkipsAbsentTerms
                               ? FromBits<float>(kAbsentBits)
                               : 0.0f;
    SIMT_UNROLL for (int i = 0; i < ShareA::kCount; ++i) {
      share_a_.template Write<A::kHasGaps>(i, next_a_[i], present_a_[i],
                                           absent_a, shared.a[buffer]);
    }
    SIMT_UNROLL for (int i = 0; i < ShareB::kCount; ++i) {
      share_b_.template Write<false>(i, next_b_[i], A::kHasGaps || present_b_,
                                     0.0f, shared.b[buffer]);
    }
    Barrier();
  }

 private:
  using T = typename A::Type;
  using ShareA =
      StagingShare<A::kTermsContiguous, Tile::kRows, Tile::kThreads, kWidth>;
  using ShareB =
      StagingShare<B::kTermsContiguous, Tile::kCols, Tile::kThreads, kWidth>;

  const ShareA share_a_;
  const ShareB share_b_;
  typename A::template Reader<kWidth, ShareA::kCount, ShareA::kStep> reader_a_;
  typename B::template Reader<kWidth, ShareB::kCount, ShareB::kStep> reader_b_;
  Loaded<T, kWidth> next_a_[ShareA::kCount];
  Loaded<T, kWidth> next_b_[ShareB::kCount];
  bool present_a_[ShareA::kCount];
  bool present_b_;  // all, or none, as b is a matrix
};

// The sums of finished chunks, in memory of the thread: they are touched once a
// chunk, and would take as many registers as the chunk's own.
template <class Tile>
class Totals {
 public:
  static_assert(Tile::kThreadCols % 4 == 0);
  struct alignas(16) Memory {
    float at[Tile::kThreadRows * Tile::kThreadCols];
  };

  SIMT_FUNCTION explicit Totals(Memory& memory) {
    float* at = memory.at;
#ifdef __CUDACC__
    // The compiler puts into registers what it knows the addresses of.
    asm volatile("" : "+l"(at));
#endif
    at_ = at;
  }

  SIMT_FUNCTION void Fill(float x) const {
    SIMT_UNROLL for (int r = 0; r < Tile::kThreadRows; ++r) {
      SIMT_UNROLL for (int c = 0; c < Tile::kThreadCols; c += 4) {
        Vector<float, 4> sums;
        SIMT_UNROLL for (int j = 0; j < 4; ++j) sums.at[j] = x;
        At(r, c) = sums;
      }
    }
  }

  // Columns c to c + 3 of row r.
  SIMT_FUNCTION Vector<float, 4>& At(int r, int c) const {
    return *reinterpret_cast<Vector<float, 4>*>(at_ +
                                                (r * Tile::kThreadCols + c));
  }

 private:
  float* at_;
};

// totals = totals + chunk, and a new chunk.
template <class Product, class Tile, class Sums>
SIMT_FUNCTION void EndChunk(Sums& chunk, const Totals<Tile>& totals) {
  SIMT_UNROLL for (int r = 0; r < Tile::kThreadRows; ++r) {
    SIMT_UNROLL for (int c = 0; c < Tile::kThreadCols; c += 4) {
      Vector<float, 4> sums = totals.At(r, c);
      SIMT_UNROLL for (int j = 0; j < 4; ++j) {
        sums.at[j] = Product::Round(f32::Add(sums.at[j], chunk.Get(r, c + j)));
      }
      totals.At(r, c) = sums;
    }
  }
  chunk.Clear();
}

// totals(r, c) = sum over the positions [begin, end) of the thread's row r
// of the tile at first_row of a, and its column c of the tile at first_col of
// b. `begin` starts a chunk.
template <class Product, class Tile, int kWidth, class A, class B>
SIMT_FUNCTION void SumTerms(const A& a, int first_row, const B& b,
                            int first_col, int begin, int end,
                            TileShared<Tile>& shared,
                            const Totals<Tile>& totals) {
  static_assert(Product::kChunk % kDepth == 0);
  const auto positions = a.template PositionsOf<Tile::kRows, kDepth>(first_row);
  int term = positions.From(begin);
  // -0 + x is x, also where x is -0. A sum of no terms is +0, and so is that of
  // a chunk.
  const bool none_before = term - begin < Product::kChunk && term < end;
  totals.Fill(none_before ? -0.0f : 0.0f);
  if (term >= end) return;
  Stager<Product, Tile, kWidth, A, B> stager(a, first_row, b, first_col);
  typename Product::template Sums<Tile::kThreadRows, Tile::kThreadCols> chunk;
  chunk.Clear();
  stager.Load(term);
  stager.Stage(shared, 0);
  int buffer = 0;
  while (true) {
    const int next = positions.From(term + kDepth);
    const bool last = next >= end;
    if (!last) stager.Load(next);
    AddStaged<Tile, A::kHasGaps && Product::kSkipsAbsentTerms>(
        shared.a[buffer][0] + Tile::Row(), shared.b[buffer][0] + Tile::Col(),
        chunk);
    const int chunk_of_next =
        last ? (end - 1) / Product::kChunk + 1 : next / Product::kChunk;
    const int ended = chunk_of_next - term / Product::kChunk;
    if (ended > 0) EndChunk<Product>(chunk, totals);
    // Chunks without terms: to add +0 again changes nothing.
    if (positions.kSkips && ended > 1) EndChunk<Product>(chunk, totals);
    if (last) return;
    buffer ^= 1;
    stager.Stage(shared, buffer);
    term = next;
  }
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_TILE_H_
