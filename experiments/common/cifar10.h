// What the experiments on CIFAR-10 share: the networks by name, and how their
// runs are smaller than the paper's.
#ifndef REPRO16_EXPERIMENTS_COMMON_CIFAR10_H_
#define REPRO16_EXPERIMENTS_COMMON_CIFAR10_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "experiments/common/runs.h"
#include "reports/report.pb.h"

namespace repro16 {

struct Network {
  std::string_view model;  // a name of models/registry.h
  std::string_view name;   // as the paper writes it, hyphens made uniform
  bool has_batch_norm = false;
};

// Of the paper's training on CIFAR-10 (section 4.2).
inline constexpr int kPaperEpochs = 100;

// The networks of table 2, in its order.
absl::Span<const Network> Table2Networks();

// By its name; a model that the paper does not have, with no other name.
Network NetworkOf(std::string_view model);

// "ResNet-32" for "resnet32"; a model that the paper does not have keeps its
// own name.
std::string NetworkName(std::string_view model);

// The accuracy that a run ends with, in percent: the mean over the epochs that
// are evaluated with estimated statistics, where the specification asks for
// them (EvaluationSpec, engine/run/run.proto); else that of the last epoch.
double FinalTestAccuracy(const RunResult& result);

// One value a seed, in percent, of one policy's runs.
std::vector<double> FinalTestAccuracies(const RunSet& runs,
                                        std::string_view policy);

// Seeds whose loss is not finite in the last epoch: they count as what they
// reached, and are named.
std::vector<uint64_t> DivergedSeeds(const RunSet& runs,
                                    std::string_view policy);

// Names all of these in the report's summary, if any.
void AddDiverged(absl::Span<const RunSet> sets, report::Report* report);

// Names in the provenance how the runs are smaller than the paper's protocol on
// CIFAR-10 (section 4.2: 100 epochs, batch 256, 50 seeds, all examples),
// network by network where they differ.
void AddCifar10Reductions(absl::Span<const RunSet> sets,
                          report::Report* report);

// A limitation, where a training is less than the paper's 100 epochs of all
// images: what it can say, and what accuracy it reaches in FP32.
void AddShortTraining(absl::Span<const RunSet> sets, report::Report* report);

// The runs of each set beside the paper's protocol: width, training and test
// examples, epochs, batch, momentum of batch normalisation, seeds.
report::Table ProtocolTable(absl::Span<const RunSet> sets);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_CIFAR10_H_
