// Statistics of batch normalisation for evaluation, estimated from training
// examples with the trained weights, in place of the moving averages: what the
// averages would be if they followed at once and rounded nothing (Wu and
// Johnson, Rethinking "Batch" in BatchNorm, 2021, section 3, PreciseBN).
#ifndef REPRO16_ENGINE_TRAINING_STATISTICS_ESTIMATOR_H_
#define REPRO16_ENGINE_TRAINING_STATISTICS_ESTIMATOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"

namespace repro16 {

// A moving mean or variance of the network.
struct MovingStatistic {
  ParameterId id;
  bool is_variance;
  double momentum;  // its layer's
};

// In the order of the graph's operations; none: it has no batch normalisation.
std::vector<MovingStatistic> MovingStatisticsOf(const Graph& graph);

// [C] each, in the order of MovingStatisticsOf.
using StatisticValues = std::vector<std::vector<float>>;

absl::StatusOr<std::vector<float>> ReadStatistic(
    Program& program, const MovingStatistic& statistic);
// Of all of them. Rounds to the parameters' types.
absl::Status WriteStatistics(const StatisticValues& values,
                             const std::vector<MovingStatistic>& statistics,
                             Program& program);

// The graph with moving averages that take the statistics of the last batch
// whole, where they were 0 before it.
Graph WithoutMomentum(Graph graph);

class StatisticsEstimator {
 public:
  // `options` are those of the trained program.
  static absl::StatusOr<StatisticsEstimator> Create(
      const Graph& graph, const PrecisionPolicy& policy, CompileOptions options,
      const std::array<double, 256>& input_table, Backend& backend);

  // Of the weights of `trained`: the mean over batches [0, n), [n, 2 n) ... of
  // the source's images, n = max_batch, as many as are whole within the first
  // `examples`, at least one, of the batch's own statistics, each rounded to
  // the type in which the policy keeps them; summed in f64, in order, then
  // rounded to f32. Dropout, where the network has it, is that of training.
  absl::StatusOr<StatisticValues> Estimate(Program& trained,
                                           const BatchSource& source,
                                           int64_t examples);

  const std::vector<MovingStatistic>& statistics() const { return statistics_; }

 private:
  StatisticsEstimator() = default;
  absl::Status ResetTo(const std::vector<std::vector<uint8_t>>& parameters);

  std::vector<MovingStatistic> statistics_;
  size_t num_parameters_ = 0;
  int64_t batch_ = 0;
  // Steps of rate 0 leave its weights as they are.
  std::unique_ptr<Program> program_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_STATISTICS_ESTIMATOR_H_
