// Recorded runs are held to the margin by which table 2 judges a network: its
// golden file is the argument.
#include <string>

#include "experiments/recorded/recorded.h"
#include "gtest/gtest.h"
#include "reports/golden.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

std::string golden_file;

TEST(RecordedMarginTest, IsThatOfTable2) {
  const absl::StatusOr<Golden> golden = ReadGolden(golden_file);
  ASSERT_TRUE(golden.ok()) << golden.status();
  const Statement* statement = FindStatement(*golden, "every/{fp16}-FP32");
  ASSERT_NE(statement, nullptr);
  EXPECT_EQ(statement->margin(), kRecordedMargin);
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  repro16::golden_file = argv[1];
  return RUN_ALL_TESTS();
}
