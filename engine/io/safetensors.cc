#include "engine/io/safetensors.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/io/file.h"
#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the bytes of a tensor are those of memory");

namespace repro16 {
namespace {

using google::protobuf::Value;

constexpr size_t kLengthBytes = 8;
constexpr size_t kAlignment = 8;
constexpr std::string_view kMetadata = "__metadata__";

struct TypeInfo {
  std::string_view name;
  size_t size;
};

// In the order of SafetensorsType.
constexpr TypeInfo kTypes[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8}};

const TypeInfo& Info(SafetensorsType type) {
  return kTypes[static_cast<size_t>(type)];
}

// `text` as a JSON string, quoted.
absl::StatusOr<std::string> JsonString(std::string_view text) {
  Value value;
  value.set_string_value(std::string(text));
  std::string json;
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isascii) ||
      !google::protobuf::util::MessageToJsonString(value, &json).ok()) {
    return absl::InvalidArgumentError(
        "safetensors: a name or metadata is not ASCII; give it in ASCII");
  }
  return json;
}

absl::StatusOr<std::string> MetadataJson(const Safetensors& file) {
  std::vector<std::string> entries;
  for (const auto& [key, value] : file.metadata) {
    absl::StatusOr<std::string> key_json = JsonString(key);
    if (!key_json.ok()) return key_json;
    absl::StatusOr<std::string> value_json = JsonString(value);
    if (!value_json.ok()) return value_json;
    entries.push_back(absl::StrCat(*key_json, ":", *value_json));
  }
  return absl::StrCat("\"", kMetadata, "\":{", absl::StrJoin(entries, ","),
                      "}");
}

// The first fault of a tensor that is about to be written.
absl::Status CheckTensor(const SafetensorsTensor& tensor) {
  const auto fault = [&tensor](auto... what) {
    return absl::InvalidArgumentError(
        absl::StrCat("safetensors: tensor \"", tensor.name, "\": ", what...));
  };
  if (tensor.name.empty() || tensor.name == kMetadata) {
    return fault("not a name for a tensor; choose another");
  }
  const size_t expected = tensor.shape.NumElements() * SizeOf(tensor.type);
  if (tensor.bytes.size() != expected) {
    return fault(tensor.bytes.size(), " bytes where ", tensor.shape.ToString(),
                 " of ", Info(tensor.type).name, " has ", expected,
                 "; pass the bytes of that shape");
  }
  return absl::OkStatus();
}

// Reads one file's contents; `name` stands for it in errors.
class Parser {
 public:
  Parser(std::string_view contents, std::string_view name)
      : contents_(contents), name_(name) {}

  absl::StatusOr<Safetensors> Parse();

 private:
  struct Entry {
    uint64_t begin;
    uint64_t end;
    SafetensorsTensor tensor;  // without its bytes
  };

  template <typename... What>
  absl::Status Fault(const What&... what) const {
    return absl::DataLossError(
        absl::StrCat(name_, ": not a valid safetensors file: ", what...,
                     "; write it again or name another file"));
  }

  absl::Status ParseHeader(google::protobuf::Struct* header);
  absl::Status ParseMetadata(const Value& value, Safetensors* file) const;
  absl::StatusOr<Entry> ParseEntry(const std::string& tensor,
                                   const Value& value) const;
  absl::Status ParseType(const std::string& tensor, const Value& value,
                         SafetensorsType* type) const;
  absl::Status CheckSize(const Entry& entry) const;
  absl::Status ParseIntegers(const std::string& tensor, const char* field,
                             const google::protobuf::Struct& fields,
                             std::vector<int64_t>* integers) const;

  std::string_view contents_;
  std::string_view name_;
  std::string_view data_;  // contents_ after the header
};

absl::Status Parser::ParseHeader(google::protobuf::Struct* header) {
  if (contents_.size() < kLengthBytes) {
    return Fault(contents_.size(), " bytes are too few");
  }
  uint64_t length;
  std::memcpy(&length, contents_.data(), kLengthBytes);
  if (length > contents_.size() - kLengthBytes) {
    return Fault("the header is to have ", length, " bytes, the file has ",
                 contents_.size() - kLengthBytes, " after the length");
  }
  const std::string_view json = contents_.substr(kLengthBytes, length);
  data_ = contents_.substr(kLengthBytes + length);
  if (json.empty() || json[0] != '{' ||
      !google::protobuf::util::JsonStringToMessage(
           google::protobuf::StringPiece(json.data(), json.size()), header)
           .ok()) {
    return Fault("the header is not a JSON object");
  }
  return absl::OkStatus();
}

