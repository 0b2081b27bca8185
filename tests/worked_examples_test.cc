// The page of worked examples (engine/numerics/worked_examples.md) is what the
// engine gives: a run of two steps of a tiny network in every policy, tensor by
// tensor. worked_examples.py computes the same page from the contract alone.
//
//   bazel test //tests:worked_examples_test //tests:contract_test
//   bazel-bin/tests/worked_examples_test
//       --write=$PWD/engine/numerics/worked_examples.md
//
// writes the page anew. A change of any of its bits is a change of the
// numerics: raise kNumericsVersion with it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/graph/backend.h"
#include "engine/graph/builder.h"
#include "engine/io/file.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/random_stream.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/round_to_type.h"
#include "engine/training/initialize.h"
#include "engine/training/progress.h"
#include "engine/training/trainer.h"
#include "google/protobuf/text_format.h"
#include "tests/worked_examples_page.h"

ABSL_FLAG(std::string, page, "engine/numerics/worked_examples.md",
          "Page to hold.");
ABSL_FLAG(std::string, write, "", "File to write the page to.");

namespace repro16 {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint64_t kSeed = 253;
constexpr int64_t kBatch = 3;
constexpr int64_t kClasses = 3;
constexpr double kEpsilon = 1e-3;

struct Example {
  std::string_view policy;
  std::string_view optimizer;  // an OptimizerSpec in text form
  std::string_view remark;
};

constexpr Example kExamples[] = {
    {"FP32",
     "adam { learning_rate: 0.01 beta_1: 0.9 beta_2: 0.999 epsilon: 1e-7 }",
     "The measure of the others."},
    {"FP16", "sgd { learning_rate: 0.01 momentum: 0.9 }",
     "Sums are f32: `dense_1[0, 0]` is rounded once, after its bias."},
    {"FP16_BN32",
     "adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999 epsilon: 1e-4 }",
     "The rate is the f16 number 1419 (0.0010004) for every parameter; betas "
     "and epsilon are f32 for those of `batch_norm_1`."},
    {"MP", "sgd { learning_rate: 0.01 momentum: 0.9 }",
     "Parameters are f32 masters; operations read `dense_1` and `dense_2` "
     "rounded to f16. Gradients are those of the loss times its scale. Step 0 "
     "overflows and is skipped, so that the moving statistics alone have "
     "moved; step 1, with half the scale, is shown tensor by tensor too."},
    {"BF16", "rmsprop { learning_rate: 0.01 rho: 0.9 epsilon: 1e-3 }",
     "Each operation of the update is rounded to bf16."},
    {"FP16_ACC16", "sgd { learning_rate: 0.05 }",
     "The accumulator is rounded twice a term: compare `dense_1[0, 0]` with "
     "FP16's."},
};

constexpr std::string_view kIntroduction =
    R"(# Two training steps, bit by bit

One tiny run in each policy, with every number that the engine stores, to check a reading of [the contract](README.md) by hand or by script.
`//tests:worked_examples_test` holds this page to the engine; `//tests:contract_test` holds it to a program of Python's standard library that was
written from the contract ([numbers](../../tests/contract_numerics.py), [run](../../tests/worked_examples.py)).

Each tensor is its name, its type and its shape, then its elements in row-major order: the bits in hexadecimal, and the number in as many decimal digits as tell
it from its neighbours. `int` and `u32` are whole numbers, the latter in hexadecimal.

| | operation | parameters, by index |
| --- | --- | --- |
| 0 | `flatten_1`, of images [1, 1, 3] | |
| 1 | `dense_1`, 2 units, Glorot-uniform, L2 of the kernel 0.3 | 0 kernel, 1 bias |
| 2 | `batch_norm_1`, epsilon 1e-3, momentum 0.99 | 2 gamma, 3 beta, 4 moving mean, 5 moving variance |
| 3 | `relu_1` | |
| 4 | `dropout_1`, rate 0.25 | |
| 5 | `dense_2`, 3 units, He-normal | 6 kernel, 7 bias |
| 6, 7 | `softmax_1` (evaluation), `softmax_cross_entropy_1` | |

The seed is 253, the normalization "standardized", the batch size 3, and there is one epoch: step 0 has three examples, step 1 the two that are left. Step 0 is
shown tensor by tensor. `mean`, `variance` and `inv` are what `batch_norm_1` computes of `dense_1` in f32; `dense_1[0, 0] term by term` is the accumulator of that
element's sum after each term. Biases and beta start at 0, gamma at 1, the moving statistics at 0 and 1, slots at 0. After the two steps the test images are
evaluated, in batches of 3 and 1.
)";

