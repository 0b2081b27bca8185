#include "engine/training/checkpoint.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/graph/builder.h"
#include "engine/io/file.h"
#include "engine/numerics/version.h"
#include "engine/training/graph_digest.h"
#include "engine/training/progress.h"
#include "engine/training/trainer.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

constexpr char kSgd[] = "sgd { learning_rate: 0.05 momentum: 0.9 }";
constexpr char kAdam[] =
    "adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999 epsilon: 0.001 }";

RunSpec Spec(const std::string& policy, const std::string& optimizer = kAdam) {
  RunSpec spec;
  // Five training batches an epoch, the last of them smaller, and two of
  // evaluation.
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "model: 'small' policy: '" + policy +
          R"(' backend: 'cpu' seed: 3 epochs: 2 batch_size: 64
      data { dataset: 'synthetic_mnist' train_examples: 300 test_examples: 100
             normalization: 'unit' } optimizer { )" +
          optimizer + " }",
      &spec));
  return spec;
}
constexpr int kBatches = 2 * (5 + 2);

// All that a step hands to the next: weights, moving statistics, and a dropout
// whose masks depend on the step.
Graph SmallGraph(double dropout = 0.1) {
  GraphBuilder b;
  TensorId x = b.Flatten(b.Input(Shape({28, 28, 1})));
  x = b.Relu(b.BatchNorm(b.Dense(x, 16)));
  x = b.Dropout(x, dropout);
  return *std::move(b).Classifier(b.Dense(x, 10));
}

void ExpectSame(const RunOutput& a, const RunOutput& b) {
  EXPECT_TRUE(a.finished && b.finished);
  EXPECT_EQ(a.result.SerializeAsString(), b.result.SerializeAsString());
  EXPECT_EQ(a.result.weights_sha256(), b.result.weights_sha256());
  EXPECT_EQ(a.diagnosis.SerializeAsString(), b.diagnosis.SerializeAsString());
  EXPECT_EQ(*SerializeSafetensors(a.probabilities),
            *SerializeSafetensors(b.probabilities));
}

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest()
      : backend_(*CreateBackend("cpu", {1})),
        data_(*LoadDataset(Spec("FP32").data(), "")) {}

  absl::StatusOr<RunOutput> TryTrain(const RunSpec& spec,
                                     TrainOptions options) {
    Progress progress;
    options.diagnose = diagnose_;
    return Train(spec, graph_, data_, *backend_, progress, options);
  }

  RunOutput MustTrain(const RunSpec& spec, const TrainOptions& options = {}) {
    auto output = TryTrain(spec, options);
    EXPECT_TRUE(output.ok()) << output.status();
    return *std::move(output);
  }

  // Trains, from `from` or the start, until so many batches have run.
  RunOutput StopAfter(int batches, const RunSpec& spec, const Checkpoint* from,
                      Checkpoint* checkpoint) {
    TrainOptions options;
    if (from != nullptr) {
      options.resume_from = std::make_shared<const Checkpoint>(*from);
    }
    options.save = [checkpoint](const Checkpoint& saved) {
      *checkpoint = saved;
      return absl::OkStatus();
    };
    options.stop = [&batches] { return --batches == 0; };
    return MustTrain(spec, options);
  }

  Checkpoint CheckpointAfter(int batches, const RunSpec& spec) {
    Checkpoint checkpoint;
    EXPECT_FALSE(StopAfter(batches, spec, nullptr, &checkpoint).finished);
    return checkpoint;
  }

  // Writes the checkpoint and reads it back for a run of `spec`.
  std::string ErrorFor(const Checkpoint& checkpoint, const RunSpec& spec) {
    EXPECT_TRUE(WriteCheckpoint(path_, checkpoint).ok());
    return std::string(
        ReadCheckpoint(path_, spec, data_.digest, graph_).status().message());
  }

  // From a checkpoint after so many batches to what the whole run gives.
  void ExpectToGoOn(const RunSpec& spec, int batches) {
    const Checkpoint checkpoint = CheckpointAfter(batches, spec);
    TrainOptions options;
    options.resume_from = std::make_shared<const Checkpoint>(checkpoint);
    ExpectSame(MustTrain(spec, options), MustTrain(spec));
  }

  std::unique_ptr<Backend> backend_;
  Dataset data_;
  Graph graph_ = SmallGraph();
  bool diagnose_ = false;
  std::string path_ = testing::TempDir() + "/run.checkpoint";
};

