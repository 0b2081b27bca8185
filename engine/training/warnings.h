// What makes a run another one than its specification reads: told before it
// starts and when it has ended, and kept in its result.
#ifndef REPRO16_ENGINE_TRAINING_WARNINGS_H_
#define REPRO16_ENGINE_TRAINING_WARNINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"
#include "engine/run/run.pb.h"

namespace repro16 {

// Before training: HyperParameterWarnings (engine/training/hyper_parameters.h),
// and a batch of a single example under a batch normalisation of 1 x 1 maps,
// whose unbiased variance is 0 / 0. A line each, "FIELD: ...".
std::vector<std::string> WarningsBeforeTraining(const RunSpec& spec,
                                                const PrecisionPolicy& policy,
                                                const Graph& graph,
                                                int64_t train_examples);

// Of a run that has ended: steps that dynamic loss scaling skipped although the
// scale was at its least, 1.
std::optional<std::string> LossScaleWarning(const RunResult& result);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_WARNINGS_H_
