// Whole files in and out.
//
// Errors are one line that names the file, the fault and the cure.
#ifndef REPRO16_ENGINE_IO_FILE_H_
#define REPRO16_ENGINE_IO_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace repro16 {

// The contents of a regular file.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Makes `path` hold `contents`, or leaves it as it was: the bytes go to a new
// file in the same folder, which is flushed to the disk and then renamed. On
// any failure (a missing folder, no permission, a full disk) that file is
// removed again. An existing `path` must be a regular file, and is replaced.
absl::Status WriteFileAtomically(const std::string& path,
                                 std::string_view contents);

// Whether WriteFileAtomically could write `path` now: makes a file beside it
// and removes it. For finding out before the work whose result goes there.
absl::Status CheckWritable(const std::string& path);

}  // namespace repro16

#endif  // REPRO16_ENGINE_IO_FILE_H_
