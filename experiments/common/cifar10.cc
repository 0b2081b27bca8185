#include "experiments/common/cifar10.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "experiments/common/report_parts.h"
#include "reports/format.h"

namespace repro16 {
namespace {

constexpr Network kTable2Networks[] = {
    {"alexnet", "AlexNet"},
    {"vgg16", "VGG-16", true},
    {"vgg19", "VGG-19", true},
    {"resnet32", "ResNet-32", true},
    {"resnet56", "ResNet-56", true},
    {"resnet110", "ResNet-110", true},
    {"densenet121", "DenseNet121", true},
    {"densenet169", "DenseNet169", true},
    {"xception", "Xception", true},
    {"mobilenet_v2", "MobileNetV2", true},
    {"vit8", "ViT-8"},
    {"vit12", "ViT-12"},
};
// Of table 3.
constexpr Network kTable3Networks[] = {{"resnet18", "ResNet-18", true},
                                       {"resnet34", "ResNet-34", true}};

std::set<uint64_t> SeedsOf(const RunSet& set) {
  std::set<uint64_t> seeds;
  for (const TrainedRun& run : set.runs()) seeds.insert(run.seed());
  return seeds;
}

// "5 (ResNet-110: 3)": the value of most sets, and of those that differ; a
// value in which all agree stands alone.
template <typename ValueOf>
std::string ByNetwork(absl::Span<const RunSet> sets, ValueOf value_of) {
  std::map<std::string, std::set<std::string>> networks_of;
  for (const RunSet& set : sets) {
    networks_of[value_of(set)].insert(NetworkName(set.spec().model()));
  }
  auto most = networks_of.begin();
  for (auto it = networks_of.begin(); it != networks_of.end(); ++it) {
    if (it->second.size() > most->second.size()) most = it;
  }
  std::string text = most->first;
  std::vector<std::string> others;
  for (const auto& [value, networks] : networks_of) {
    if (value == most->first) continue;
    others.push_back(absl::StrCat(absl::StrJoin(networks, ", "), ": ", value));
  }
  if (others.empty()) return text;
  return absl::StrCat(text, " (", absl::StrJoin(others, "; "), ")");
}

std::string ExamplesText(int64_t examples) {
  return examples == 0 ? "all" : FormatCount(examples);
}

std::string WidthText(const RunSet& set) {
  const double width = set.spec().model_options().width();
  return width == 0 ? "1" : FormatShortest(width);
}

std::string MomentumText(const RunSet& set) {
  const double momentum = set.spec().model_options().batch_norm_momentum();
  return momentum == 0 ? "as published" : FormatShortest(momentum);
}

// x / 255 for the vision transformers, else standardized.
bool HasPublishedPixels(const RunSet& set) {
  const bool is_transformer = absl::StartsWith(set.spec().model(), "vit");
  return set.spec().data().normalization() ==
         (is_transformer ? "unit" : "standardized");
}

}  // namespace

absl::Span<const Network> Table2Networks() { return kTable2Networks; }

Network NetworkOf(std::string_view model) {
  for (absl::Span<const Network> networks :
       {absl::MakeConstSpan(kTable2Networks),
        absl::MakeConstSpan(kTable3Networks)}) {
    for (const Network& network : networks) {
      if (network.model == model) return network;
    }
  }
  return {model, model};
}

std::string NetworkName(std::string_view model) {
  return std::string(NetworkOf(model).name);
}

double FinalTestAccuracy(const RunResult& result) {
  double sum = 0;
  int epochs = 0;
  for (const EpochResult& epoch : result.epochs()) {
    if (!epoch.has_estimated_test_accuracy()) continue;
    sum += epoch.estimated_test_accuracy();
    ++epochs;
  }
  return 100 * (epochs > 0 ? sum / epochs
                           : result.epochs().rbegin()->test_accuracy());
}

std::vector<double> FinalTestAccuracies(const RunSet& runs,
                                        std::string_view policy) {
  std::vector<double> accuracies;
  for (const TrainedRun* run : runs.OfPolicy(policy)) {
    accuracies.push_back(FinalTestAccuracy(run->result));
  }
  return accuracies;
}

std::vector<uint64_t> DivergedSeeds(const RunSet& runs,
                                    std::string_view policy) {
  std::vector<uint64_t> seeds;
  for (const TrainedRun* run : runs.OfPolicy(policy)) {
    if (!std::isfinite(run->result.epochs().rbegin()->train_loss())) {
      seeds.push_back(run->seed());
    }
  }
  return seeds;
}

void AddDiverged(absl::Span<const RunSet> sets, report::Report* report) {
  std::vector<std::string> diverged;
  for (const RunSet& set : sets) {
    for (const std::string& policy : set.Policies()) {
      const std::vector<uint64_t> seeds = DivergedSeeds(set, policy);
      if (seeds.empty()) continue;
      diverged.push_back(absl::StrCat(NetworkName(set.spec().model()), " in ",
                                      policy, " (seed ",
                                      absl::StrJoin(seeds, ", "), ")"));
    }
  }
  if (diverged.empty()) return;
  report->add_summary(absl::StrCat(
      "Diverged, with a loss that is not finite at the end, and counted as "
      "what they reached: ",
      absl::StrJoin(diverged, "; "), "."));
}

void AddCifar10Reductions(absl::Span<const RunSet> sets,
                          report::Report* report) {
  constexpr int kSeeds = 50, kBatch = 256;
  const auto differs = [&](auto is_full) {
    for (const RunSet& set : sets) {
      if (!is_full(set)) return true;
    }
    return false;
  };
  const auto add = [&](auto is_full, std::string_view before, auto value_of,
                       std::string_view after) {
    if (!differs(is_full)) return;
    report->mutable_provenance()->add_reductions(
        absl::StrCat(before, ByNetwork(sets, value_of), after));
  };
  add([&](const RunSet& s) { return SeedsOf(s).size() >= kSeeds; }, "seeds: ",
      [](const RunSet& s) { return absl::StrCat(SeedsOf(s).size()); },
      absl::StrCat(" instead of ", kSeeds));
  add([&](const RunSet& s) { return s.spec().epochs() >= kPaperEpochs; },
      "epochs: ",
      [](const RunSet& s) { return absl::StrCat(s.spec().epochs()); },
      absl::StrCat(" instead of ", kPaperEpochs));
  add([&](const RunSet& s) { return s.spec().batch_size() == kBatch; },
      "batch: ",
      [](const RunSet& s) { return absl::StrCat(s.spec().batch_size()); },
      absl::StrCat(" instead of ", kBatch));
  add([](const RunSet& s) { return s.spec().model_options().width() == 0; },
      "width of each layer: ", WidthText, " of the paper's");
  add(
      [](const RunSet& s) {
        return s.spec().model_options().batch_norm_momentum() == 0;
      },
      "momentum of batch normalisation: ", MomentumText, "");
  add(
      HasPublishedPixels, "pixels: ",
      [](const RunSet& s) {
        return HasPublishedPixels(s) ? std::string("as published")
                                     : s.spec().data().normalization();
      },
      "");
  add(
      [](const RunSet& s) {
        return s.spec().evaluation().estimated_epochs() == 0;
      },
      "statistics of batch normalisation in evaluation: estimated from the "
      "training images; the accuracy is the mean over the last ",
      [](const RunSet& s) {
        return absl::StrCat(s.spec().evaluation().estimated_epochs());
      },
      " epochs");
  add([](const RunSet& s) { return s.spec().data().train_examples() == 0; },
      "training examples: the first ",
      [](const RunSet& s) {
        return ExamplesText(s.spec().data().train_examples());
      },
      "");
  add([](const RunSet& s) { return s.spec().data().test_examples() == 0; },
      "test examples: the first ",
      [](const RunSet& s) {
        return ExamplesText(s.spec().data().test_examples());
      },
      "");
}

void AddShortTraining(absl::Span<const RunSet> sets, report::Report* report) {
  std::vector<double> means;
  bool is_short = false;
  int64_t most_images = 0;
  for (const RunSet& set : sets) {
    const int64_t images = set.spec().data().train_examples();
    is_short |= set.spec().epochs() < kPaperEpochs || images > 0;
    most_images = std::max(most_images, images);
    const std::vector<double> values = FinalTestAccuracies(set, "FP32");
    if (!values.empty()) means.push_back(EstimateOf(values).mean());
  }
  if (!is_short || means.empty()) return;
  const auto [low, high] = std::minmax_element(means.begin(), means.end());
  AddFinding(
      report::Finding::LIMITATION, "Another training than the paper's",
      absl::StrFormat(
          "These networks are narrow and learn %s of the 50,000 images; "
          "FP32 reaches %.1f to %.1f%% of the test set. What agrees or "
          "differs here does so in such a training: error, tolerance, "
          "accuracy and a collapse may be others in the paper's. Scale "
          "paper tells.",
          most_images > 0 ? absl::StrCat(FormatCount(most_images), " or fewer")
                          : "all",
          *low, *high),
      "section 4.2", report);
}

report::Table ProtocolTable(absl::Span<const RunSet> sets) {
  report::Table table;
  table.set_title("The runs");
  table.set_caption(
      "Alike for all precisions of a network. The paper: width 1, all 50,000 "
      "and 10,000 examples, 100 epochs, batch 256, 50 seeds.");
  AddColumns({"network", "width", "training examples", "test examples",
              "epochs", "batch", "momentum of BN", "seeds"},
             &table);
  for (const RunSet& set : sets) {
    const RunSpec& spec = set.spec();
    AddRow({TextCell(NetworkName(spec.model())), TextCell(WidthText(set)),
            TextCell(ExamplesText(spec.data().train_examples())),
            TextCell(ExamplesText(spec.data().test_examples())),
            CountCell(spec.epochs()), CountCell(spec.batch_size()),
            TextCell(MomentumText(set)), CountCell(SeedsOf(set).size())},
           &table);
  }
  return table;
}

}  // namespace repro16