// --- The run -----------------------------------------------------------------

Graph BuildNetwork() {
  GraphBuilder b;
  TensorId x = b.Flatten(b.Input(Shape({1, 1, 3})));
  x = b.Dense(x, 2, Initializer::kGlorotUniform, /*l2=*/0.3);
  x = b.Dropout(b.Relu(b.BatchNorm(x, kEpsilon, /*momentum=*/0.99)), 0.25);
  return *std::move(b).Classifier(b.Dense(x, kClasses, Initializer::kHeNormal));
}

Dataset MakeData() {
  Dataset data;
  data.name = "worked examples";
  data.height = 1;
  data.width = 1;
  data.channels = 3;
  data.classes = kClasses;
  data.train = {
      5,
      {12, 200, 97, 255, 31, 140, 64, 64, 180, 0, 222, 119, 173, 88, 5},
      {0, 2, 1, 1, 0}};
  data.test = {
      4, {20, 190, 101, 240, 60, 130, 90, 40, 210, 150, 150, 25}, {0, 2, 1, 0}};
  return data;
}

RunSpec MakeSpec(const Example& example) {
  RunSpec spec;
  spec.set_model("worked example");
  spec.set_policy(std::string(example.policy));
  spec.set_backend("cpu");
  spec.set_seed(kSeed);
  spec.set_epochs(1);
  spec.set_batch_size(kBatch);
  spec.mutable_data()->set_normalization("standardized");
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      std::string(example.optimizer), spec.mutable_optimizer()));
  return spec;
}

std::vector<float> ToFloats(DType type, const Bytes& bytes) {
  const size_t size = SizeOf(type);
  std::vector<float> values;
  for (size_t i = 0; i < bytes.size(); i += size) {
    uint16_t half = 0;
    float x = 0;
    std::memcpy(size == 4 ? static_cast<void*>(&x) : &half, &bytes[i], size);
    if (type == DType::kF16) x = ToFloat(Binary16{half});
    if (type == DType::kBF16) x = ToFloat(BFloat16{half});
    values.push_back(x);
  }
  return values;
}

// The order of the examples of epoch 1.
std::vector<uint32_t> Order(const Dataset& data) {
  return Permutation(static_cast<uint32_t>(data.train.count),
                     RandomStream(kSeed, RandomPurpose::kShuffle, /*step=*/1));
}

// One policy's section of the page.
class PolicyRun {
 public:
  PolicyRun(const Example& example, WorkedExamplesPage& page)
      : spec_(MakeSpec(example)),
        policy_(*FindPolicy(example.policy)),
        page_(page) {
    CompileOptions options;
    options.max_batch = kBatch;
    options.optimizer = spec_.optimizer();
    options.seed = kSeed;
    options.keep_all_tensors = true;
    program_ = *backend_->Compile(graph_, policy_, options);
    EXPECT_TRUE(InitializeParameters(graph_, kSeed, *program_).ok());
    EXPECT_TRUE(program_
                    ->SetInputTable(*NormalizationTable(
                        spec_.data().normalization(), data_.train))
                    .ok());
    order_ = Order(data_);
    images_ = Upload(data_.train.images.data(), data_.train.images.size());
    labels_ = Upload(data_.train.labels.data(), data_.train.labels.size());
    device_order_ = Upload(order_.data(), order_.size() * sizeof(order_[0]));
  }

  void Write() {
    page_.Text("### Before");
    for (const ParameterId kernel : {0, 6}) WriteParameter(kernel);
    WriteStep(0);
    WriteStep(1);
    WriteEvaluation();
  }

 private:
  std::unique_ptr<DeviceBuffer> Upload(const void* from, size_t bytes) {
    auto buffer = *backend_->Allocate(static_cast<int64_t>(bytes));
    EXPECT_TRUE(
        backend_->Upload({static_cast<const uint8_t*>(from), bytes}, *buffer)
            .ok());
    return buffer;
  }

