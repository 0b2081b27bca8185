// Protocol buffers in files: text form for what people write, binary for
// results.
//
// Errors are one line that names the file, the fault and the cure.
#ifndef REPRO16_ENGINE_IO_PROTO_FILE_H_
#define REPRO16_ENGINE_IO_PROTO_FILE_H_

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace repro16 {

// Parses the text form into `message`, replacing what it held. A fault is told
// as "NAME:LINE:COLUMN: what", lines and columns counted from 1; `name` stands
// for the text in errors.
absl::Status ParseTextProto(std::string_view text, std::string_view name,
                            google::protobuf::Message* message);

// The same from a file.
absl::Status ReadTextProto(const std::string& path,
                           google::protobuf::Message* message);

// Writes the text form: fields in the order of their numbers.
absl::Status WriteTextProto(const std::string& path,
                            const google::protobuf::Message& message);

// A message in a file takes at most so many bytes: protocol buffers go no
// further.
inline constexpr int64_t kMaxMessageBytes = std::numeric_limits<int32_t>::max();

// Writes `message` in binary form, the same bytes for equal messages, followed
// by a seal: the SHA-256 of the type's name and the bytes. The seal has the
// form of an unknown field (number 536870911, the highest), so the file is
// still a plain serialized message to every other reader. A message of more
// than kMaxMessageBytes is refused, and the file stays as it was.
absl::Status WriteBinaryProto(const std::string& path,
                              const google::protobuf::Message& message);

// Reads what WriteBinaryProto wrote, replacing what `message` held. A file that
// is truncated, damaged, of another type or not ours fails the seal.
absl::Status ReadBinaryProto(const std::string& path,
                             google::protobuf::Message* message);

}  // namespace repro16

#endif  // REPRO16_ENGINE_IO_PROTO_FILE_H_
