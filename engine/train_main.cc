// Trains one network as a specification says and writes what came of it.
//
//   train --spec=run.textproto --data_dir=DIR --out=result.pb
#include <cstdio>
#include <set>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/data/dataset.h"
#include "engine/io/file.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/io/safetensors.h"
#include "engine/run/run.pb.h"
#include "engine/training/progress.h"
#include "engine/training/trainer.h"
#include "models/registry.h"

ABSL_FLAG(std::string, spec, "",
          "The run to make: a RunSpec (engine/run/run.proto) in text form. "
          "Required.");
ABSL_FLAG(std::string, data_dir, "",
          "Folder with the data set's uncompressed files; `bazel build "
          "@mnist//:files` makes one. "
          "Not needed for synthetic_mnist and synthetic_cifar10.");
ABSL_FLAG(std::string, out, "",
          "Where the RunResult goes, in binary form. Required.");
ABSL_FLAG(
    std::string, telemetry_out, "",
    "Where the RunTelemetry goes (time, memory, device), in binary form.");
ABSL_FLAG(std::string, weights_out, "",
          "Where the final weights go, as safetensors.");
ABSL_FLAG(
    std::string, probabilities_out, "",
    "Where the test set's class probabilities and labels go, as safetensors.");
ABSL_FLAG(int, threads, 0,
          "Worker threads; 0 takes one per core. Does not change a bit of the "
          "result.");
ABSL_FLAG(std::string, simd, "auto",
          "Instruction set: auto, AVX2, AVX3, AVX3_ZEN4 or NEON. Does not "
          "change a bit of the "
          "result.");
ABSL_FLAG(std::string, progress, "auto",
          "How to tell how far the run is: bar (redrawn), plain (a line an "
          "epoch), none, or auto "
          "(bar on a terminal, else plain).");

namespace repro16 {
namespace {

constexpr char kUsage[] =
    "Trains one neural network, in one numeric precision, to the same bits on "
    "every machine.\n\n"
    "  ./bazelw run //engine:train -- --spec=$PWD/run.textproto "
    "--out=$PWD/result.pb\n\n"
    "A specification in text form:\n"
    "  model: \"mlp\"  policy: \"FP16\"  backend: \"cpu\"  seed: 1  epochs: 2  "
    "batch_size: 128\n"
    "  optimizer { sgd { learning_rate: 0.01 momentum: 0.9 } }\n"
    "  data { dataset: \"synthetic_mnist\" normalization: \"unit\" }\n\n"
    "With model_options { width: 0.25 } the network is a quarter as wide.\n"
    "Policies: FP32, FP16, FP16_BN32, MP, BF16, FP16_ACC16 "
    "(engine/numerics/README.md).\n"
    "Exit code: 0, or 2 for bad input.";

// Fails early on an output that could not be written at the end.
absl::Status CheckOutputs() {
  if (absl::GetFlag(FLAGS_out).empty()) {
    return absl::InvalidArgumentError(
        "--out: missing; give the path of the result");
  }
  std::set<std::string> seen;
  for (const std::string& path :
       {absl::GetFlag(FLAGS_out), absl::GetFlag(FLAGS_telemetry_out),
        absl::GetFlag(FLAGS_weights_out),
        absl::GetFlag(FLAGS_probabilities_out)}) {
    if (path.empty()) continue;
    if (!seen.insert(path).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": named for two outputs; give each its own"));
    }
    if (absl::Status status = CheckWritable(path); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The result comes last: where it is, the others are.
absl::Status WriteOutputs(const RunOutput& output) {
  absl::Status status;
  if (const std::string path = absl::GetFlag(FLAGS_weights_out);
      !path.empty()) {
    status = WriteSafetensors(path, output.weights);
  }
  if (const std::string path = absl::GetFlag(FLAGS_probabilities_out);
      status.ok() && !path.empty()) {
    status = WriteSafetensors(path, output.probabilities);
  }
  if (const std::string path = absl::GetFlag(FLAGS_telemetry_out);
      status.ok() && !path.empty()) {
    status = WriteBinaryProto(path, output.telemetry);
  }
  if (!status.ok()) return status;
  return WriteBinaryProto(absl::GetFlag(FLAGS_out), output.result);
}

// The network that the specification asks for, on this data set's images.
absl::StatusOr<Graph> BuildNetwork(const RunSpec& spec, const Dataset& data) {
  ModelOptions options;
  options.classes = data.classes;
  options.image = Shape({data.height, data.width, data.channels});
  const ModelSpec& asked = spec.model_options();
  if (asked.width() > 0) options.width = asked.width();
  if (asked.batch_norm_momentum() > 0) {
    options.batch_norm_momentum = asked.batch_norm_momentum();
  }
  return BuildModel(spec.model(), options);
}

absl::Status Run() {
  if (absl::GetFlag(FLAGS_spec).empty()) {
    return absl::InvalidArgumentError(
        "--spec: missing; give a run specification (see --help)");
  }
  RunSpec spec;
  const std::string spec_path = absl::GetFlag(FLAGS_spec);
  if (absl::Status status = ReadTextProto(spec_path, &spec); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckSpec(spec); !status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat(spec_path, ": ", status.message()));
  }
  if (absl::Status status = CheckOutputs(); !status.ok()) return status;

  auto progress = MakeProgress(absl::GetFlag(FLAGS_progress), stderr);
  if (!progress.ok()) return progress.status();
  auto backend = CreateCpuBackend(
      {absl::GetFlag(FLAGS_threads), absl::GetFlag(FLAGS_simd)});
  if (!backend.ok()) return backend.status();
  absl::StatusOr<Dataset> data =
      LoadDataset(spec.data(), absl::GetFlag(FLAGS_data_dir));
  if (!data.ok()) return data.status();
  absl::StatusOr<Graph> graph = BuildNetwork(spec, *data);
  if (!graph.ok()) return graph.status();

  absl::StatusOr<RunOutput> output =
      Train(spec, *graph, *data, **backend, **progress);
  if (!output.ok()) return output.status();
  return WriteOutputs(*output);
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv, repro16::kUsage);
  const absl::Status status = repro16::Run();
  if (!status.ok()) {
    std::fprintf(stderr, "train: %s\n", std::string(status.message()).c_str());
    return 2;
  }
  return 0;
}
