// The pictures of error and tolerance by network.
#ifndef REPRO16_EXPERIMENTS_FIG1_CIFAR10_FIGURES_H_
#define REPRO16_EXPERIMENTS_FIG1_CIFAR10_FIGURES_H_

#include "absl/types/span.h"
#include "experiments/fig1/cifar10/network_statistics.h"
#include "reports/report.pb.h"

namespace repro16 {

// Quantiles of delta, of FP16 and of a change of seed, and of gamma.
report::Figure SpreadFigure(absl::Span<const NetworkStatistics> networks);

// Shares of samples with gamma >= 2 delta, a dot for each pair of networks, and
// the line of `large_majority`, in %.
report::Figure GuaranteedFigure(absl::Span<const NetworkStatistics> networks,
                                double large_majority);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG1_CIFAR10_FIGURES_H_