  void WriteStep(int64_t step) {
    const int64_t first = step * kBatch;
    const int64_t batch = std::min(kBatch, data_.train.count - first);
    page_.Text(absl::StrCat("### Step ", step, ": examples [",
                            absl::StrJoin(order_.begin() + first,
                                          order_.begin() + first + batch, ", "),
                            "]"));
    // As operations of this step read it.
    const std::vector<float> kernel =
        ToFloats(program_->ParameterType(0), *program_->ReadParameter(0));
    const BatchSource source{images_.get(), labels_.get(), device_order_.get()};
    EXPECT_TRUE(program_->TrainStep(source, first, batch, step).ok());
    const BatchRecord record = (*program_->TakeRecords())[0];
    losses_.push_back(record.loss);
    const bool all = step == 0 || policy_.dynamic_loss_scale;
    if (all) WriteForward(batch, kernel);
    page_.Floats("loss", DType::kF32, {}, {record.loss});
    if (all) WriteBackward(batch);
    if (policy_.dynamic_loss_scale) {
      page_.Floats("loss scale", DType::kF32, {}, {record.loss_scale});
      page_.Integers<int>("skipped", {}, {record.skipped ? 1 : 0});
    }
    page_.Text(absl::StrCat("### After step ", step));
    WriteState();
  }

  void WriteForward(int64_t batch, const std::vector<float>& kernel) {
    for (const Op& op : graph_.ops) {
      if (op.output == graph_.probabilities) continue;
      if (op.name == "dense_1") WriteTerms(op, kernel);
      if (op.kind == OpKind::kBatchNorm) WriteMoments(op, batch);
      const bool is_loss = op.output == graph_.loss;
      const DType type = is_loss ? DType::kF32 : policy_.activation;
      page_.Floats(op.name, type, BatchShape(op.output, batch),
                   ReadActivation(op.output, batch, type));
    }
  }

  // The first sum of the first dense layer.
  void WriteTerms(const Op& op, const std::vector<float>& kernel) {
    const std::vector<float> x =
        ReadActivation(op.inputs[0], 1, policy_.activation);
    DotSum sum(policy_.accumulator);
    std::vector<float> chain;
    for (size_t i = 0; i < x.size(); ++i) {
      sum.AddTerm(x[i], RoundToType(kernel[2 * i], policy_.activation));
      chain.push_back(sum.Total());
    }
    page_.Floats(absl::StrCat(op.name, "[0, 0] term by term"),
                 policy_.accumulator, {static_cast<int64_t>(chain.size())},
                 chain);
  }

  void WriteMoments(const Op& op, int64_t batch) {
    const std::vector<float> x =
        ReadActivation(op.inputs[0], batch, policy_.activation);
    std::vector<float> mean, variance, inv;
    const size_t channels = 2;
    for (size_t c = 0; c < channels; ++c) {
      std::vector<float> column;
      for (size_t i = c; i < x.size(); i += channels) column.push_back(x[i]);
      const Moments moments =
          ComputeMoments(column.data(), static_cast<int64_t>(column.size()));
      mean.push_back(moments.mean);
      variance.push_back(moments.biased_variance);
      inv.push_back(
          Rsqrt(moments.biased_variance + static_cast<float>(kEpsilon)));
    }
    page_.Floats("mean", DType::kF32, {2}, mean);
    page_.Floats("variance", DType::kF32, {2}, variance);
    page_.Floats("inv", DType::kF32, {2}, inv);
  }

  void WriteBackward(int64_t batch) {
    for (size_t i = graph_.ops.size(); i-- > 0;) {
      const Op& op = graph_.ops[i];
      const auto gradient = program_->ReadGradient(op.output, batch);
      if (!gradient.ok()) continue;  // of the probabilities, say
      page_.Floats(absl::StrCat("gradient of ", op.name), policy_.activation,
                   BatchShape(op.output, batch),
                   ToFloats(policy_.activation, *gradient));
      for (const ParameterId id : op.parameters) {
        const Parameter& parameter = graph_.parameters[id];
        if (!parameter.trainable()) continue;
        const DType type = TypeOf(parameter, policy_.weight_gradient);
        page_.Floats(absl::StrCat(parameter.name, " gradient"), type,
                     parameter.shape.dims(),
                     ToFloats(type, *program_->ReadParameterGradient(id)));
      }
    }
  }

  void WriteState() {
    const auto count = static_cast<ParameterId>(graph_.parameters.size());
    for (ParameterId id = 0; id < count; ++id) WriteParameter(id);
    for (ParameterId id = 0; id < count; ++id) {
      const Parameter& parameter = graph_.parameters[id];
      if (!parameter.trainable()) continue;
      for (int slot = 0; slot < program_->num_slots(); ++slot) {
        const DType type = TypeOf(parameter, policy_.update);
        page_.Floats(absl::StrCat(parameter.name, " slot ", slot), type,
                     parameter.shape.dims(),
                     ToFloats(type, *program_->ReadSlot(id, slot)));
      }
    }
  }

  void WriteParameter(ParameterId id) {
    const DType type = program_->ParameterType(id);
    page_.Floats(graph_.parameters[id].name, type,
                 graph_.parameters[id].shape.dims(),
                 ToFloats(type, *program_->ReadParameter(id)));
  }

