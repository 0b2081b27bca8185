// Prints what a model of a training step's time makes of published times.
//
//   cost_model [--device=NAME] [--batch=N] [--out=FILE]
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "analysis/cost_model.h"
#include "analysis/cost_model.pb.h"
#include "analysis/device.pb.h"
#include "analysis/step_time_model.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/io/terminal.h"
#include "models/registry.h"

ABSL_FLAG(std::string, device, "rtx4080",
          "The device to model: a file of --devices, without its ending.");
ABSL_FLAG(int64_t, batch, 256, "Examples of a training step.");
ABSL_FLAG(std::string, out, "",
          "File to write a CostModelReport to, binary (analysis/"
          "cost_model.proto), instead of printing it.");
ABSL_FLAG(std::string, devices, "analysis/devices",
          "Folder of device files (analysis/device.proto).");
ABSL_FLAG(std::string, published, "analysis/published_times.textproto",
          "Published times (analysis/cost_model.proto).");

namespace repro16 {
namespace {

constexpr char kUsage[] =
    "Prints the seconds that a roofline model predicts for the paper's "
    "trainings on a device, beside the published ones. A model, not a "
    "measurement.\n\n"
    "  ./bazelw run //analysis:cost_model -- --device=h100 --batch=512\n\n"
    "Exit code: 0, or 2 for bad input.";

constexpr std::string_view kEnding = ".textproto";

// The device's file in --devices.
absl::StatusOr<std::string> DeviceFile(const std::string& id) {
  const std::filesystem::path folder(absl::GetFlag(FLAGS_devices));
  std::set<std::string> known;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == kEnding) known.insert(entry.path().stem());
  }
  if (known.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--devices: ", folder.string(),
                     " holds no file of a "
                     "device; give the folder of analysis/devices"));
  }
  if (known.count(id) == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--device: no device \"", absl::CEscape(id),
                     "\"; use one of ", absl::StrJoin(known, ", ")));
  }
  return (folder / absl::StrCat(id, kEnding)).string();
}

// A relative path is meant from where `bazel run` was called.
std::string FromCallersFolder(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr || absl::StartsWith(path, "/")) return path;
  return absl::StrCat(folder, "/", path);
}

std::string PairText(double predicted, double published, int decimals) {
  return absl::StrFormat("%7.*f %6.*f", decimals, predicted, decimals,
                         published);
}

void PrintTimes(const CostModelReport& report) {
  PrintFormat(
      stdout,
      "\nSeconds and gains: predicted, then published (%s: on %s, batch %d)\n"
      "%-13s%15s%15s%15s%17s%18s\n",
      report.published_table(), report.published_device(),
      report.published_batch(), "", "FP16  ", "FP32  ", "MP  ", "FP32 / FP16 ",
      "MP / FP16");
  for (const CostModelReport::Network& network : report.networks()) {
    PrintFormat(stdout, "%-13s", network.model());
    for (int p : {kModelledFp16, kModelledFp32, kModelledMp}) {
      const CostModelReport::Precision& precision = network.precisions(p);
      PrintFormat(
          stdout, " %s",
          PairText(precision.seconds(), precision.published_seconds(), 0));
    }
    PrintFormat(
        stdout, "    %s    %s\n",
        PairText(network.fp32_speedup(), network.published_fp32_speedup(), 2),
        PairText(network.mp_speedup(), network.published_mp_speedup(), 2));
  }
}

std::string SharesText(const CostModelReport::Precision& precision) {
  return absl::StrFormat("%4.0f %3.0f %3.0f", 100 * precision.compute_share(),
                         100 * precision.bandwidth_share(),
                         100 * precision.launch_share());
}

void PrintShares(const CostModelReport& report) {
  PrintFormat(
      stdout,
      "\nBound by, in %% of the predicted time: operations, bytes, launches; "
      "kernels of a training step\n"
      "%-13s%13s%9s%14s%9s%14s%9s%12s%12s\n",
      "", "FP16   ", "kernels", "FP32   ", "kernels", "MP   ", "kernels",
      "FP16_BN32", "no TF32");
  PrintFormat(stdout, "%-13s%13s%9s%14s%9s%14s%9s%12s%12s\n", "", "op  by  la",
              "", "op  by  la", "", "op  by  la", "", "seconds", "seconds");
  for (const CostModelReport::Network& network : report.networks()) {
    PrintFormat(stdout, "%-13s", network.model());
    for (int p : {kModelledFp16, kModelledFp32, kModelledMp}) {
      const CostModelReport::Precision& precision = network.precisions(p);
      PrintFormat(stdout, " %s%9d ", SharesText(precision),
                  precision.kernels());
    }
    PrintFormat(stdout, "%10.0f%12.0f\n",
                network.precisions(kModelledFp16Bn32).seconds(),
                network.precisions(kModelledFp32WithoutTf32).seconds());
  }
}

