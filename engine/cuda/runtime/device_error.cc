#include "engine/cuda/runtime/device_error.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace repro16 {
namespace {

// Turing.
constexpr int kOldestMajor = 7;
constexpr int kOldestMinor = 5;

std::string Version(int version) {
  return absl::StrCat(version / 1000, ".", version % 1000 / 10);
}

std::string Named(const DeviceInfo& info) {
  return absl::StrFormat("%s (compute capability %d.%d)", info.name, info.major,
                         info.minor);
}

std::string Mebibytes(int64_t bytes) {
  return absl::StrFormat("%.1f MiB", static_cast<double>(bytes) / (1 << 20));
}

}  // namespace

absl::Status CheckDriver(int driver_version, int runtime_version) {
  if (driver_version == 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "no GPU can be used: there is no NVIDIA driver; install one for CUDA ",
        Version(runtime_version), " or use backend \"cpu\""));
  }
  if (driver_version / 1000 < runtime_version / 1000) {
    return DriverTooOldError(driver_version, runtime_version);
  }
  return absl::OkStatus();
}

absl::Status DriverTooOldError(int driver_version, int runtime_version) {
  return absl::FailedPreconditionError(
      absl::StrCat("no GPU can be used: the NVIDIA driver is for CUDA ",
                   Version(driver_version), ", this program is for CUDA ",
                   Version(runtime_version), "; install a newer driver"));
}

absl::Status NoDeviceError() {
  return absl::FailedPreconditionError(
      "no GPU can be used: the NVIDIA driver sees none; see what "
      "CUDA_VISIBLE_DEVICES says, or use backend \"cpu\"");
}

absl::Status CheckDevice(const DeviceInfo& info) {
  if (info.major > kOldestMajor ||
      (info.major == kOldestMajor && info.minor >= kOldestMinor)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrFormat("%s is too old; use a GPU from Turing on (%d.%d), which "
                      "CUDA_VISIBLE_DEVICES may name, or backend \"cpu\"",
                      Named(info), kOldestMajor, kOldestMinor));
}

absl::Status NoCodeError(const DeviceInfo& info) {
  return absl::FailedPreconditionError(
      absl::StrFormat("%s: this program has no code for it; build with "
                      "--//engine/cuda:architectures=%d%d",
                      Named(info), info.major, info.minor));
}

absl::Status MemoryError(int64_t wanted_bytes, int64_t free_bytes) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "GPU memory: ", Mebibytes(wanted_bytes), " wanted, ",
      Mebibytes(free_bytes),
      " free; end what else uses the GPU, or take a smaller batch"));
}

absl::Status DeviceFailedError(std::string_view what) {
  return absl::UnavailableError(
      absl::StrCat("the GPU failed (", what,
                   "); run again, from a checkpoint with --resume"));
}

}  // namespace repro16