  // What a trainer makes of the same run: the same losses and weights, and what
  // comes of the whole epoch.
  void WriteEvaluation() {
    const auto progress = *MakeProgress("none", stderr);
    const auto output = *Train(spec_, graph_, data_, *backend_, *progress);
    for (size_t step = 0; step < losses_.size(); ++step) {
      EXPECT_EQ(output.result.steps(static_cast<int>(step)).loss(),
                losses_[step]);
    }
    for (size_t i = 0; i < graph_.parameters.size(); ++i) {
      const Bytes bytes = *program_->ReadParameter(static_cast<ParameterId>(i));
      EXPECT_EQ(output.weights.tensors[i].bytes,
                std::string(bytes.begin(), bytes.end()))
          << graph_.parameters[i].name;
    }
    const std::string& bytes = output.probabilities.tensors[0].bytes;
    page_.Text("### Evaluation");
    page_.Doubles("train_loss", {}, {output.result.epochs(0).train_loss()});
    page_.Floats(
        "probabilities", policy_.activation, {data_.test.count, kClasses},
        ToFloats(policy_.activation, Bytes(bytes.begin(), bytes.end())));
    page_.Doubles("test_loss", {}, {output.result.epochs(0).test_loss()});
  }

  std::vector<float> ReadActivation(TensorId id, int64_t batch, DType type) {
    return ToFloats(type, *program_->ReadTensor(id, batch));
  }

  std::vector<int64_t> BatchShape(TensorId id, int64_t batch) const {
    std::vector<int64_t> shape = graph_.tensors[id].shape.dims();
    shape.insert(shape.begin(), batch);
    return shape;
  }

  DType TypeOf(const Parameter& parameter, DType of_weights) const {
    return parameter.role == ParameterRole::kWeight ? of_weights
                                                    : policy_.batch_norm;
  }

  const RunSpec spec_;
  const PrecisionPolicy policy_;
  const Graph graph_ = BuildNetwork();
  const Dataset data_ = MakeData();
  WorkedExamplesPage& page_;
  std::unique_ptr<Backend> backend_ = *CreateBackend("cpu", {/*threads=*/1});
  std::unique_ptr<Program> program_;
  std::vector<uint32_t> order_;
  std::unique_ptr<DeviceBuffer> images_, labels_, device_order_;
  std::vector<float> losses_;
};

// --- What policies share -----------------------------------------------------

void WriteShared(WorkedExamplesPage& page) {
  const Dataset data = MakeData();
  const Graph graph = BuildNetwork();
  page.Text("\n## What every policy shares");
  page.Integers("training images", {5, 3}, data.train.images);
  page.Integers("training labels", {5}, data.train.labels);
  page.Integers("test images", {4, 3}, data.test.images);
  page.Integers("test labels", {4}, data.test.labels);
  const auto table = *NormalizationTable("standardized", data.train);
  std::vector<double> inputs;
  for (const uint8_t x : data.train.images) inputs.push_back(table[x]);
  page.Doubles("inputs", {5, 3}, inputs);
  const auto init = [](uint32_t part) {
    return RandomStream(kSeed, RandomPurpose::kInit, /*step=*/0, part);
  };
  page.Words("words of dense_1/kernel", {6}, init(0));
  page.Floats("draws of dense_1/kernel", DType::kF32, {3, 2},
              InitialValues(graph.parameters[0], 0, kSeed));
  page.Words("words of dense_2/kernel", {6, 4}, init(6));
  page.Floats("draws of dense_2/kernel", DType::kF32, {2, 3},
              InitialValues(graph.parameters[6], 6, kSeed));
  page.Words("words of the order", {4},
             RandomStream(kSeed, RandomPurpose::kShuffle, /*step=*/1));
  page.Integers("order", {5}, Order(data));
  for (const auto& [step, elements] : {std::pair<uint32_t, int64_t>{0, 6},
                                       std::pair<uint32_t, int64_t>{1, 4}}) {
    page.Words(absl::StrCat("words of dropout_1, step ", step), {elements},
               RandomStream(kSeed, RandomPurpose::kDropout, step, /*part=*/4));
  }
}

