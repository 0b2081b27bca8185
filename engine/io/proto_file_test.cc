#include "engine/io/proto_file.h"

#include <cstddef>
#include <fstream>
#include <ios>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "engine/io/file.h"
#include "engine/run/run.pb.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

std::string TempPath(const std::string& name) {
  return testing::TempDir() + "/proto_file_test_" + name;
}

// Without the flush to the disk of WriteFileAtomically.
void Write(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

RunSpec Mnist() {
  RunSpec spec;
  spec.set_model("mlp");
  spec.set_epochs(10);
  spec.mutable_optimizer()->mutable_sgd()->set_learning_rate(0.01);
  return spec;
}

absl::Status Parse(const std::string& text, RunSpec* spec) {
  return ParseTextProto(text, "run.textproto", spec);
}

TEST(TextProtoTest, Parses) {
  RunSpec spec;
  spec.set_scale("held before");
  ASSERT_TRUE(Parse("# a comment\n"
                    "model: \"mlp\"\n"
                    "epochs: 10\n"
                    "optimizer { sgd { learning_rate: 0.01 } }\n",
                    &spec)
                  .ok());
  EXPECT_EQ(spec.SerializeAsString(), Mnist().SerializeAsString());
}

TEST(TextProtoTest, FaultsAreOneLineWithTheirPlace) {
  RunSpec spec;
  EXPECT_EQ(Parse("model: \"mlp\"\n  modle: \"x\"\n", &spec).message(),
            "run.textproto:2:8: Message type \"repro16.RunSpec\" has no field "
            "named \"modle\"; correct the text (it is to be a "
            "repro16.RunSpec)");
  EXPECT_EQ(Parse("epochs: ten\n", &spec).message(),
            "run.textproto:1:9: Expected integer, got: ten; correct the text "
            "(it is to be a repro16.RunSpec)");
  // Two faults, the first of which is told.
  EXPECT_EQ(Parse("\nepochs: 1.5\nseed: -1\n", &spec).message(),
            "run.textproto:2:9: Expected integer, got: 1.5; correct the text "
            "(it is to be a repro16.RunSpec)");
  EXPECT_TRUE(absl::StartsWith(Parse("optimizer {\n", &spec).message(),
                               "run.textproto:2:1: "));
}

TEST(TextProtoTest, FileRoundTrip) {
  const std::string path = TempPath("text");
  ASSERT_TRUE(WriteTextProto(path, Mnist()).ok());
  EXPECT_EQ(*ReadFile(path),
            "model: \"mlp\"\n"
            "epochs: 10\n"
            "optimizer {\n  sgd {\n    learning_rate: 0.01\n  }\n}\n");
  RunSpec spec;
  ASSERT_TRUE(ReadTextProto(path, &spec).ok());
  EXPECT_EQ(spec.SerializeAsString(), Mnist().SerializeAsString());
}

TEST(TextProtoTest, MissingFile) {
  RunSpec spec;
  EXPECT_EQ(ReadTextProto(TempPath("none"), &spec).code(),
            absl::StatusCode::kNotFound);
}

TEST(BinaryProtoTest, RoundTrip) {
  const std::string path = TempPath("binary");
  for (const RunSpec& spec : {Mnist(), RunSpec()}) {
    ASSERT_TRUE(WriteBinaryProto(path, spec).ok());
    RunSpec read;
    read.set_scale("held before");
    ASSERT_TRUE(ReadBinaryProto(path, &read).ok());
    EXPECT_EQ(read.SerializeAsString(), spec.SerializeAsString());
  }
}

TEST(BinaryProtoTest, SealedFileIsStillAPlainMessage) {
  const std::string path = TempPath("plain");
  ASSERT_TRUE(WriteBinaryProto(path, Mnist()).ok());
  RunSpec read;
  ASSERT_TRUE(read.ParseFromString(*ReadFile(path)));
  read.DiscardUnknownFields();
  EXPECT_EQ(read.SerializeAsString(), Mnist().SerializeAsString());
}

TEST(BinaryProtoTest, EveryTruncationAndEveryFlippedBitIsFound) {
  const std::string path = TempPath("damaged");
  ASSERT_TRUE(WriteBinaryProto(path, Mnist()).ok());
  const std::string whole = *ReadFile(path);
  RunSpec read;
  for (size_t size = 0; size < whole.size(); ++size) {
    Write(path, whole.substr(0, size));
    EXPECT_EQ(ReadBinaryProto(path, &read).code(), absl::StatusCode::kDataLoss)
        << size << " bytes";
  }
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] ^= 1 << (bit % 8);
    Write(path, damaged);
    EXPECT_EQ(ReadBinaryProto(path, &read).code(), absl::StatusCode::kDataLoss)
        << "bit " << bit;
  }
}

TEST(BinaryProtoTest, OtherTypeAndForeignFile) {
  const std::string path = TempPath("foreign");
  RunSpec spec;
  ASSERT_TRUE(WriteBinaryProto(path, RunTelemetry()).ok());
  EXPECT_EQ(ReadBinaryProto(path, &spec).message(),
            path +
                ": not a whole repro16.RunSpec as written by this project; "
                "write it again or name another file");
  Write(path, Mnist().SerializeAsString());
  EXPECT_EQ(ReadBinaryProto(path, &spec).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace repro16
