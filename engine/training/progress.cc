#include "engine/training/progress.h"

#include <unistd.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace repro16 {
namespace {

constexpr int kBarWidth = 24;
constexpr auto kRedrawInterval = std::chrono::milliseconds(100);

std::string Duration(double seconds) {
  const auto s = static_cast<int64_t>(seconds + 0.5);
  if (s >= 3600) {
    return absl::StrFormat("%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
  }
  return absl::StrFormat("%d:%02d", s / 60, s % 60);
}

class PlainProgress : public Progress {
 public:
  explicit PlainProgress(std::FILE* stream) : stream_(stream) {}

  void OnEpoch(const EpochResult& epoch, int64_t epochs,
               double images_per_second) override {
    absl::FPrintF(
        stream_,
        "epoch %d/%d  loss %.4f  train %.2f%%  test %.2f%%  %.0f images/s\n",
        epoch.epoch(), epochs, epoch.train_loss(), 100 * epoch.train_accuracy(),
        100 * epoch.test_accuracy(), images_per_second);
    std::fflush(stream_);
  }

 protected:
  std::FILE* const stream_;
};

class BarProgress : public PlainProgress {
 public:
  using PlainProgress::PlainProgress;

  // A run that fails within an epoch leaves no bar in front of its error.
  ~BarProgress() override { Clear(); }

  bool WantsBatch() override {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < kRedrawInterval) return false;
    last_ = now;
    return true;
  }

  void OnBatch(const BatchProgress& batch) override {
    const auto filled =
        static_cast<int>(kBarWidth * batch.examples / batch.epoch_examples);
    absl::FPrintF(stream_,
                  "\r\x1b[Kepoch %d/%d [%s%s] loss %.4f  train %.2f%%  %.0f "
                  "images/s  %s left",
                  batch.epoch, batch.epochs,
                  std::string(static_cast<size_t>(filled), '#'),
                  std::string(static_cast<size_t>(kBarWidth - filled), '.'),
                  batch.loss, 100 * batch.accuracy, batch.images_per_second,
                  Duration(batch.seconds_left));
    std::fflush(stream_);
    open_ = true;
  }

  void OnEpoch(const EpochResult& epoch, int64_t epochs,
               double images_per_second) override {
    Clear();
    PlainProgress::OnEpoch(epoch, epochs, images_per_second);
  }

 private:
  void Clear() {
    if (!open_) return;
    absl::FPrintF(stream_, "\r\x1b[K");
    std::fflush(stream_);
    open_ = false;
  }

  bool open_ = false;  // a bar stands on the line
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace

absl::StatusOr<std::unique_ptr<Progress>> MakeProgress(std::string_view mode,
                                                       std::FILE* stream) {
  const bool terminal = isatty(fileno(stream)) != 0;
  if (mode == "bar" || (mode == "auto" && terminal)) {
    return std::make_unique<BarProgress>(stream);
  }
  if (mode == "plain" || mode == "auto") {
    return std::make_unique<PlainProgress>(stream);
  }
  if (mode == "none") return std::make_unique<Progress>();
  return absl::InvalidArgumentError(absl::StrCat(
      "--progress: unknown mode '", mode, "'; use auto, bar, plain or none"));
}

}  // namespace repro16