void WriteElementary(WorkedExamplesPage& page) {
  page.Text("\n## Elementary functions\n\nOperand and result.\n");
  const auto write = [&page](std::string_view name, float (*function)(float),
                             const std::vector<float>& operands) {
    std::vector<float> values;
    for (const float x : operands) {
      values.push_back(x);
      values.push_back(function(x));
    }
    page.Floats(name, DType::kF32, {static_cast<int64_t>(operands.size()), 2},
                values);
  };
  // Among them some whose result another order of operations would change.
  write("Exp", Exp, {-100.0f, -17.25f, -5.9f, -3.1f, 0.7f, 88.5f});
  write("Log", Log, {0x1p-140f, 0x1p-24f, 0.866f, 1.3538f, 5.541f, 1000.0f});
  write("Tanh", Tanh, {-3.0f, -0.1f, 0.0955f, 0.396f, 0.55f, 0.65f});
  write("Erf", Erf, {-2.5f, -0.1f, 0.9f, 1.0f});
  write("Gelu", Gelu, {-5.5f, -0.95f, -0.7f, 0.1f, 3.0f});
  write("GeluDerivative", GeluDerivative, {-5.5f, -0.95f, -0.7f, 0.1f, 3.0f});
  write("Rsqrt", Rsqrt, {0.001f, 0.7f, 3.0f, 1000.0f});
  write("CosTwoPi", CosTwoPi, {0.1f, 0.3f, 0.6f, 0.9f});
}

void WriteLongSums(WorkedExamplesPage& page) {
  page.Text(R"(
## Long sums

Of 600 positions: a[i] and b[i] are 2 u - 1, rounded to f16, with u = Uniform(2i) and Uniform(2i + 1) of the stream of `dense_1/kernel`. The dot products have no
term where i mod 3 is 1, as padding and the gaps of a stride have none.
)");
  const RandomStream stream(kSeed, RandomPurpose::kInit);
  const auto draw = [&stream](uint64_t i) {
    return RoundToType(2 * stream.Uniform(i) - 1, DType::kF16);
  };
  DotSum wide(DType::kF32);
  DotSum narrow(DType::kF16);
  RowSum sum;
  for (uint64_t i = 0; i < 600; ++i) {
    const float a = draw(2 * i);
    const float b = draw(2 * i + 1);
    sum.AddTerm(a);
    for (DotSum* dot : {&wide, &narrow}) {
      if (i % 3 == 1) {
        dot->SkipTerm();
      } else {
        dot->AddTerm(a, b);
      }
    }
  }
  page.Floats("dot product, f32 accumulator", DType::kF32, {}, {wide.Total()});
  page.Floats("dot product, f16 accumulator", DType::kF16, {},
              {narrow.Total()});
  page.Floats("sum of a", DType::kF32, {}, {sum.Total()});
}

void WriteMadeUpData(WorkedExamplesPage& page) {
  page.Text(
      "\n## Made-up data\n\nThe digest (`Dataset::digest`) of the first 100 "
      "training and 50 test examples.\n");
  for (const char* name : {"synthetic_mnist", "synthetic_cifar10"}) {
    DataSpec spec;
    spec.set_dataset(name);
    spec.set_train_examples(100);
    spec.set_test_examples(50);
    page.Tensor(name, "sha256", {}, {LoadDataset(spec, "")->digest});
  }
}

std::string WritePage() {
  WorkedExamplesPage page;
  page.Text(absl::StripSuffix(kIntroduction, "\n"));
  WriteShared(page);
  WriteElementary(page);
  WriteLongSums(page);
  WriteMadeUpData(page);
  for (const Example& example : kExamples) {
    page.Text(absl::StrCat("\n## ", example.policy, "\n\n`", example.optimizer,
                           "`: ", example.remark, "\n"));
    PolicyRun(example, page).Write();
  }
  return std::move(page).Finish();
}

TEST(WorkedExamplesTest, ThePageIsWhatTheEngineGives) {
  const auto held = ReadFile(absl::GetFlag(FLAGS_page));
  ASSERT_TRUE(held.ok()) << held.status();
  const std::vector<std::string> expected = absl::StrSplit(*held, '\n');
  const std::vector<std::string> got = absl::StrSplit(WritePage(), '\n');
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i], expected[i]) << "line " << i + 1;
  }
}

TEST(WorkedExamplesTest, EveryPolicyHasOne) {
  ASSERT_EQ(std::size(kExamples), AllPolicies().size());
  for (size_t i = 0; i < AllPolicies().size(); ++i) {
    EXPECT_EQ(kExamples[i].policy, AllPolicies()[i].name);
  }
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  const std::string write = absl::GetFlag(FLAGS_write);
  if (write.empty()) return RUN_ALL_TESTS();
  const absl::Status status =
      repro16::WriteFileAtomically(write, repro16::WritePage());
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 2;
}
