// Runs with probabilities in files, for tests of analyses.
#ifndef REPRO16_EXPERIMENTS_COMMON_RUN_FILES_H_
#define REPRO16_EXPERIMENTS_COMMON_RUN_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/common/runs.h"

namespace repro16 {

// A run of scale lite and one epoch, whose probabilities, [labels.size(),
// classes] in f32, are written to the test's folder. Fails the test if they
// cannot be.
TrainedRun MakeRunWithFiles(const std::string& policy, uint64_t seed,
                            const std::vector<float>& probabilities,
                            const std::vector<int64_t>& labels);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_RUN_FILES_H_
