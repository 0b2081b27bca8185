#include "engine/cuda/program/program_kernels.h"

#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/graph/loss_scale.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

SIMT_KERNEL(1, 1) BeginPassKernel(const BeginPassArgs args) {
  StepState& state = *args.state;
  state.first = args.first;
  state.step = args.step;
  state.record = args.record;
  state.correct = 0;
}

template <class T>
SIMT_KERNEL(kElementThreads, 1)
GatherKernel(const GatherArgs args, const Divisor pixels, int n) {
  const int i = ElementIndex();
  if (i >= n) return;
  int pixel;
  const int row = pixels.Divide(i, &pixel);
  int64_t example = args.state->first + row;
  if (args.order != nullptr) example = args.order[example];
  const uint8_t value = args.images[example * args.pixels + pixel];
  static_cast<T*>(args.input)[i] = static_cast<const T*>(args.table)[value];
  if (pixel == 0) args.batch_labels[row] = args.labels[example];
}

// --- Records, by one block

constexpr unsigned kRecordThreads = 128;

struct RecordShared {
  float losses[kRecordThreads];
  uint64_t counts[RoundingTotals::kKinds][3];
  uint64_t stored[RoundingTotals::kKinds];
  uint32_t first_non_finite;  // as a kNoSite that is large
};

// The counts of sites [begin, end), in the first thread's `record`, which has
// the number of examples in every thread.
SIMT_FUNCTION void AddSitesOfBlock(const StoreSite* sites, int begin, int end,
                                   const StoreCounter* counters,
                                   StepRecord& record, RecordShared& shared) {
  const int thread = static_cast<int>(ThreadIndex());
  if (thread < RoundingTotals::kKinds) {
    for (uint64_t& count : shared.counts[thread]) count = 0;
    shared.stored[thread] = 0;
  }
  if (thread == 0) {
    shared.first_non_finite = static_cast<uint32_t>(record.first_non_finite);
  }
  Barrier();
  StepRecord mine;
  mine.examples = record.examples;
  const int each =
      (end - begin + static_cast<int>(kRecordThreads) - 1) / kRecordThreads;
  const int first = begin + thread * each;
  const int last = first + each < end ? first + each : end;
  AddSites(sites, first, last, counters, mine);
  for (int kind = 0; kind < RoundingTotals::kKinds; ++kind) {
    const StoreCounter& counter = mine.rounding.counters[kind];
    if (mine.rounding.stored[kind] != 0) {
      AtomicAdd(&shared.stored[kind], mine.rounding.stored[kind]);
    }
    if (counter.any()) {
      AtomicAdd(&shared.counts[kind][0], counter.infinite);
      AtomicAdd(&shared.counts[kind][1], counter.nan);
      AtomicAdd(&shared.counts[kind][2], counter.underflow);
    }
  }
  AtomicMin(&shared.first_non_finite,
            static_cast<uint32_t>(mine.first_non_finite));
  Barrier();
  if (thread != 0) return;
  for (int kind = 0; kind < RoundingTotals::kKinds; ++kind) {
    const uint64_t(&counts)[3] = shared.counts[kind];
    record.rounding.counters[kind] +=
        StoreCounter{counts[0], counts[1], counts[2]};
    record.rounding.stored[kind] += shared.stored[kind];
  }
  record.first_non_finite = static_cast<int>(shared.first_non_finite);
}

// In the first thread.
SIMT_FUNCTION float MeanLoss(const float* losses, int batch,
                             RecordShared& shared) {
  const int thread = static_cast<int>(ThreadIndex());
  RowSum sum;
  for (int begin = 0; begin < batch; begin += kRecordThreads) {
    if (begin + thread < batch) {
      shared.losses[thread] = losses[begin + thread];
    }
    Barrier();
    if (thread == 0) {
      for (int i = begin; i < begin + static_cast<int>(kRecordThreads); ++i) {
        if (i < batch) sum.AddTerm(shared.losses[i - begin]);
      }
    }
    Barrier();
  }
  return f32::Div(sum.Total(), static_cast<float>(batch));
}

