#include "engine/training/progress.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace repro16 {
namespace {

constexpr int kWidestBar = 24;
constexpr int kNarrowestBar = 8;
constexpr std::string_view kGap = "  ";
constexpr auto kRedrawInterval = std::chrono::milliseconds(100);

std::string Duration(double seconds) {
  const auto s = static_cast<int64_t>(seconds + 0.5);
  if (s >= 3600) {
    return absl::StrFormat("%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
  }
  return absl::StrFormat("%d:%02d", s / 60, s % 60);
}

// A piece of a line.
struct Part {
  std::string text;
  int rank;  // 0 is the last to be left out
};

int Width(const std::vector<Part>& parts) {
  const auto gaps = static_cast<int>(kGap.size() * (parts.size() - 1));
  return std::accumulate(parts.begin(), parts.end(), gaps,
                         [](int width, const Part& part) {
                           return width + static_cast<int>(part.text.size());
                         });
}

// The parts in order, without the least important ones where not all fit.
std::string Fitted(std::vector<Part> parts, int columns) {
  while (parts.size() > 1 && Width(parts) > columns) {
    parts.erase(std::max_element(
        parts.begin(), parts.end(),
        [](const Part& a, const Part& b) { return a.rank < b.rank; }));
  }
  const std::string line =
      absl::StrJoin(parts, kGap, [](std::string* out, const Part& part) {
        absl::StrAppend(out, part.text);
      });
  return line.substr(0, static_cast<size_t>(std::max(columns, 0)));
}

// The line while an epoch is on its way. The bar takes what room there is.
std::string BarLine(const BatchProgress& batch, int columns) {
  std::vector<Part> parts = {
      {absl::StrFormat("epoch %d/%d", batch.epoch, batch.epochs), 0},
      {std::string(kNarrowestBar + 2, ' '), 4},
      {absl::StrFormat("loss %.4f", batch.loss), 2},
      {absl::StrFormat("train %.2f%%", 100 * batch.accuracy), 3},
      {absl::StrFormat("%.0f images/s", batch.images_per_second), 5},
      {absl::StrCat(Duration(batch.seconds_left), " left"), 1}};
  const int width = std::clamp(kNarrowestBar + columns - Width(parts),
                               kNarrowestBar, kWidestBar);
  const auto filled =
      static_cast<size_t>(width * batch.examples / batch.epoch_examples);
  parts[1].text =
      absl::StrCat("[", std::string(filled, '#'),
                   std::string(static_cast<size_t>(width) - filled, '.'), "]");
  return Fitted(std::move(parts), columns);
}

std::string EpochLine(const EpochResult& epoch, int64_t epochs,
                      double images_per_second, int columns) {
  return Fitted(
      {{absl::StrFormat("epoch %d/%d", epoch.epoch(), epochs), 0},
       {absl::StrFormat("loss %.4f", epoch.train_loss()), 2},
       {absl::StrFormat("train %.2f%%", 100 * epoch.train_accuracy()), 3},
       {absl::StrFormat("test %.2f%%", 100 * epoch.test_accuracy()), 1},
       {absl::StrFormat("%.0f images/s", images_per_second), 4}},
      columns);
}

class PlainProgress : public Progress {
 public:
  PlainProgress(std::FILE* stream, Environment environment)
      : stream_(stream), environment_(std::move(environment)) {}

  void OnEpoch(const EpochResult& epoch, int64_t epochs,
               double images_per_second) override {
    Write(EpochLine(epoch, epochs, images_per_second, Columns()) + "\n");
  }

 protected:
  // Asked for each line: a terminal's window changes. In its last column some
  // terminals already go to the next line.
  int Columns() const {
    return TerminalAt(fileno(stream_), environment_).columns - 1;
  }

  void Write(const std::string& text) {
    std::fputs(text.c_str(), stream_);
    std::fflush(stream_);
  }

 private:
  std::FILE* const stream_;
  const Environment environment_;
};

class BarProgress : public PlainProgress {
 public:
  using PlainProgress::PlainProgress;

  // A run that fails within an epoch leaves no bar in front of its error.
  ~BarProgress() override { BarProgress::Clear(); }

  bool WantsBatch() override {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < kRedrawInterval) return false;
    last_ = now;
    return true;
  }

  void OnBatch(const BatchProgress& batch) override {
    Write(kClear + BarLine(batch, Columns()));
    open_ = true;
  }

  void OnEpoch(const EpochResult& epoch, int64_t epochs,
               double images_per_second) override {
    Clear();
    PlainProgress::OnEpoch(epoch, epochs, images_per_second);
  }

  void Clear() override {
    if (open_) Write(kClear);
    open_ = false;
  }

 private:
  // To the start of the line, which is then empty (ECMA-48: CR, EL).
  static constexpr char kClear[] = "\r\x1b[K";

  bool open_ = false;  // a bar stands on the line
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace

absl::StatusOr<std::unique_ptr<Progress>> MakeProgress(
    std::string_view mode, std::FILE* stream, const Environment& environment) {
  if (mode == "none") return std::make_unique<Progress>();
  const bool bar = TerminalAt(fileno(stream), environment).interactive;
  if (mode == "bar" || (mode == "auto" && bar)) {
    return std::make_unique<BarProgress>(stream, environment);
  }
  if (mode == "plain" || mode == "auto") {
    return std::make_unique<PlainProgress>(stream, environment);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--progress: unknown mode '", mode, "'; use auto, bar, plain or none"));
}

}  // namespace repro16