TEST_F(CheckpointTest, ARunGoesOnToTheSameBitsFromEveryBatch) {
  for (int batches = 1; batches <= kBatches; ++batches) {
    SCOPED_TRACE(batches);
    ExpectToGoOn(Spec("MP"), batches);
  }
}

TEST_F(CheckpointTest, ARunGoesOnToTheSameBitsInEveryPolicy) {
  for (const RunSpec& spec : {Spec("FP32", kSgd), Spec("FP16"),
                              Spec("FP16_BN32"), Spec("BF16", kSgd)}) {
    SCOPED_TRACE(spec.policy());
    // In an epoch's training, its evaluation, and in the next epoch.
    for (int batches : {2, 6, 9}) ExpectToGoOn(spec, batches);
  }
}

TEST_F(CheckpointTest, ADiagnosisGoesOnToTheSameBytesFromEveryBatch) {
  diagnose_ = true;
  const RunSpec spec = Spec("FP16");
  EXPECT_EQ(MustTrain(spec).diagnosis.epochs(1).parameters_size(), 6);
  for (int batches = 1; batches <= kBatches; ++batches) {
    SCOPED_TRACE(batches);
    ExpectToGoOn(spec, batches);
  }
}

TEST_F(CheckpointTest, ARunCanBeStoppedAgainAndAgain) {
  const RunSpec spec = Spec("MP");
  const RunOutput whole = MustTrain(spec);
  Checkpoint checkpoint = CheckpointAfter(1, spec);
  for (int stops = 1; stops < 100; ++stops) {
    const Checkpoint before = checkpoint;
    // Two batches: an evaluation that is cut short starts anew.
    const RunOutput output = StopAfter(3, spec, &before, &checkpoint);
    if (!output.finished) continue;
    ExpectSame(output, whole);
    EXPECT_GE(stops, 3);
    return;
  }
  FAIL() << "it does not come to its end";
}

TEST_F(CheckpointTest, HoldsAllOfAProgramsState) {
  Checkpoint checkpoint = CheckpointAfter(3, Spec("MP"));
  EXPECT_EQ(checkpoint.updates(), 3);
  EXPECT_EQ(checkpoint.loss_scale(), 32768);
  EXPECT_EQ(checkpoint.good_steps(), 3);
  ASSERT_EQ(checkpoint.parameters_size(), 8);
  EXPECT_EQ(checkpoint.parameters(2).name(), graph_.parameters[2].name);
  EXPECT_EQ(checkpoint.parameters(0).slots_size(), 2);
  checkpoint.set_loss_scale(1024);
  checkpoint.set_good_steps(77);
  checkpoint.set_updates(5);

  CompileOptions options;
  options.max_batch = 64;
  options.optimizer = Spec("MP").optimizer();
  auto program = backend_->Compile(graph_, *FindPolicy("MP"), options);
  ASSERT_TRUE(program.ok());
  ASSERT_TRUE(RestoreProgram(checkpoint, graph_, **program).ok());
  const auto again = MakeCheckpoint(checkpoint.run(), graph_, **program);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), checkpoint.SerializeAsString());
}

TEST_F(CheckpointTest, TheLossScaleGoesOnCounting) {
  Checkpoint checkpoint = CheckpointAfter(3, Spec("MP"));
  checkpoint.set_good_steps(1999);
  TrainOptions options;
  options.resume_from = std::make_shared<const Checkpoint>(checkpoint);
  const RunResult result = MustTrain(Spec("MP"), options).result;
  ASSERT_EQ(result.loss_scale_history_size(), 2);
  EXPECT_EQ(result.loss_scale_history(1).loss_scale(), 65536);
  // Step 3 is the 2000th good one in a row.
  EXPECT_EQ(result.loss_scale_history(1).step(), 4);
}

