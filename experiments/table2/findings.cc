#include "experiments/table2/findings.h"

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "experiments/common/report_parts.h"
#include "reports/paper_values.h"

namespace repro16 {

using report::Finding;

absl::Status AddTableArithmetic(const Golden& published,
                                report::Report* report) {
  const absl::StatusOr<std::vector<Finding>> findings =
      CheckArithmetic(published);
  if (!findings.ok()) return findings.status();
  size_t follow = 0;
  for (const Finding& finding : *findings) {
    if (finding.kind() == Finding::AGREEMENT) {
      ++follow;
    } else {
      *report->add_findings() = finding;
    }
  }
  AddFinding(
      Finding::AGREEMENT,
      absl::StrCat(follow, " of ", findings->size(),
                   " derived values follow from the table's own numbers"),
      "All differences of accuracy and all means do. Of the speed-ups, two "
      "more (AlexNet MP / FP16: 150 s / 96 s = 1.56, printed 1.5; VGG-19 FP32 "
      "/ FP16: 937 s / 416 s = 2.25, printed 2.2) do so only if the printed "
      "seconds were rounded in their favour; each of the five that are off is "
      "printed too low, as if digits had been cut off.",
      "table 2", report);
  return absl::OkStatus();
}

void AddTable2Findings(report::Report* report) {
  AddFinding(
      Finding::CONTRADICTION, "The column FP16 is not all in 16 bits",
      "The text claims that no unintended casting to FP32 occurs. Under "
      "set_floatx('float16'), Keras 2.15, which the published code uses, keeps "
      "scale, offset and moving statistics of batch normalisation in FP32 and "
      "computes it there; nine of the twelve networks have it. So the column "
      "is judged twice here: as FP16, which rounds everything that is stored "
      "to 16 bits, and as FP16_BN32, which is what that framework does. In "
      "FP16 a moving average stalls once it is within a few percent of its "
      "target.",
      "section 4.1", report);
  AddFinding(Finding::CONTRADICTION, "Which ResNets",
             "The text names ResNet-34 and ResNet-56; the table has ResNet-32, "
             "ResNet-56 and ResNet-110. ResNet-34 is in table 3. Of the ten "
             "convolutional networks that the text counts, it names nine.",
             "section 4.2, table 2", report);
  AddFinding(Finding::CONTRADICTION, "An RTX 4080 with 40 GB",
             "The text has a single RTX 4080 GPU with 40GB RAM; that card has "
             "16 GB.",
             "section 4.2", report);
  AddFinding(
      Finding::UNSTATED, "Counts of parameters, rounded or cut off",
      "ResNet-32's 467,562 are printed as 0.47 and ResNet-56's 859,114 as "
      "0.86, rounded; DenseNet121, DenseNet169, Xception and ViT-12 are "
      "printed with the last digit cut off (12,659,530 as 12.65). Both are "
      "taken as a match.",
      "table 2, column # par. million", report);
  AddFinding(
      Finding::UNSTATED, "Deviations, and what the time covers",
      "The table has no standard deviations; those shown beside ours are from "
      "the authors' published repository. Whether the seconds cover the "
      "evaluation after each epoch is not said, nor how much they vary.",
      "table 2", report);
}

}  // namespace repro16
