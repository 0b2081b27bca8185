// Prints a network's layers and what it costs.
//
//   describe [--width=W] [--batch=N] [--dot] MODEL
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/create_backend.h"
#include "engine/io/flags.h"
#include "engine/io/terminal.h"
#include "models/describe.h"
#include "models/registry.h"

ABSL_FLAG(double, width, 1, "Factor of the hidden channel counts.");
ABSL_FLAG(int64_t, batch, 256, "Examples of a step, for the planned memory.");
ABSL_FLAG(bool, dot, false,
          "Print the network as a Graphviz digraph instead; pipe it into `dot "
          "-Tsvg`.");

namespace repro16 {
namespace {

constexpr char kUsage[] =
    "Prints a network's layers, parameters and multiply-adds, and the memory "
    "that training it takes in each policy.\n\n"
    "  ./bazelw run //models:describe -- resnet32 --batch=128\n\n"
    "Exit code: 0, or 2 for bad input.";

absl::Status Run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(arguments.size(), " models; name one of ",
                     absl::StrJoin(ModelNames(), ", ")));
  }
  const int64_t batch = absl::GetFlag(FLAGS_batch);
  if (batch < 1 || batch > 1'000'000) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--batch: ", batch, " is not in [1, 1000000]; give e.g. 256"));
  }
  ModelOptions options;
  options.width = absl::GetFlag(FLAGS_width);
  const auto graph = BuildModel(arguments[0], options);
  if (!graph.ok()) return graph.status();
  if (absl::GetFlag(FLAGS_dot)) {
    PrintFormat(stdout, "%s", DrawGraph(*graph));
    return absl::OkStatus();
  }
  const auto backend = CreateBackend(kDefaultBackend, {/*threads=*/1});
  if (!backend.ok()) return backend.status();
  const auto memory = DescribeMemory(*graph, batch, **backend);
  if (!memory.ok()) return memory.status();
  PrintFormat(stdout,
              "%s: images %s\n\n%s\n"
              "Memory that a training step plans, in MB: batch %d, SGD with "
              "momentum\n\n%s",
              arguments[0], graph->tensors[graph->input].shape.ToString(),
              DescribeLayers(*graph), batch, *memory);
  return absl::OkStatus();
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  const absl::Status status =
      repro16::Run(repro16::ParseArguments(argc, argv, repro16::kUsage));
  if (!status.ok()) {
    repro16::PrintFormat(stderr, "describe: %s\n", status.message());
    return 2;
  }
  return 0;
}