TEST_F(CheckpointTest, IsKeptAsOftenAsAskedFor) {
  int saved = 0;
  TrainOptions options;
  options.save = [&saved](const Checkpoint& /*checkpoint*/) {
    ++saved;
    return absl::OkStatus();
  };
  MustTrain(Spec("FP16"), options);
  EXPECT_EQ(saved, 0);
  options.save_steps = 3;
  MustTrain(Spec("FP16"), options);
  EXPECT_EQ(saved, 3);  // of ten steps
  options.save_steps = 0;
  options.save_seconds = 1e-9;
  MustTrain(Spec("FP16"), options);
  EXPECT_EQ(saved, 3 + 10);
}

TEST_F(CheckpointTest, AFailureToKeepItWhereTheRunStopsIsItsError) {
  TrainOptions options;
  options.stop_after_epoch = 1;
  options.save = [](const Checkpoint& /*checkpoint*/) {
    return absl::ResourceExhaustedError("disk full");
  };
  EXPECT_EQ(TryTrain(Spec("FP16"), options).status().message(), "disk full");
}

TEST_F(CheckpointTest, SegmentsGiveTheWholeRun) {
  const RunSpec spec = Spec("FP16");
  Checkpoint checkpoint;
  TrainOptions options;
  options.save = [&checkpoint](const Checkpoint& saved) {
    checkpoint = saved;
    return absl::OkStatus();
  };
  options.stop_after_epoch = 1;
  const RunOutput first = MustTrain(spec, options);
  EXPECT_FALSE(first.finished);
  EXPECT_EQ(first.result.epochs_size(), 1);
  EXPECT_EQ(checkpoint.run().epoch(), 2);
  const Checkpoint between = checkpoint;
  options.resume_from = std::make_shared<const Checkpoint>(between);
  options.stop_after_epoch = 2;  // the last: the run ends
  ExpectSame(MustTrain(spec, options), MustTrain(spec));
}

TEST_F(CheckpointTest, ASegmentThatIsThereAlreadyTrainsNothing) {
  const RunSpec spec = Spec("FP16");
  Checkpoint checkpoint;
  TrainOptions options;
  options.save = [&checkpoint](const Checkpoint& saved) {
    checkpoint = saved;
    return absl::OkStatus();
  };
  options.stop_after_epoch = 1;
  MustTrain(spec, options);
  const Checkpoint at_end = checkpoint;
  // As soon as it has ended, and three batches into the next epoch.
  for (const Checkpoint& from : {at_end, CheckpointAfter(7 + 3, spec)}) {
    ASSERT_EQ(from.run().epoch(), 2);
    int batches = 0;
    options.stop = [&batches] { return ++batches < 0; };
    options.resume_from = std::make_shared<const Checkpoint>(from);
    checkpoint.Clear();
    EXPECT_FALSE(MustTrain(spec, options).finished);
    EXPECT_EQ(batches, 0);
    EXPECT_EQ(checkpoint.SerializeAsString(), from.SerializeAsString());
  }
}

TEST_F(CheckpointTest, DamageIsSeenWhereverItIs) {
  const RunSpec spec = Spec("FP16");
  ASSERT_EQ(ErrorFor(CheckpointAfter(3, spec), spec), "");
  const std::string good = *ReadFile(path_);
  const auto error = [&](const std::string& contents) {
    EXPECT_TRUE(WriteFileAtomically(path_, contents).ok());
    return std::string(
        ReadCheckpoint(path_, spec, data_.digest, graph_).status().message());
  };
  const std::string damaged = path_ +
                              ": damaged, or not a checkpoint: its checksum "
                              "does not fit; remove it to start anew";
  std::vector<size_t> places = {0, good.size() - 1};
  for (size_t i = 1; i < good.size(); i += 4999) places.push_back(i);
  for (size_t i = good.size() - 45; i < good.size(); ++i) places.push_back(i);
  for (size_t place : places) {
    std::string bad = good;
    bad[place] = static_cast<char>(bad[place] ^ 1);
    ASSERT_EQ(error(bad), damaged) << "byte " << place;
  }
  for (size_t size :
       {size_t{0}, size_t{20}, good.size() / 2, good.size() - 1}) {
    ASSERT_EQ(error(good.substr(0, size)), damaged) << size << " bytes";
  }
  EXPECT_EQ(error(good + "x"), damaged);
  EXPECT_EQ(error("not a checkpoint"), damaged);
  EXPECT_EQ(error(good), "");
}

