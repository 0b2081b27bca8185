#include "engine/io/proto_file.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

using google::protobuf::Message;
using google::protobuf::TextFormat;

// Keeps the first fault; those after it mostly follow from it.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  explicit FirstError(std::string_view name) : name_(name) {}

  // Line and column count from 0; a line of -1 means the whole text.
  void AddError(int line, int column, const std::string& message) override {
    if (!text_.empty()) return;
    const std::string place =
        line < 0 ? "" : absl::StrCat(":", line + 1, ":", column + 1);
    text_ = absl::StrCat(name_, place, ": ", absl::StripSuffix(message, "."));
  }

  const std::string& text() const { return text_; }

 private:
  std::string_view name_;
  std::string text_;
};

// Tag of field 536870911 with a length-delimited value, and the length 32.
constexpr std::string_view kSealPrefix = "\xfa\xff\xff\xff\x0f\x20";

std::string Seal(const Message& message, std::string_view bytes) {
  Sha256 sha;
  sha.Update(message.GetTypeName());
  sha.Update("\n");
  sha.Update(bytes);
  const Sha256::Digest digest = sha.Finish();
  return absl::StrCat(
      kSealPrefix,
      std::string_view(reinterpret_cast<const char*>(digest.data()),
                       digest.size()));
}

std::string SerializeDeterministically(const Message& message) {
  std::string bytes;
  // A checkpoint is large: without copies as it grows.
  bytes.reserve(message.ByteSizeLong() + kSealPrefix.size() +
                sizeof(Sha256::Digest));
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializePartialToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

absl::Status ParseTextProto(std::string_view text, std::string_view name,
                            Message* message) {
  FirstError error(name);
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  google::protobuf::io::ArrayInputStream stream(text.data(), text.size());
  if (parser.Parse(&stream, message)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(error.text(), "; correct the text (it is to be a ",
                   message->GetTypeName(), ")"));
}

absl::Status ReadTextProto(const std::string& path, Message* message) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return ParseTextProto(*text, path, message);
}

absl::Status WriteTextProto(const std::string& path, const Message& message) {
  std::string text;
  if (!TextFormat::PrintToString(message, &text)) {
    return absl::InternalError(
        absl::StrCat(path, ": cannot be printed as a ", message.GetTypeName()));
  }
  return WriteFileAtomically(path, text);
}

absl::Status WriteBinaryProto(const std::string& path, const Message& message) {
  const size_t size = message.ByteSizeLong();
  if (size > kMaxMessageBytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        path, ": ", size, " bytes of ", message.GetTypeName(),
        " are more than the 2 GiB that such a file can have; choose a smaller "
        "model"));
  }
  std::string bytes = SerializeDeterministically(message);
  bytes += Seal(message, bytes);
  return WriteFileAtomically(path, bytes);
}

absl::Status ReadBinaryProto(const std::string& path, Message* message) {
  const absl::StatusOr<std::string> contents = ReadFile(path);
  if (!contents.ok()) return contents.status();
  std::string_view bytes = *contents;
  const size_t seal_size = kSealPrefix.size() + sizeof(Sha256::Digest);
  const size_t size = bytes.size() < seal_size ? 0 : bytes.size() - seal_size;
  const std::string_view seal = bytes.substr(size);
  bytes = bytes.substr(0, size);
  if (seal != Seal(*message, bytes) ||
      !message->ParseFromArray(bytes.data(), bytes.size())) {
    return absl::DataLossError(absl::StrCat(
        path, ": not a whole ", message->GetTypeName(),
        " as written by this project; write it again or name another file"));
  }
  return absl::OkStatus();
}

}  // namespace repro16