absl::Status Parser::ParseMetadata(const Value& value,
                                   Safetensors* file) const {
  if (!value.has_struct_value()) return Fault(kMetadata, " is not an object");
  for (const auto& [key, text] : value.struct_value().fields()) {
    if (text.kind_case() != Value::kStringValue) {
      return Fault(kMetadata, " has a value that is not a string");
    }
    file->metadata[key] = text.string_value();
  }
  return absl::OkStatus();
}

absl::Status Parser::ParseType(const std::string& tensor, const Value& value,
                               SafetensorsType* type) const {
  for (const SafetensorsType candidate :
       {SafetensorsType::kF32, SafetensorsType::kF16, SafetensorsType::kBF16,
        SafetensorsType::kI64}) {
    if (value.string_value() == Info(candidate).name) {
      *type = candidate;
      return absl::OkStatus();
    }
  }
  return Fault("tensor \"", tensor, "\" has the type \"", value.string_value(),
               "\", not F32, F16, BF16 or I64");
}

// fields[field], a list of whole numbers from 0 to 2^53.
absl::Status Parser::ParseIntegers(const std::string& tensor, const char* field,
                                   const google::protobuf::Struct& fields,
                                   std::vector<int64_t>* integers) const {
  const auto found = fields.fields().find(field);
  const absl::Status fault = Fault("tensor \"", tensor, "\" has no ", field,
                                   ", a list of whole numbers");
  if (found == fields.fields().end() || !found->second.has_list_value()) {
    return fault;
  }
  constexpr double kMax = 9007199254740992.0;
  for (const Value& value : found->second.list_value().values()) {
    const double number = value.number_value();
    if (value.kind_case() != Value::kNumberValue ||
        !(number >= 0 && number <= kMax) ||
        number != static_cast<double>(static_cast<int64_t>(number))) {
      return fault;
    }
    integers->push_back(static_cast<int64_t>(number));
  }
  return absl::OkStatus();
}

absl::Status Parser::CheckSize(const Entry& entry) const {
  const SafetensorsTensor& tensor = entry.tensor;
  if (entry.begin > entry.end || entry.end > data_.size()) {
    return Fault("tensor \"", tensor.name, "\" lies at [", entry.begin, ", ",
                 entry.end, "), outside of the ", data_.size(),
                 " bytes of data");
  }
  const auto& dims = tensor.shape.dims();
  unsigned __int128 bytes = SizeOf(tensor.type);
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) bytes = 0;
  for (const int64_t dim : dims) {
    // At most 2^53 * 2^64 before the test, so it cannot overflow.
    bytes *= static_cast<uint64_t>(dim);
    if (bytes > data_.size()) break;
  }
  if (bytes != entry.end - entry.begin) {
    return Fault("tensor \"", tensor.name, "\" of shape ",
                 tensor.shape.ToString(), " and type ", Info(tensor.type).name,
                 " does not have ", entry.end - entry.begin, " bytes");
  }
  return absl::OkStatus();
}

absl::StatusOr<Parser::Entry> Parser::ParseEntry(const std::string& tensor,
                                                 const Value& value) const {
  if (!value.has_struct_value()) {
    return Fault("tensor \"", tensor, "\" is not an object");
  }
  const google::protobuf::Struct& fields = value.struct_value();
  Entry entry;
  entry.tensor.name = tensor;
  const auto type = fields.fields().find("dtype");
  if (type == fields.fields().end()) {
    return Fault("tensor \"", tensor, "\" has no dtype");
  }
  if (absl::Status s = ParseType(tensor, type->second, &entry.tensor.type);
      !s.ok()) {
    return s;
  }
  std::vector<int64_t> dims;
  std::vector<int64_t> offsets;
  if (absl::Status s = ParseIntegers(tensor, "shape", fields, &dims); !s.ok()) {
    return s;
  }
  if (absl::Status s = ParseIntegers(tensor, "data_offsets", fields, &offsets);
      !s.ok()) {
    return s;
  }
  if (offsets.size() != 2) {
    return Fault("tensor \"", tensor, "\" has ", offsets.size(),
                 " data_offsets, not 2");
  }
  entry.tensor.shape = Shape(std::move(dims));
  entry.begin = offsets[0];
  entry.end = offsets[1];
  if (absl::Status s = CheckSize(entry); !s.ok()) return s;
  return entry;
}

