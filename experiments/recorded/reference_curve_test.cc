#include "experiments/recorded/reference_curve.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/io/file.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

// As tools/reference/train_keras.py writes it (train_keras_test.py).
constexpr char kWritten[] =
    "experiments/recorded/testdata/keras_curve.textproto";

TEST(ReferenceCurveTest, WhatTheScriptWritesIsRead) {
  const absl::StatusOr<ReferenceCurve> curve = ReadReferenceCurve(kWritten);
  ASSERT_TRUE(curve.ok()) << curve.status();
  EXPECT_EQ(curve->framework(), "Keras 2.15");
  EXPECT_EQ(curve->spec().model(), "mobilenet_v2");
  EXPECT_EQ(curve->spec().optimizer().sgd().momentum(), 0.9);
  EXPECT_EQ(curve->epochs_made(), 2);
  ASSERT_EQ(curve->points_size(), 2);
  EXPECT_EQ(curve->points(1).epoch(), 2);
  EXPECT_EQ(curve->points(1).train_accuracy(), 0.5);
  EXPECT_EQ(curve->points(1).test_accuracy(), 0.25);
}

TEST(ReferenceCurveTest, ACommittedPartOfACurveIsRead) {
  const absl::StatusOr<ReferenceCurve> curve = ReadReferenceCurve(
      "experiments/recorded/keras/mobilenet_v2_fp32_seed1.textproto");
  ASSERT_TRUE(curve.ok()) << curve.status();
  EXPECT_LT(curve->epochs_made(), curve->spec().epochs());
}

// Reads the file with `from` changed to `to`.
void ExpectRefused(const std::string& from, const std::string& to,
                   const std::string& what) {
  const absl::StatusOr<std::string> text = ReadFile(kWritten);
  ASSERT_TRUE(text.ok()) << text.status();
  ASSERT_TRUE(absl::StrContains(*text, from)) << from;
  const std::string path = absl::StrCat(testing::TempDir(), "/bad.textproto");
  ASSERT_TRUE(
      WriteFileAtomically(path, absl::StrReplaceAll(*text, {{from, to}})).ok());
  const absl::Status status = ReadReferenceCurve(path).status();
  EXPECT_TRUE(absl::StrContains(status.message(),
                                absl::StrCat("bad.textproto: ", what)))
      << status;
}

TEST(ReferenceCurveTest, FaultsAreNamed) {
  ExpectRefused("software: \"", "# ", "software: missing");
  ExpectRefused("epochs_made: 2", "epochs_made: 101", "epochs_made: 101");
  ExpectRefused("epochs_made: 2", "epochs_made: 1", "points: epoch 2 after 1");
  ExpectRefused("epoch: 2 ", "epoch: 1 ", "points: epoch 1 after 1");
  ExpectRefused("points", "# points", "points: none");
  ExpectRefused("test_accuracy: 0.25", "test_accuracy: 25", "points: epoch 2");
  ExpectRefused("test_accuracy: 0.25", "", "points: epoch 2");
}

}  // namespace
}  // namespace repro16
