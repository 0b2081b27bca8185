#include "engine/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace repro16 {
namespace {

std::string_view Cure(int error) {
  switch (error) {
    case ENOENT:
      return "check the path";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a place that you may use";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free space there or choose another folder";
    case EISDIR:
    case ENOTDIR:
      return "name a file in a folder";
    default:
      return "try again, or choose another place";
  }
}

// "PATH: cannot be DONE: No such file or directory; check the path".
absl::Status FileError(std::string_view path, std::string_view done,
                       int error) {
  const absl::Status reason = absl::ErrnoToStatus(error, "");
  std::string text(reason.message());
  // ErrnoToStatus writes ": No such file or directory" after an empty prefix.
  if (text.rfind(": ", 0) == 0) text.erase(0, 2);
  return absl::Status(
      reason.code(),
      absl::StrCat(path, ": cannot be ", done, ": ", text, "; ", Cure(error)));
}

absl::Status WriteAll(int descriptor, std::string_view contents,
                      std::string_view path) {
  while (!contents.empty()) {
    const ssize_t written = write(descriptor, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError(path, "written", errno);
    contents.remove_prefix(written);
  }
  return absl::OkStatus();
}

// Makes a new file beside `path`; sets `temporary` to its name.
absl::StatusOr<int> CreateBeside(const std::string& path,
                                 std::string* temporary) {
  static std::atomic<uint64_t> counter = 0;
  while (true) {
    *temporary = absl::StrCat(path, ".tmp-", getpid(), "-", counter++);
    const int descriptor =
        open(temporary->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) return descriptor;
    if (errno != EEXIST) return FileError(path, "written", errno);
  }
}

// An output may replace a file, but nothing else that has the name.
absl::Status CheckRegular(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": cannot be written: it is not a regular file; name a file"));
  }
  return absl::OkStatus();
}

// A renamed file outlives a power cut only when its folder is flushed too.
void SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = open(folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError(path, "read", errno);
  const absl::Cleanup closer = [descriptor] { close(descriptor); };
  struct stat info;
  if (fstat(descriptor, &info) != 0) return FileError(path, "read", errno);
  if (S_ISDIR(info.st_mode)) return FileError(path, "read", EISDIR);

  std::string contents(info.st_size, '\0');
  size_t filled = 0;
  while (true) {
    // One byte more than expected, so that a file that has grown is noticed.
    if (filled == contents.size()) contents.resize(filled + 4096);
    const ssize_t got =
        read(descriptor, &contents[filled], contents.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError(path, "read", errno);
    if (got == 0) break;
    filled += got;
  }
  contents.resize(filled);
  return contents;
}

absl::Status CheckWritable(const std::string& path) {
  if (absl::Status status = CheckRegular(path); !status.ok()) return status;
  std::string temporary;
  const absl::StatusOr<int> descriptor = CreateBeside(path, &temporary);
  if (!descriptor.ok()) return descriptor.status();
  close(*descriptor);
  unlink(temporary.c_str());
  return absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path,
                                 std::string_view contents) {
  if (absl::Status status = CheckRegular(path); !status.ok()) return status;
  std::string temporary;
  const absl::StatusOr<int> descriptor = CreateBeside(path, &temporary);
  if (!descriptor.ok()) return descriptor.status();
  absl::Cleanup remover = [&temporary] { unlink(temporary.c_str()); };

  absl::Status status = WriteAll(*descriptor, contents, path);
  if (status.ok() && fsync(*descriptor) != 0) {
    status = FileError(path, "written", errno);
  }
  if (close(*descriptor) != 0 && status.ok()) {
    status = FileError(path, "written", errno);
  }
  if (!status.ok()) return status;
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return FileError(path, "written", errno);
  }
  std::move(remover).Cancel();
  SyncFolderOf(path);
  return absl::OkStatus();
}

}  // namespace repro16
