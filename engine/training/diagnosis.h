// What rounding does to each tensor of a run, and how it is told.
#ifndef REPRO16_ENGINE_TRAINING_DIAGNOSIS_H_
#define REPRO16_ENGINE_TRAINING_DIAGNOSIS_H_

#include <cstdint>
#include <string>

#include "engine/graph/backend.h"
#include "engine/numerics/store_counter.h"
#include "engine/run/diagnosis.pb.h"

namespace repro16 {

// Adds `stored` stores and what they did.
void AddStores(const StoreCounter& counter, uint64_t stored, StoreCounts& to);

// Adds one training step of a program compiled with record_tensors.
void Diagnose(const BatchRecord& step, int64_t epoch, Diagnosis& diagnosis);

// A table of the tensors that lost most over all epochs: by infinities and NaNs
// stored, and by the share of stores that rounded something to zero. Text, with
// a line end after each line.
std::string WorstTensors(const Diagnosis& diagnosis);

// A table of the parameters with the largest shares of second moments that are
// 0, over all epochs; "" where the optimizer keeps none.
std::string WorstSecondMoments(const Diagnosis& diagnosis);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_DIAGNOSIS_H_