absl::StatusOr<Safetensors> Parser::Parse() {
  google::protobuf::Struct header;
  if (absl::Status s = ParseHeader(&header); !s.ok()) return s;
  Safetensors file;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.fields()) {
    if (key == kMetadata) {
      if (absl::Status s = ParseMetadata(value, &file); !s.ok()) return s;
      continue;
    }
    absl::StatusOr<Entry> entry = ParseEntry(key, value);
    if (!entry.ok()) return entry.status();
    entries.push_back(*std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end, a.tensor.name) <
           std::tie(b.begin, b.end, b.tensor.name);
  });
  uint64_t covered = 0;
  for (Entry& entry : entries) {
    if (entry.begin != covered) {
      return Fault("tensor \"", entry.tensor.name, "\" begins at byte ",
                   entry.begin, " of the data, the one before it ends at ",
                   covered);
    }
    covered = entry.end;
    entry.tensor.bytes =
        std::string(data_.substr(entry.begin, entry.end - entry.begin));
    file.tensors.push_back(std::move(entry.tensor));
  }
  if (covered != data_.size()) {
    return Fault("the tensors end at byte ", covered, " of ", data_.size(),
                 " bytes of data");
  }
  return file;
}

template <typename Stored, typename Convert>
std::vector<double> ConvertAll(const std::string& bytes, Convert convert) {
  std::vector<double> values(bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = convert(stored);
  }
  return values;
}

}  // namespace

SafetensorsType ToSafetensorsType(DType type) {
  switch (type) {
    case DType::kF32:
      return SafetensorsType::kF32;
    case DType::kF16:
      return SafetensorsType::kF16;
    case DType::kBF16:
      return SafetensorsType::kBF16;
  }
  return SafetensorsType::kF32;
}

size_t SizeOf(SafetensorsType type) { return Info(type).size; }

const SafetensorsTensor* Safetensors::Find(std::string_view name) const {
  for (const SafetensorsTensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

std::vector<double> ToDoubles(const SafetensorsTensor& tensor) {
  switch (tensor.type) {
    case SafetensorsType::kF32:
      return ConvertAll<float>(tensor.bytes, [](float x) { return x; });
    case SafetensorsType::kF16:
      return ConvertAll<Binary16>(
          tensor.bytes, [](Binary16 x) -> double { return ToFloat(x); });
    case SafetensorsType::kBF16:
      return ConvertAll<BFloat16>(
          tensor.bytes, [](BFloat16 x) -> double { return ToFloat(x); });
    case SafetensorsType::kI64:
      return ConvertAll<int64_t>(
          tensor.bytes, [](int64_t x) { return static_cast<double>(x); });
  }
  return {};
}

absl::StatusOr<std::string> SerializeSafetensors(const Safetensors& file) {
  std::vector<std::string> entries;
  if (!file.metadata.empty()) {
    absl::StatusOr<std::string> metadata = MetadataJson(file);
    if (!metadata.ok()) return metadata;
    entries.push_back(*std::move(metadata));
  }
  absl::flat_hash_set<std::string_view> names;
  uint64_t offset = 0;
  for (const SafetensorsTensor& tensor : file.tensors) {
    if (absl::Status s = CheckTensor(tensor); !s.ok()) return s;
    if (!names.insert(tensor.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("safetensors: tensor \"", tensor.name,
                       "\": given twice; give each its own name"));
    }
    const absl::StatusOr<std::string> name = JsonString(tensor.name);
    if (!name.ok()) return name;
    entries.push_back(absl::StrCat(
        *name, ":{\"dtype\":\"", Info(tensor.type).name, "\",\"shape\":[",
        absl::StrJoin(tensor.shape.dims(), ","), "],\"data_offsets\":[", offset,
        ",", offset + tensor.bytes.size(), "]}"));
    offset += tensor.bytes.size();
  }
  std::string header = absl::StrCat("{", absl::StrJoin(entries, ","), "}");
  header.resize((header.size() + kAlignment - 1) / kAlignment * kAlignment,
                ' ');

  const uint64_t length = header.size();
  std::string contents(reinterpret_cast<const char*>(&length), kLengthBytes);
  contents.reserve(kLengthBytes + header.size() + offset);
  contents += header;
  for (const SafetensorsTensor& tensor : file.tensors) contents += tensor.bytes;
  return contents;
}

absl::StatusOr<Safetensors> ParseSafetensors(std::string_view contents,
                                             std::string_view name) {
  return Parser(contents, name).Parse();
}

absl::Status WriteSafetensors(const std::string& path,
                              const Safetensors& file) {
  const absl::StatusOr<std::string> contents = SerializeSafetensors(file);
  if (!contents.ok()) return contents.status();
  return WriteFileAtomically(path, *contents);
}

absl::StatusOr<Safetensors> ReadSafetensors(const std::string& path) {
  const absl::StatusOr<std::string> contents = ReadFile(path);
  if (!contents.ok()) return contents.status();
  return ParseSafetensors(*contents, path);
}

}  // namespace repro16
