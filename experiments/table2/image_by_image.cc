#include "experiments/table2/image_by_image.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "analysis/statistics.h"
#include "experiments/common/report_parts.h"
#include "reports/format.h"

namespace repro16 {
namespace {

constexpr std::string_view kBeside[] = {"FP16", "FP16_BN32", "MP", kControl};

int64_t ClassOf(absl::Span<const double> row) {
  return std::max_element(row.begin(), row.end()) - row.begin();
}

}  // namespace

Agreement AgreementOf(const Probabilities& fp32, const Probabilities& other) {
  constexpr double kLeast = 0x1p-24;
  Agreement agreement;
  int64_t alike = 0;
  for (int64_t i = 0; i < fp32.examples; ++i) {
    const auto p = fp32.Row(i), q = other.Row(i);
    alike += ClassOf(p) == ClassOf(q);
    for (int64_t c = 0; c < fp32.classes; ++c) {
      if (p[c] == 0) continue;
      const double least = q[c] < kLeast ? kLeast : q[c];  // NaN stays
      agreement.divergence += p[c] * std::log(p[c] / least);
    }
  }
  const auto examples = static_cast<double>(fp32.examples);
  agreement.alike = 100 * static_cast<double>(alike) / examples;
  agreement.divergence /= examples;
  return agreement;
}

absl::StatusOr<std::vector<Agreements>> AgreeImageByImage(
    absl::Span<const NetworkResults> results) {
  std::vector<Agreements> networks;
  for (const NetworkResults& network : results) {
    Agreements& agreements = networks.emplace_back();
    for (const TrainedRun* fp32 : network.OfPrecision("FP32")) {
      if (fp32->probabilities_path.empty()) continue;
      const auto p = LoadProbabilities(*fp32);
      if (!p.ok()) return p.status();
      for (std::string_view precision : kBeside) {
        for (const TrainedRun* run : network.OfPrecision(precision)) {
          if (run->seed() != fp32->seed()) continue;
          const auto q = LoadProbabilities(*run);
          if (!q.ok()) return q.status();
          absl::Status status = CheckSameExamples(*fp32, *p, *run, *q);
          if (!status.ok()) return status;
          agreements[std::string(precision)][run->seed()] = AgreementOf(*p, *q);
        }
      }
    }
  }
  return networks;
}

std::optional<double> MeanOf(const Agreements& agreements,
                             std::string_view precision,
                             double Agreement::*value) {
  const auto found = agreements.find(std::string(precision));
  if (found == agreements.end()) return std::nullopt;
  std::vector<double> seeds;
  for (const auto& [seed, agreement] : found->second) {
    seeds.push_back(agreement.*value);
  }
  return SampleOf(seeds).mean;
}

report::Table ImageTable(absl::Span<const NetworkResults> results,
                         absl::Span<const Agreements> networks) {
  report::Table table;
  table.set_title("Image by image");
  table.set_caption(
      "Beside FP32 of the same seed: percent of the test images that both give "
      "one class, and the mean divergence of their probabilities (Kullback and "
      "Leibler, nats). The control is FP32 with one bit flipped: where a "
      "precision agrees as often as the control does, its rounding does what "
      "any small change would.");
  AddColumns({"network"}, &table);
  for (std::string_view precision : kBeside) {
    AddColumns(
        {absl::StrCat(precision == kControl ? "control" : precision, " alike")},
        &table);
  }
  for (std::string_view precision : kBeside) {
    AddColumns({absl::StrCat(precision == kControl ? "control" : precision,
                             " divergence")},
               &table);
  }
  for (size_t k = 0; k < networks.size(); ++k) {
    std::vector<report::Cell> cells = {TextCell(results[k].network().name)};
    const auto add = [&](double Agreement::*value, auto format) {
      for (std::string_view precision : kBeside) {
        const auto mean = MeanOf(networks[k], precision, value);
        cells.push_back(mean ? NumberCell(*mean, format(*mean))
                             : TextCell("–"));
      }
    };
    add(&Agreement::alike,
        [](double mean) { return absl::StrFormat("%.1f%%", mean); });
    add(&Agreement::divergence,
        [](double mean) { return absl::StrFormat("%.3f", mean); });
    AddRow(std::move(cells), &table);
  }
  return table;
}

}  // namespace repro16
