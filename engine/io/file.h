// Whole files in and out, and a lock on a file to be written.
//
// Errors are one line that names the file, the fault and the cure.
#ifndef REPRO16_ENGINE_IO_FILE_H_
#define REPRO16_ENGINE_IO_FILE_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace repro16 {

// The contents of a file of any kind but a folder, to its end.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// The absolute name of the file that a write to `path` makes or replaces, with
// no symbolic link in it: two paths lead to one file if these are the same. The
// file itself need not exist; its folder must. A path that names no file ("" or
// "FOLDER/") is refused.
absl::StatusOr<std::string> ResolveOutput(const std::string& path);

// Makes `path` hold `contents`, or leaves it as it was: the bytes go to a new
// file in the same folder, which is flushed to the disk and then renamed. On
// any failure (a missing folder, no permission, a full disk) that file is
// removed again. An existing `path` must be a regular file, and is replaced;
// a symbolic link stays, and the file that it leads to is made or replaced.
//
// A process that is killed on the way leaves its new file, PATH.tmp-<process>-
// <number>. The next write to `path`, or CheckWritable, removes it: the new
// file of a writer that lives, here or on another host that shares the folder,
// is locked (flock) and stays. Nothing is removed where the file system has no
// locks.
absl::Status WriteFileAtomically(const std::string& path,
                                 std::string_view contents);

// Whether WriteFileAtomically could write `path` now: makes a file beside it
// and removes it. For finding out before the work whose result goes there.
absl::Status CheckWritable(const std::string& path);

// Keeps a file to one process at a time, among those that ask for it; the file
// itself need not exist. Holds until it is destroyed or the process ends,
// however that comes: a killed process leaves no lock. PATH.lock is there
// meanwhile, says who holds it, and means nothing when nobody does.
//
// Where the file system has no locks it keeps nobody out: two processes cannot
// be told apart there.
class FileLock {
 public:
  // Does not wait. Unavailable, with the process and host that hold it, where
  // another has it.
  static absl::StatusOr<FileLock> Acquire(const std::string& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  FileLock(std::string path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;  // of the lock
  int descriptor_;    // -1 once moved from
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_IO_FILE_H_
