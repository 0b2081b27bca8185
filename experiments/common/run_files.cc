#include "experiments/common/run_files.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/io/safetensors.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()),
                     values.size() * sizeof(T));
}

}  // namespace

TrainedRun MakeRunWithFiles(const std::string& policy, uint64_t seed,
                            const std::vector<float>& probabilities,
                            const std::vector<int64_t>& labels) {
  TrainedRun run;
  run.result.mutable_spec()->set_policy(policy);
  run.result.mutable_spec()->set_seed(seed);
  run.result.mutable_spec()->set_scale("lite");
  run.result.add_epochs()->set_train_accuracy(0.99);
  run.probabilities_path =
      absl::StrCat(testing::TempDir(), policy, "_", seed, ".safetensors");
  const int64_t examples = labels.size();
  const int64_t classes = probabilities.size() / labels.size();
  Safetensors file;
  file.tensors.push_back({"probabilities", SafetensorsType::kF32,
                          Shape({examples, classes}), Bytes(probabilities)});
  file.tensors.push_back(
      {"labels", SafetensorsType::kI64, Shape({examples}), Bytes(labels)});
  const absl::Status status = WriteSafetensors(run.probabilities_path, file);
  EXPECT_TRUE(status.ok()) << status;
  return run;
}

}  // namespace repro16
