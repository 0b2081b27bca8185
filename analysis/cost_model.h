// Published training times against the model of them (step_time_model.h).
#ifndef REPRO16_ANALYSIS_COST_MODEL_H_
#define REPRO16_ANALYSIS_COST_MODEL_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "analysis/cost_model.pb.h"
#include "analysis/device.pb.h"
#include "analysis/step_time_model.h"
#include "engine/graph/graph.h"

namespace repro16 {

inline constexpr std::string_view kCostModelCaveat =
    "a model, not a measurement";

// Of CostModelReport::Network::precisions.
enum ModelledPrecision {
  kModelledFp16,
  kModelledFp16Bn32,
  kModelledFp32,
  kModelledFp32WithoutTf32,
  kModelledMp,
  kModelledPrecisions
};

// InvalidArgument, naming `name` and the field, where there is no batch or no
// network, or a network is there twice or lacks a field.
absl::Status CheckPublishedTimes(const PublishedTimes& published,
                                 std::string_view name);

// The report, a pure function. graphs[i] is published.networks(i); both
// `device` and `published` have passed their checks. `device_id` is what
// PublishedTimes::device would call the device; errors are stated only where
// device and batch are those of the published times.
CostModelReport MakeCostModelReport(const Device& device,
                                    std::string_view device_id,
                                    const PublishedTimes& published,
                                    absl::Span<const Graph> graphs,
                                    const Protocol& protocol);

}  // namespace repro16

#endif  // REPRO16_ANALYSIS_COST_MODEL_H_