void PrintError(std::string_view name, const CostModelReport::Error& error) {
  PrintFormat(stdout, "%-24s %9.0f%% %12.0f%% %10.0f%% %13.2f %13.2f %11.2f\n",
              name, 100 * error.seconds(), 100 * error.fp32_speedup(),
              100 * error.mp_speedup(), error.seconds_correlation(),
              error.fp32_speedup_correlation(), error.mp_speedup_correlation());
}

void PrintErrors(const CostModelReport& report) {
  if (!report.has_error()) {
    PrintFormat(
        stdout,
        "\nNo error is stated: the published times are of %s with batches of "
        "%d.\n",
        report.published_device(), report.published_batch());
    return;
  }
  PrintFormat(
      stdout,
      "\nError: mean of |predicted / published - 1|; r: correlation of both\n"
      "%-24s %10s %13s %11s %13s %13s %11s\n",
      "", "seconds", "FP32 / FP16", "MP / FP16", "r seconds", "r FP32/FP16",
      "r MP/FP16");
  PrintError("FP32 with TF32", report.error());
  PrintError("FP32 without TF32", report.error_without_tf32());
  PrintFormat(
      stdout,
      "\nThe same over a grid of the two free parameters (launch cost in us, "
      "attainable share of the peak rates);\nabove they are %.0f and %.2f\n",
      report.launch_us(), report.attainable_share());
  for (const CostModelReport::Sensitivity& point : report.sensitivity()) {
    PrintError(absl::StrFormat("launch %2.0f, share %.2f", point.launch_us(),
                               point.attainable_share()),
               point.error());
  }
}

// Breaks lines between words, at most `width` columns wide.
std::string Wrapped(std::string_view text, size_t width) {
  std::string result;
  size_t column = 0;
  for (std::string_view word : absl::StrSplit(text, ' ')) {
    if (column > 0 && column + 1 + word.size() > width) {
      result += "\n  ";
      column = 2;
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    absl::StrAppend(&result, word);
    column += word.size();
  }
  return result;
}

constexpr size_t kColumns = 118;

void Print(const CostModelReport& report) {
  PrintFormat(
      stdout,
      "%s: %s\n"
      "%d epochs of %d examples in batches of %d, the test set of %d evaluated "
      "after each\n%s\n",
      report.device_name(), report.caveat(), report.epochs(),
      report.train_examples(), report.batch(), report.test_examples(),
      Wrapped(absl::StrFormat(
                  "Free parameters: %.2f of the peak rates is attained (the "
                  "roofline itself); a launch costs %.1f us (%s)",
                  report.attainable_share(), report.launch_us(),
                  report.launch_source()),
              kColumns));
  PrintTimes(report);
  PrintShares(report);
  PrintErrors(report);
  PrintFormat(stdout, "\nWhat the model shows (%s)\n", report.caveat());
  for (const std::string& finding : report.findings()) {
    PrintFormat(stdout, "%s\n", Wrapped(absl::StrCat("- ", finding), kColumns));
  }
}

absl::Status Run() {
  const int64_t batch = absl::GetFlag(FLAGS_batch);
  if (batch < 1 || batch > 50'000) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--batch: ", batch, " is not in [1, 50000]; give e.g. 256"));
  }
  const std::string id = absl::GetFlag(FLAGS_device);
  const auto device_file = DeviceFile(id);
  if (!device_file.ok()) return device_file.status();
  Device device;
  absl::Status status = ReadTextProto(*device_file, &device);
  if (status.ok()) status = CheckDevice(device, *device_file);
  const std::string published_file = absl::GetFlag(FLAGS_published);
  PublishedTimes published;
  if (status.ok()) status = ReadTextProto(published_file, &published);
  if (status.ok()) status = CheckPublishedTimes(published, published_file);
  if (!status.ok()) return status;
  std::vector<Graph> graphs;
  for (const PublishedTimes::Network& network : published.networks()) {
    absl::StatusOr<Graph> graph = BuildModel(network.model());
    if (!graph.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          published_file, ": networks: ", graph.status().message()));
    }
    graphs.push_back(*std::move(graph));
  }
  Protocol protocol;
  protocol.batch = batch;
  const CostModelReport report =
      MakeCostModelReport(device, id, published, graphs, protocol);
  const std::string out = absl::GetFlag(FLAGS_out);
  if (!out.empty()) return WriteBinaryProto(FromCallersFolder(out), report);
  Print(report);
  return absl::OkStatus();
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv, repro16::kUsage);
  const absl::Status status = repro16::Run();
  if (!status.ok()) {
    repro16::PrintFormat(stderr, "cost_model: %s\n", status.message());
    return 2;
  }
  return 0;
}
