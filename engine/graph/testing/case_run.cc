#include "engine/graph/testing/case_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "engine/graph/storage_type.h"
#include "engine/graph/testing/values.h"

namespace repro16 {
namespace {

constexpr uint64_t kSeed = 5;  // of the dropout masks

// Of what is drawn here; parameters take 1, 2, ...
constexpr uint32_t kInputSeed = 1000;
constexpr uint32_t kUpstreamSeed = 1001;
constexpr uint32_t kPixelSeed = 1002;

// Multiples of 1/32 around 0 in random order: up to 256 of them are exact in
// every storage type.
Values DistinctValues(size_t n) {
  Values values(n);
  std::iota(values.begin(), values.end(), -static_cast<double>(n) / 2);
  std::mt19937 random(kInputSeed);
  std::shuffle(values.begin(), values.end(), random);
  for (double& value : values) value = std::floor(value) / 32;
  return values;
}

// Uniform in [-scale, scale), but where `kind` puts another number in place.
Values Draw(size_t n, uint32_t seed, double scale, InputKind kind) {
  Values values = RandomValues(n, seed, scale);
  if (kind != InputKind::kExtreme && kind != InputKind::kNonFinite) {
    return values;
  }
  const Values extreme = {0.0,    -0.0,     0x1p-24, -0x1p-24, 0x1.8p-15,
                          1e-30,  -1e-40,   65504,   -65504,   300,
                          -0.125, 0x1p-126, 6,       0x1p-14};
  const Values non_finite = {INFINITY, -INFINITY, NAN};
  std::mt19937 random(seed);
  for (double& value : values) {
    const uint32_t draw = random();
    const uint32_t which = draw / 64;
    if (draw % 8 == 0) value = extreme[which % extreme.size()];
    if (draw % 64 == 1 && kind == InputKind::kNonFinite) {
      value = non_finite[which % non_finite.size()];
    }
  }
  return values;
}

}  // namespace

CaseRun::CaseRun(Backend& backend, const Graph& graph,
                 const PrecisionPolicy& policy, int64_t batch,
                 double input_scale, InputKind input_kind)
    : backend_(backend),
      graph_(graph),
      policy_(policy),
      batch_(batch),
      input_kind_(input_kind) {
  CompileOptions options;
  options.max_batch = batch;
  options.optimizer.emplace().mutable_sgd()->set_learning_rate(0);
  options.seed = kSeed;
  options.keep_all_tensors = true;
  options.input_gradient = true;
  program_ = *backend_.Compile(graph_, policy, options);
  WriteParameters();
  WriteInput(input_scale);
  Run(/*training=*/false);
  inference_ = Read(/*training=*/false);
  Run(/*training=*/true);
  training_ = Read(/*training=*/true);
}

void CaseRun::WriteParameters() {
  for (size_t i = 0; i < graph_.parameters.size(); ++i) {
    const auto id = static_cast<ParameterId>(i);
    const Parameter& parameter = graph_.parameters[i];
    Values w = Draw(static_cast<size_t>(parameter.shape.NumElements()),
                    static_cast<uint32_t>(i + 1), /*scale=*/1, input_kind_);
    if (!parameter.trainable()) {
      // A variance is positive; a mean may be.
      for (double& value : w) value = 1 + value / 2;
    }
    const Bytes stored = ToBytes(w, StoredType(id));
    EXPECT_TRUE(program_->WriteParameter(id, stored).ok());
    const Values kept = ToValues(stored, StoredType(id));
    parameters_.push_back(parameter.role == ParameterRole::kWeight
                              ? Rounded(kept, policy_.activation)
                              : kept);
  }
}

void CaseRun::WriteInput(double scale) {
  const auto n = static_cast<size_t>(
      batch_ * graph_.tensors[graph_.input].shape.NumElements());
  if (graph_.loss == kNoTensor) {
    input_ = ToBytes(input_kind_ == InputKind::kDistinct
                         ? DistinctValues(n)
                         : Draw(n, kInputSeed, scale, input_kind_),
                     policy_.activation);
    return;
  }
  std::array<double, 256> table;
  const Values draws = Draw(table.size(), kInputSeed, scale, input_kind_);
  std::copy(draws.begin(), draws.end(), table.begin());
  EXPECT_TRUE(program_->SetInputTable(table).ok());

  std::mt19937 random(kPixelSeed);
  Bytes pixels(n);
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(random());
  const auto classes =
      static_cast<uint32_t>(graph_.tensors[graph_.output].shape.NumElements());
  labels_.resize(static_cast<size_t>(batch_));
  for (uint8_t& label : labels_) {
    label = static_cast<uint8_t>(random() % classes);
  }
  images_ = *backend_.Allocate(static_cast<int64_t>(n));
  labels_on_device_ = *backend_.Allocate(batch_);
  EXPECT_TRUE(backend_.Upload(pixels, *images_).ok());
  EXPECT_TRUE(backend_.Upload(labels_, *labels_on_device_).ok());
}

void CaseRun::Run(bool training) {
  if (graph_.loss == kNoTensor) {
    RunWithoutLoss(training);
  } else {
    RunWithLoss(training);
  }
}

void CaseRun::RunWithLoss(bool training) {
  const BatchSource source{images_.get(), labels_on_device_.get()};
  if (!training) {
    EXPECT_TRUE(program_->EvaluateBatch(source, 0, batch_, nullptr).ok());
    return;
  }
  EXPECT_TRUE(program_->TrainStep(source, 0, batch_, 0).ok());
  const BatchRecord record = program_->TakeRecords()->back();
  loss_gradient_ = record.loss_scale / static_cast<double>(batch_);
}

void CaseRun::RunWithoutLoss(bool training) {
  EXPECT_TRUE(program_->WriteInput(input_).ok());
  EXPECT_TRUE(program_->Forward(batch_, training).ok());
  if (!training) return;
  const auto n = static_cast<size_t>(
      batch_ * graph_.tensors[graph_.output].shape.NumElements());
  EXPECT_TRUE(program_
                  ->WriteOutputGradient(
                      ToBytes(Draw(n, kUpstreamSeed, /*scale=*/1, input_kind_),
                              policy_.activation))
                  .ok());
  EXPECT_TRUE(program_->Backward(batch_).ok());
}

PassBytes CaseRun::Read(bool training) {
  PassBytes bytes;
  const auto tensors = static_cast<TensorId>(graph_.tensors.size());
  for (TensorId id = 0; id < tensors; ++id) {
    const bool computed = !(training && id == graph_.probabilities);
    bytes.tensors.push_back(computed ? *program_->ReadTensor(id, batch_)
                                     : Bytes());
    auto gradient = program_->ReadGradient(id, batch_);
    bytes.gradients.push_back(training && gradient.ok() ? *gradient : Bytes());
  }
  for (size_t p = 0; p < graph_.parameters.size(); ++p) {
    const auto id = static_cast<ParameterId>(p);
    bytes.parameters.push_back(*program_->ReadParameter(id));
    bytes.parameter_gradients.push_back(
        training ? *program_->ReadParameterGradient(id) : Bytes());
  }
  return bytes;
}

DType CaseRun::TypeOf(TensorId id) const {
  return StorageType(graph_, policy_, id);
}

DType CaseRun::StoredType(ParameterId id) const {
  return program_->ParameterType(id);
}

DType CaseRun::GradientType(ParameterId id) const {
  return StorageType(policy_, graph_.parameters[id].role,
                     ParameterUse::kGradient);
}

Values CaseRun::Tensor(TensorId id, bool training) const {
  return ToValues(bytes(training).tensors[id], TypeOf(id));
}

Values CaseRun::Gradient(TensorId id) const {
  return ToValues(training_.gradients[id], policy_.activation);
}

Values CaseRun::ParameterGradient(ParameterId id) const {
  return ToValues(training_.parameter_gradients[id], GradientType(id));
}

Values CaseRun::StoredBefore(ParameterId id) const {
  return ToValues(inference_.parameters[id], StoredType(id));
}

Values CaseRun::StoredAfter(ParameterId id) const {
  return ToValues(training_.parameters[id], StoredType(id));
}

ReferencePass CaseRun::Reference(bool training) const {
  ReferencePass pass;
  pass.batch = batch_;
  pass.training = training;
  pass.storage = policy_.activation;
  pass.seed = kSeed;
  pass.labels = labels_;
  return pass;
}

}  // namespace repro16