SIMT_KERNEL(kRecordThreads, 1) EndPassKernel(const EndPassArgs args) {
  auto& shared = SharedMemory<RecordShared>();
  StepRecord record;
  record.training = args.training;
  record.examples = args.batch;
  record.loss = MeanLoss(args.losses, static_cast<int>(args.batch), shared);
  AddSitesOfBlock(args.sites, 0, args.end, args.counters, record, shared);
  if (ThreadIndex() != 0) return;
  StepState& state = *args.state;
  record.correct = static_cast<int64_t>(state.correct);
  record.loss_scale = state.update.loss_scale;
  if (args.training) {
    const StoreCounter& gradients =
        record.rounding.counters[RoundingTotals::kWeightGradients];
    state.update = AfterStep(state.update, args.dynamic_loss_scale,
                             gradients.infinite + gradients.nan == 0);
    record.skipped = state.update.skipped;
  }
  args.records[state.record] = record;
}

SIMT_KERNEL(kRecordThreads, 1) EndUpdateKernel(const EndUpdateArgs args) {
  // The same for all threads.
  if (args.state->update.skipped) return;
  auto& shared = SharedMemory<RecordShared>();
  StepRecord& kept = args.records[args.state->record];
  StepRecord record = kept;
  AddSitesOfBlock(args.sites, args.begin, args.end, args.counters, record,
                  shared);
  if (ThreadIndex() == 0) kept = record;
}

SIMT_KERNEL(kElementThreads, 1)
KeepCountersKernel(const KeepCountersArgs args) {
  const int i = ElementIndex();
  if (i >= args.n) return;
  args.to[args.state->record * args.stride + i] =
      args.counters[args.sites[i].counter];
}

SIMT_KERNEL(kCeilingThreads, 1)
MultiplyAddsKernel(const MultiplyAddsArgs args) {
  float chains[kCeilingChains];
  SIMT_UNROLL for (int k = 0; k < kCeilingChains; ++k) {
    chains[k] = static_cast<float>(ThreadIndex() + k);
  }
  for (int round = 0; round < kCeilingRounds; ++round) {
    SIMT_UNROLL for (int k = 0; k < kCeilingChains; ++k) {
      chains[k] = f32::Fma(chains[k], 0.5f, 1.0f);
    }
  }
  float sum = 0.0f;
  SIMT_UNROLL for (int k = 0; k < kCeilingChains; ++k) {
    sum = f32::Add(sum, chains[k]);
  }
  if (sum < 0.0f) *args.sink = sum;  // never, but the compiler cannot know
}

}  // namespace

void BeginPass(const BeginPassArgs& args, Stream& stream) {
  Launch(stream, BeginPassKernel, {1}, 1, /*shared_bytes=*/0, args);
}

void Gather(const GatherArgs& args, Stream& stream) {
  VisitDType(args.type, [&](auto tag) {
    const int64_t n = args.batch * args.pixels;
    Launch(stream, GatherKernel<decltype(tag)>, ElementGrid(n), kElementThreads,
           /*shared_bytes=*/0, args, Divisor(args.pixels), static_cast<int>(n));
  });
}

void EndPass(const EndPassArgs& args, Stream& stream) {
  Launch(stream, EndPassKernel, {1}, kRecordThreads, sizeof(RecordShared),
         args);
}

void EndUpdate(const EndUpdateArgs& args, Stream& stream) {
  Launch(stream, EndUpdateKernel, {1}, kRecordThreads, sizeof(RecordShared),
         args);
}

void KeepCounters(const KeepCountersArgs& args, Stream& stream) {
  Launch(stream, KeepCountersKernel, ElementGrid(args.n), kElementThreads,
         /*shared_bytes=*/0, args);
}

void MultiplyAdds(const MultiplyAddsArgs& args, Stream& stream) {
  Launch(stream, MultiplyAddsKernel, {args.blocks}, kCeilingThreads,
         /*shared_bytes=*/0, args);
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