TEST_F(CheckpointTest, AForeignOneIsRefusedByName) {
  const RunSpec spec = Spec("FP16");
  const Checkpoint checkpoint = CheckpointAfter(3, spec);
  const std::string cure =
      "; start anew with another --checkpoint, or undo the change";
  const auto expect = [&](const Checkpoint& file, const RunSpec& asked,
                          const std::string& what) {
    EXPECT_EQ(ErrorFor(file, asked),
              path_ + ": a checkpoint of " + what + cure);
  };

  RunSpec other = spec;
  other.set_seed(4);
  other.set_epochs(3);
  expect(checkpoint, other, "another specification (modified: seed: 3 -> 4)");
  other = Spec("FP16", kSgd);
  EXPECT_NE(ErrorFor(checkpoint, other).find("optimizer.sgd"),
            std::string::npos);
  other = spec;
  other.mutable_data()->set_normalization("standardized");
  expect(checkpoint, other,
         "another specification (modified: data.normalization: \"unit\" -> "
         "\"standardized\")");

  Checkpoint foreign = checkpoint;
  foreign.mutable_run()->mutable_result()->set_numerics_version(
      kNumericsVersion + 1);
  expect(foreign, spec,
         "numerics version " + std::to_string(kNumericsVersion + 1) +
             ", while this program is of version " +
             std::to_string(kNumericsVersion));
  foreign = checkpoint;
  foreign.mutable_run()->mutable_result()->set_data_digest("ab");
  expect(foreign, spec,
         "other data (SHA-256 ab, now it is " + data_.digest + ")");
  graph_ = SmallGraph(/*dropout=*/0.2);
  expect(checkpoint, spec, "another network that was called small");
}

TEST_F(CheckpointTest, ParametersOfAnotherFormAreRefused) {
  const Checkpoint checkpoint = CheckpointAfter(3, Spec("FP16"));
  CompileOptions compile;
  compile.optimizer = Spec("FP16").optimizer();
  auto program = backend_->Compile(graph_, *FindPolicy("FP16"), compile);
  ASSERT_TRUE(RestoreProgram(checkpoint, graph_, **program).ok());
  Checkpoint bad = checkpoint;
  bad.mutable_parameters(0)->mutable_value()->pop_back();
  EXPECT_FALSE(RestoreProgram(bad, graph_, **program).ok());
  bad = checkpoint;
  bad.mutable_parameters(0)->mutable_slots(1)->push_back('x');
  EXPECT_FALSE(RestoreProgram(bad, graph_, **program).ok());
  bad = checkpoint;
  bad.mutable_parameters()->RemoveLast();
  EXPECT_FALSE(RestoreProgram(bad, graph_, **program).ok());
  auto wide = backend_->Compile(graph_, *FindPolicy("FP32"), compile);
  const std::string error(RestoreProgram(checkpoint, graph_, **wide).message());
  EXPECT_NE(error.find("F16 parameter dense_1/kernel [784, 16] with 2 slots is "
                       "not this network's F32 dense_1/kernel"),
            std::string::npos)
      << error;
}

TEST_F(CheckpointTest, AMissingOneIsNamed) {
  const auto checkpoint =
      ReadCheckpoint(path_ + ".none", Spec("FP16"), data_.digest, graph_);
  EXPECT_TRUE(absl::IsNotFound(checkpoint.status())) << checkpoint.status();
}

TEST(GraphDigestTest, IsThatOfTheArithmetic) {
  EXPECT_EQ(GraphDigest(SmallGraph()), GraphDigest(SmallGraph()));
  EXPECT_NE(GraphDigest(SmallGraph(0.1)), GraphDigest(SmallGraph(0.10000001)));
  Graph other = SmallGraph();
  other.parameters[0].l2 = 1e-4;
  EXPECT_NE(GraphDigest(other), GraphDigest(SmallGraph()));
  other = SmallGraph();
  other.ops[3].kind = OpKind::kTanh;
  EXPECT_NE(GraphDigest(other), GraphDigest(SmallGraph()));
}

}  // namespace
}  // namespace repro16
