#include "experiments/table2/modelled_times.h"

#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/report_parts.h"
#include "reports/format.h"

namespace repro16 {
namespace {

// The paper's columns of time.
constexpr std::string_view kTimed[] = {"FP16", "FP32", "MP"};

report::Cell BesidePublished(double number, std::string_view text,
                             std::string_view published) {
  report::Cell cell = NumberCell(number, text);
  cell.set_paper(std::string(published));
  return cell;
}

report::Cell SecondsCell(const CostModelReport::Network& network,
                         std::string_view name) {
  for (const CostModelReport::Precision& precision : network.precisions()) {
    if (precision.name() != name) continue;
    return BesidePublished(precision.seconds(),
                           absl::StrFormat("%.0f s", precision.seconds()),
                           FormatShortest(precision.published_seconds()));
  }
  return TextCell("not modelled");
}

report::Cell SpeedupCell(double predicted, double published) {
  return BesidePublished(predicted, absl::StrFormat("%.2fx", predicted),
                         absl::StrFormat("%.2fx", published));
}

}  // namespace

report::Table ModelledTimesTable(const CostModelReport& modelled) {
  report::Table table;
  table.set_id("modelled_time");
  table.set_title(absl::StrCat("Model, not a measurement: time on the ",
                               modelled.device_name()));
  std::string caption = absl::StrCat(
      "Seconds of ", modelled.epochs(),
      " epochs that a roofline model predicts for the paper's card from each "
      "operation's multiply-adds and bytes; the published ones beside them. "
      "Nothing was run on that card.");
  if (modelled.has_error()) {
    absl::StrAppendFormat(
        &caption,
        " Mean error: %.0f%% of the seconds, %.0f%% of FP32 / FP16, %.0f%% of "
        "MP / FP16.",
        100 * modelled.error().seconds(), 100 * modelled.error().fp32_speedup(),
        100 * modelled.error().mp_speedup());
  }
  table.set_caption(caption);
  table.set_command("./bazelw run //analysis:cost_model");
  AddColumns({"network", "FP16", "FP32", "MP", "FP32 / FP16", "MP / FP16"},
             &table);
  for (const CostModelReport::Network& network : modelled.networks()) {
    std::vector<report::Cell> cells = {TextCell(NetworkName(network.model()))};
    for (std::string_view name : kTimed) {
      cells.push_back(SecondsCell(network, name));
    }
    cells.push_back(
        SpeedupCell(network.fp32_speedup(), network.published_fp32_speedup()));
    cells.push_back(
        SpeedupCell(network.mp_speedup(), network.published_mp_speedup()));
    AddRow(std::move(cells), &table);
  }
  return table;
}

}  // namespace repro16
