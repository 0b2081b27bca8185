// What one batch leaves behind on the device: plain structures of fixed size.
#ifndef REPRO16_ENGINE_GRAPH_STEP_RECORD_H_
#define REPRO16_ENGINE_GRAPH_STEP_RECORD_H_

#include <cstdint>

#include "engine/numerics/host_device.h"
#include "engine/numerics/store_counter.h"

namespace repro16 {

// Rounded stores since the start of a step, by kind of tensor.
struct RoundingTotals {
  // kParameters: parameters and optimizer slots.
  enum Kind : uint8_t {
    kActivations,
    kActivationGradients,
    kWeightGradients,
    kParameters,
    kKinds
  };
  StoreCounter counters[kKinds];
  uint64_t stored[kKinds] = {};  // elements computed and written
};

// A tensor that a pass stores to, and which counter of the pass counts there.
struct StoreSite {
  RoundingTotals::Kind kind;
  int counter;
  bool per_example;  // elements are those of one example
  int64_t elements;

  REPRO16_HOST_DEVICE uint64_t Stored(int64_t batch) const {
    return static_cast<uint64_t>(elements * (per_example ? batch : 1));
  }
};

inline constexpr int kNoSite = -1;

// One batch's.
struct StepRecord {
  float loss = 0;
  float loss_scale = 1;
  int64_t examples = 0;
  int64_t correct = 0;
  bool training = false;
  bool skipped = false;
  int first_non_finite = kNoSite;  // of the pass's sites
  RoundingTotals rounding;
};

// Adds what was counted at sites [begin, end), in the order of computation.
REPRO16_HOST_DEVICE inline void AddSites(const StoreSite* sites, int begin,
                                         int end, const StoreCounter* counters,
                                         StepRecord& record) {
  for (int i = begin; i < end; ++i) {
    const StoreSite& site = sites[i];
    const StoreCounter& counter = counters[site.counter];
    record.rounding.counters[site.kind] += counter;
    record.rounding.stored[site.kind] += site.Stored(record.examples);
    if (record.first_non_finite == kNoSite &&
        counter.infinite + counter.nan > 0) {
      record.first_non_finite = i;
    }
  }
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_STEP_RECORD_H_
