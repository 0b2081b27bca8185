#include "engine/io/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
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
    case ELOOP:
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

// "a/b/" of "a/b/c", "./" of "c".
std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

std::string NameOf(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// Locks an open file until it is closed, by this process or by its end. The
// error number: 0; EWOULDBLOCK where another has locked it; ESTALE where `path`
// is no longer its name, so that whoever comes next locks another file.
int LockOpenFile(int descriptor, const std::string& path) {
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) return errno;
  struct stat own;
  struct stat named;
  if (fstat(descriptor, &own) != 0) return errno;
  const bool same = lstat(path.c_str(), &named) == 0 &&
                    own.st_dev == named.st_dev && own.st_ino == named.st_ino;
  return same ? 0 : ESTALE;
}

// Whether LockOpenFile failed because the file system has no locks.
bool HasNoLocks(int error) {
  return error == ENOLCK || error == EOPNOTSUPP || error == EINVAL;
}

// What new files beside `path` are called before a process and a number.
std::string TemporaryPrefix(const std::string& path) {
  return absl::StrCat(path, ".tmp-");
}

// Whether `text` is "<process>-<number>".
bool IsProcessAndNumber(std::string_view text) {
  return !text.empty() && std::count(text.begin(), text.end(), '-') == 1 &&
         text.front() != '-' && text.back() != '-' &&
         text.find_first_not_of("0123456789-") == std::string_view::npos;
}

// Removes the new files beside `path` whose writers ended before they did it:
// nobody has locked those. What cannot be looked at or removed stays.
void RemoveLeftovers(const std::string& path) {
  const std::string folder = FolderOf(path);
  const std::string prefix = TemporaryPrefix(NameOf(path));
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()),
                                                    closedir);
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (name.substr(0, prefix.size()) != prefix ||
        !IsProcessAndNumber(name.substr(prefix.size()))) {
      continue;
    }
    const std::string leftover = absl::StrCat(folder, name);
    // Not of any other kind: opening a pipe would wait.
    const int descriptor =
        open(leftover.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (LockOpenFile(descriptor, leftover) == 0) unlink(leftover.c_str());
    close(descriptor);
  }
}

// Makes a new file beside `path`, locked so that it is no leftover; sets
// `temporary` to its name.
absl::StatusOr<int> CreateBeside(const std::string& path,
                                 std::string* temporary) {
  static std::atomic<uint64_t> counter = 0;
  RemoveLeftovers(path);
  while (true) {
    *temporary = absl::StrCat(TemporaryPrefix(path), getpid(), "-", counter++);
    const int descriptor =
        open(temporary->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST) continue;
    if (descriptor < 0) return FileError(path, "written", errno);
    const int error = LockOpenFile(descriptor, *temporary);
    // Between the two calls another may have taken it for a leftover. Where the
    // file system has no locks nobody does.
    if (error != EWOULDBLOCK && error != ESTALE) return descriptor;
    close(descriptor);
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
  const int descriptor = open(FolderOf(path).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

// What follows the symbolic links that `path` itself may be.
absl::StatusOr<std::string> FollowLinks(const std::string& path) {
  constexpr int kMostLinks = 40;  // as the kernel has it
  std::string target = path;
  for (int links = 0; links <= kMostLinks; ++links) {
    char text[PATH_MAX];
    const ssize_t size = readlink(target.c_str(), text, sizeof(text));
    if (size < 0) return target;  // a file, or nothing
    const std::string next(text, static_cast<size_t>(size));
    target = next[0] == '/' ? next : FolderOf(target) + next;
  }
  return FileError(path, "written", ELOOP);
}

// Resolved; it may be written.
absl::StatusOr<std::string> OutputFile(const std::string& path) {
  if (absl::Status status = CheckRegular(path); !status.ok()) return status;
  return ResolveOutput(path);
}

// Who holds a lock, as it says itself.
std::string Holder(int descriptor) {
  char text[256];
  const ssize_t size = pread(descriptor, text, sizeof(text), 0);
  return size > 0 ? std::string(text, static_cast<size_t>(size))
                  : "another process";
}

void WriteHolder(int descriptor) {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  const std::string text = absl::StrCat("process ", getpid(), " on ", host);
  // Only to be read by people: an error does not matter.
  if (ftruncate(descriptor, 0) != 0) return;
  [[maybe_unused]] const ssize_t written =
      pwrite(descriptor, text.data(), text.size(), 0);
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

absl::StatusOr<std::string> ResolveOutput(const std::string& path) {
  const absl::StatusOr<std::string> file = FollowLinks(path);
  if (!file.ok()) return file.status();
  if (NameOf(*file).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.empty() ? "\"\"" : path,
                     ": cannot be written: it names no file; name a file in a "
                     "folder"));
  }
  const std::unique_ptr<char, void (*)(void*)> folder(
      realpath(FolderOf(*file).c_str(), nullptr), std::free);
  if (folder == nullptr) return FileError(path, "written", errno);
  const std::string_view name = folder.get();
  return absl::StrCat(name == "/" ? "" : name, "/", NameOf(*file));
}

absl::Status CheckWritable(const std::string& path) {
  const absl::StatusOr<std::string> file = OutputFile(path);
  if (!file.ok()) return file.status();
  std::string temporary;
  const absl::StatusOr<int> descriptor = CreateBeside(*file, &temporary);
  if (!descriptor.ok()) return descriptor.status();
  unlink(temporary.c_str());
  close(*descriptor);
  return absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path,
                                 std::string_view contents) {
  const absl::StatusOr<std::string> file = OutputFile(path);
  if (!file.ok()) return file.status();
  std::string temporary;
  const absl::StatusOr<int> descriptor = CreateBeside(*file, &temporary);
  if (!descriptor.ok()) return descriptor.status();
  // Open, and so locked, until it has its name. All that could fail at the
  // close has failed at the flush.
  const absl::Cleanup closer = [&descriptor] { close(*descriptor); };
  absl::Cleanup remover = [&temporary] { unlink(temporary.c_str()); };

  absl::Status status = WriteAll(*descriptor, contents, path);
  if (status.ok() && (fsync(*descriptor) != 0 ||
                      rename(temporary.c_str(), file->c_str()) != 0)) {
    status = FileError(path, "written", errno);
  }
  if (!status.ok()) return status;
  std::move(remover).Cancel();
  SyncFolderOf(*file);
  return absl::OkStatus();
}

absl::StatusOr<FileLock> FileLock::Acquire(const std::string& path) {
  const absl::StatusOr<std::string> file = ResolveOutput(path);
  if (!file.ok()) return file.status();
  const std::string lock = *file + ".lock";
  while (true) {
    const int descriptor =
        open(lock.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor < 0) return FileError(lock, "locked", errno);
    const int error = LockOpenFile(descriptor, lock);
    if (error == 0 || HasNoLocks(error)) {
      WriteHolder(descriptor);
      return FileLock(lock, descriptor);
    }
    const std::string holder = Holder(descriptor);
    close(descriptor);
    if (error == ESTALE) continue;  // who held it has just removed it
    if (error != EWOULDBLOCK) return FileError(lock, "locked", error);
    return absl::UnavailableError(
        absl::StrCat(path, ": in use by ", holder,
                     "; wait until it ends, or name another file"));
  }
}

FileLock::FileLock(FileLock&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  // Unless the name has gone to another file.
  const int error = LockOpenFile(descriptor_, path_);
  if (error == 0 || HasNoLocks(error)) unlink(path_.c_str());
  close(descriptor_);
}

}  // namespace repro16
