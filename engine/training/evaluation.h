// How accurate a network is on the test examples while it is trained.
#ifndef REPRO16_ENGINE_TRAINING_EVALUATION_H_
#define REPRO16_ENGINE_TRAINING_EVALUATION_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/data/dataset.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"
#include "engine/run/checkpoint.pb.h"
#include "engine/run/run.pb.h"
#include "engine/training/device_split.h"
#include "engine/training/statistics_estimator.h"

namespace repro16 {

// Whether a run of this specification and network compiles a second program,
// to estimate statistics.
bool EstimatesStatistics(const RunSpec& spec, const Graph& graph);

// Evaluates the first `examples` of a split in batches. `probabilities` may be
// null: Program::EvaluateBatch. `stop` is asked after each batch (null: never);
// none where it says so.
absl::StatusOr<std::optional<PassTotals>> EvaluateExamples(
    const DeviceSplit& split, int64_t examples, int64_t batch_size,
    DeviceBuffer* probabilities, const std::function<bool()>& stop,
    Program& program);

class Evaluation {
 public:
  // All but the options outlive this. `options` are those of `program`.
  static absl::StatusOr<Evaluation> Create(
      const RunSpec& spec, const Graph& graph, const PrecisionPolicy& policy,
      const CompileOptions& options, const std::array<double, 256>& input_table,
      const Dataset& data, Backend& backend, Program& program);

  // Fills in what EpochResult has of the test examples, as EvaluationSpec asks
  // for. The program is as it was. `stop` is asked after each batch (null:
  // never); where it says so, false, and `result` is not whole.
  absl::StatusOr<bool> AfterEpoch(const BatchSource& train,
                                  const std::function<bool()>& stop,
                                  EpochResult& result);

  // Of the last AfterEpoch, [test examples, classes] in the policy's activation
  // type: with estimated statistics, where the run asks for them.
  absl::StatusOr<std::string> Probabilities() const;

 private:
  Evaluation(const RunSpec& spec, const Dataset& data, Backend& backend,
             Program& program)
      : spec_(&spec), data_(&data), backend_(&backend), program_(&program) {}

  // As EvaluateExamples, of the test examples.
  absl::StatusOr<std::optional<PassTotals>> Evaluate(
      int64_t examples, const std::function<bool()>& stop);
  absl::StatusOr<std::optional<PassTotals>> EvaluateWithEstimates(
      const BatchSource& train, const std::function<bool()>& stop);

  const RunSpec* spec_;
  const Dataset* data_;
  Backend* backend_;
  Program* program_;
  DeviceSplit test_;
  std::unique_ptr<DeviceBuffer> probabilities_;
  std::optional<StatisticsEstimator> estimator_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_EVALUATION_H_
