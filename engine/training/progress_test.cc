#include "engine/training/progress.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using testing::ElementsAre;

constexpr char kClear[] = "\r\x1b[K";
const BatchProgress kHalf{1, 2, 50, 100, 0.5, 0.75, 1000, 60};

EpochResult FirstEpoch() {
  EpochResult epoch;
  epoch.set_epoch(1);
  epoch.set_train_loss(0.25);
  epoch.set_train_accuracy(0.5);
  epoch.set_test_accuracy(1);
  return epoch;
}

const char* Xterm(const char* name) {
  return std::string_view(name) == "TERM" ? "xterm" : nullptr;
}

const char* Dumb(const char* name) {
  return std::string_view(name) == "TERM" ? "dumb" : nullptr;
}

// What a file gets until the progress is destroyed.
std::string FileOutput(std::string_view mode,
                       const std::function<void(Progress&)>& use) {
  std::FILE* file = std::tmpfile();
  {
    auto progress = MakeProgress(mode, file, Xterm);
    EXPECT_TRUE(progress.ok()) << progress.status();
    use(**progress);
  }
  std::string text(static_cast<size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), file), text.size());
  std::fclose(file);
  return text;
}

TEST(ProgressTest, ABarLeavesACleanLine) {
  const std::string clear = kClear;
  const std::string bar =
      "epoch 1/2  [############............]  loss 0.5000  train 75.00%  1000 "
      "images/s  1:00 left";
  EXPECT_EQ(FileOutput("bar", [](Progress&) {}), "");
  EXPECT_EQ(FileOutput("bar", [](Progress& p) { p.OnBatch(kHalf); }),
            clear + bar + clear);
  EXPECT_EQ(FileOutput("bar",
                       [](Progress& p) {
                         p.OnBatch(kHalf);
                         p.OnEpoch(FirstEpoch(), 2, 1000);
                       }),
            clear + bar + clear +
                "epoch 1/2  loss 0.2500  train 50.00%  test 100.00%  1000 "
                "images/s\n");
}

TEST(ProgressTest, AFileGetsWholeLinesAndNoBar) {
  EXPECT_EQ(FileOutput("auto",
                       [](Progress& p) {
                         if (p.WantsBatch()) p.OnBatch(kHalf);
                         p.OnEpoch(FirstEpoch(), 2, 1000);
                       }),
            "epoch 1/2  loss 0.2500  train 50.00%  test 100.00%  1000 "
            "images/s\n");
}

TEST(ProgressTest, AnotherModeIsRefused) {
  EXPECT_EQ(MakeProgress("loud", stderr).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// A terminal whose output can be read.
class TerminalProgressTest : public testing::Test {
 protected:
  void SetUp() override {
    master_ = posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_EQ(grantpt(master_), 0);
    ASSERT_EQ(unlockpt(master_), 0);
    stream_ = std::fopen(ptsname(master_), "w");
    ASSERT_NE(stream_, nullptr);
  }
  void TearDown() override {
    std::fclose(stream_);
    close(master_);
  }

  void Resize(unsigned short columns) const {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = columns;
    ASSERT_EQ(ioctl(master_, TIOCSWINSZ, &size), 0);
  }

  // What was written since the last call; something must have been.
  std::string Output() const {
    char buffer[4096];
    const ssize_t size = read(master_, buffer, sizeof(buffer));
    return size <= 0 ? "" : std::string(buffer, static_cast<size_t>(size));
  }

  std::string BarAt(Progress& progress, unsigned short columns) const {
    Resize(columns);
    progress.OnBatch(kHalf);
    const std::string output = Output();
    EXPECT_TRUE(absl::StartsWith(output, kClear)) << output;
    return output.substr(std::string_view(kClear).size());
  }

  int master_;
  std::FILE* stream_;
};

TEST_F(TerminalProgressTest, TheBarFitsTheWidthOfTheMoment) {
  auto progress = MakeProgress("auto", stream_, Xterm);
  ASSERT_TRUE(progress.ok()) << progress.status();
  EXPECT_TRUE((*progress)->WantsBatch());
  const auto at = [&](unsigned short columns) {
    return BarAt(**progress, columns);
  };
  EXPECT_EQ(at(200),
            "epoch 1/2  [############............]  loss 0.5000  train 75.00%  "
            "1000 images/s  1:00 left");
  EXPECT_EQ(at(80),
            "epoch 1/2  [######.......]  loss 0.5000  train 75.00%  1000 "
            "images/s  1:00 left");
  EXPECT_EQ(at(60),
            "epoch 1/2  [####....]  loss 0.5000  train 75.00%  1:00 left");
  EXPECT_EQ(at(50), "epoch 1/2  loss 0.5000  train 75.00%  1:00 left");
  EXPECT_EQ(at(40), "epoch 1/2  loss 0.5000  1:00 left");
  EXPECT_EQ(at(25), "epoch 1/2  1:00 left");
  EXPECT_EQ(at(12), "epoch 1/2");
  EXPECT_EQ(at(6), "epoch");
  for (unsigned short columns = 2; columns < 120; ++columns) {
    EXPECT_LT(at(columns).size(), columns);
  }
}

TEST_F(TerminalProgressTest, TheLineOfAnEpochFitsToo) {
  auto progress = MakeProgress("plain", stream_, Xterm);
  ASSERT_TRUE(progress.ok()) << progress.status();
  const auto at = [&](unsigned short columns) {
    Resize(columns);
    (*progress)->OnEpoch(FirstEpoch(), 2, 1000);
    return Output();
  };
  EXPECT_EQ(at(80),
            "epoch 1/2  loss 0.2500  train 50.00%  test 100.00%  1000 "
            "images/s\r\n");
  EXPECT_EQ(at(60), "epoch 1/2  loss 0.2500  train 50.00%  test 100.00%\r\n");
  EXPECT_EQ(at(40), "epoch 1/2  loss 0.2500  test 100.00%\r\n");
  EXPECT_EQ(at(30), "epoch 1/2  test 100.00%\r\n");
}

TEST_F(TerminalProgressTest, ADumbTerminalHasNoBar) {
  auto progress = MakeProgress("auto", stream_, Dumb);
  ASSERT_TRUE(progress.ok()) << progress.status();
  EXPECT_FALSE((*progress)->WantsBatch());
  Resize(80);
  (*progress)->OnEpoch(FirstEpoch(), 2, 1000);
  EXPECT_THAT(std::vector<std::string>(absl::StrSplit(Output(), "\r\n")),
              ElementsAre("epoch 1/2  loss 0.2500  train 50.00%  test 100.00%  "
                          "1000 images/s",
                          ""));
}

}  // namespace
}  // namespace repro16
