// Prints what each experiment's runs cost at each scale, in core-hours, as the
// table that README.md has.
#include <cstdio>
#include <set>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/io/terminal.h"
#include "experiments/costs.pb.h"
#include "reports/format.h"

ABSL_FLAG(std::string, costs, "experiments/costs.textproto",
          "a Costs (text form)");

namespace repro16 {
namespace {

// Costs of other targets are these; each must be known before it.
absl::Status Check(const Costs& costs) {
  std::set<std::string> folders;
  for (const TargetCost& target : costs.targets()) {
    const std::string& runs_of = target.runs_of();
    if (!runs_of.empty() && folders.count(runs_of) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(target.folder(), ": runs_of: \"", runs_of,
                       "\" is no folder before it"));
    }
    if (!folders.insert(target.folder()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(target.folder(), ": is there twice"));
    }
    for (const Cost* cost :
         {&target.smoke(), &target.lite(), &target.paper()}) {
      const bool known = cost->source() != Cost::UNKNOWN;
      if (known != (cost->core_hours() > 0) || known == cost->how().empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat(target.folder(),
                         ": a cost needs core_hours, source "
                         "and how, or none of them"));
      }
    }
  }
  return absl::OkStatus();
}

std::string CostText(const Cost& cost) {
  if (cost.source() == Cost::UNKNOWN) return "to be measured";
  const std::string hours = cost.core_hours() < 1000
                                ? FormatShortest(cost.core_hours())
                                : FormatCount(cost.core_hours());
  return absl::StrCat(cost.source() == Cost::ESTIMATED ? "≈ " : "", hours);
}

std::string Table(const Costs& costs) {
  std::string text =
      "| target | smoke | lite | paper |\n| --- | ---: | ---: | ---: |\n";
  for (const TargetCost& target : costs.targets()) {
    absl::StrAppend(&text, "| `//experiments/", target.folder(), "` | ");
    if (target.runs_of().empty()) {
      absl::StrAppend(&text, CostText(target.smoke()), " | ",
                      CostText(target.lite()), " | ", CostText(target.paper()),
                      " |\n");
    } else {
      absl::StrAppend(&text, "the runs of ", target.runs_of(), " | | |\n");
    }
  }
  return text;
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv,
                      "Prints what each experiment's runs cost at each scale, "
                      "in core-hours; ≈: estimated.");
  repro16::Costs costs;
  absl::Status status =
      repro16::ReadTextProto(absl::GetFlag(FLAGS_costs), &costs);
  if (status.ok()) status = repro16::Check(costs);
  if (!status.ok()) {
    repro16::PrintFormat(stderr, "error: %s\n", status.message());
    return 2;
  }
  repro16::PrintText(stdout, repro16::Table(costs));
  return 0;
}
