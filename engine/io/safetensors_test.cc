#include "engine/io/safetensors.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/io/file.h"
#include "engine/tensor/dtype.h"
#include "engine/tensor/shape.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()),
                     values.size() * sizeof(T));
}

Safetensors Example() {
  Safetensors file;
  file.metadata = {{"seed", "7"}, {"a \"quoted\"\nkey", "tab\t<\\>"}};
  file.tensors = {
      {"w", SafetensorsType::kF32, {2, 3}, Bytes<float>({1, 2, 3, 4, 5, 6})},
      {"b", SafetensorsType::kF16, {3}, Bytes<uint16_t>({0x3c00, 0x0001, 0})},
      {"empty", SafetensorsType::kF32, {0, 5}, ""},
      {"a", SafetensorsType::kBF16, Shape(), Bytes<uint16_t>({0x3f80})},
      {"labels", SafetensorsType::kI64, {2}, Bytes<int64_t>({-1, 9})},
  };
  return file;
}

// A file with the given header, as it stands, and data.
std::string WithHeader(std::string_view header, std::string_view data) {
  const uint64_t length = header.size();
  return absl::StrCat(
      std::string_view(reinterpret_cast<const char*>(&length), 8), header,
      data);
}

TEST(SafetensorsTest, BytesAreThoseOfTheFormat) {
  Safetensors file;
  file.metadata = {{"format", "pt"}};
  file.tensors = {{"z", SafetensorsType::kF32, {1, 2}, Bytes<float>({1, -2})},
                  {"a", SafetensorsType::kI64, {1}, Bytes<int64_t>({3})}};
  const std::string header =
      R"({"__metadata__":{"format":"pt"},)"
      R"("z":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
      R"("a":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}})";
  const std::string padded = header + std::string(8 - header.size() % 8, ' ');
  EXPECT_EQ(*SerializeSafetensors(file),
            WithHeader(padded, std::string_view("\0\0\x80\x3f\0\0\0\xc0"
                                                "\x03\0\0\0\0\0\0\0",
                                                16)));
}

TEST(SafetensorsTest, RoundTripThroughAFile) {
  const std::string path = testing::TempDir() + "/safetensors_test";
  const Safetensors written = Example();
  ASSERT_TRUE(WriteSafetensors(path, written).ok());
  const absl::StatusOr<Safetensors> read = ReadSafetensors(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->metadata, written.metadata);
  ASSERT_EQ(read->tensors.size(), written.tensors.size());
  for (const SafetensorsTensor& tensor : written.tensors) {
    const SafetensorsTensor* found = read->Find(tensor.name);
    ASSERT_NE(found, nullptr) << tensor.name;
    EXPECT_EQ(found->type, tensor.type);
    EXPECT_EQ(found->shape, tensor.shape);
    EXPECT_EQ(found->bytes, tensor.bytes);
  }
  EXPECT_EQ(read->tensors[0].name, "w");
  EXPECT_EQ(read->Find("none"), nullptr);
  EXPECT_EQ(*SerializeSafetensors(*read), *ReadFile(path));
}

TEST(SafetensorsTest, DataBeginAtAMultipleOfEight) {
  for (size_t length = 1; length < 20; ++length) {
    Safetensors file;
    file.tensors = {{std::string(length, 'n'), SafetensorsType::kF16, {0}, ""}};
    EXPECT_EQ(SerializeSafetensors(file)->size() % 8, 0u) << length;
  }
}

TEST(SafetensorsTest, NoTensors) {
  const absl::StatusOr<Safetensors> read =
      ParseSafetensors(*SerializeSafetensors(Safetensors()), "f");
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(read->tensors.empty());
}

TEST(SafetensorsTest, ToDoublesIsExact) {
  const Safetensors file = Example();
  EXPECT_EQ(ToDoubles(*file.Find("w")),
            (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(ToDoubles(*file.Find("b")),
            (std::vector<double>{1, 5.9604644775390625e-8, 0}));
  EXPECT_EQ(ToDoubles(*file.Find("a")), std::vector<double>{1});
  EXPECT_EQ(ToDoubles(*file.Find("labels")), (std::vector<double>{-1, 9}));
  EXPECT_TRUE(ToDoubles(*file.Find("empty")).empty());
}

TEST(SafetensorsTest, TypesHaveTheNamesOfDType) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
    const SafetensorsType same = ToSafetensorsType(type);
    EXPECT_EQ(SizeOf(same), SizeOf(type));
    Safetensors file;
    file.tensors = {{"t", same, {0}, ""}};
    EXPECT_NE(SerializeSafetensors(file)->find(
                  absl::StrCat("\"dtype\":\"", Name(type), "\"")),
              std::string::npos);
  }
}

TEST(SafetensorsTest, RefusesToWriteFaults) {
  const auto message = [](std::vector<SafetensorsTensor> tensors) {
    Safetensors file;
    file.tensors = std::move(tensors);
    return std::string(SerializeSafetensors(file).status().message());
  };
  const SafetensorsTensor good = {"t", SafetensorsType::kF16, {1}, "ab"};
  EXPECT_EQ(message({good, good}),
            "safetensors: tensor \"t\": given twice; give each its own name");
  EXPECT_EQ(message({{"t", SafetensorsType::kF32, {2}, "ab"}}),
            "safetensors: tensor \"t\": 2 bytes where [2] of F32 has 8; pass "
            "the bytes of that shape");
  EXPECT_EQ(message({{"__metadata__", SafetensorsType::kF16, {1}, "ab"}}),
            "safetensors: tensor \"__metadata__\": not a name for a tensor; "
            "choose another");
  EXPECT_EQ(message({{"\xff", SafetensorsType::kF16, {1}, "ab"}}),
            "safetensors: a name or metadata is not ASCII; give it in ASCII");
}

TEST(SafetensorsTest, TruncatedFiles) {
  const std::string whole = *SerializeSafetensors(Example());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(ParseSafetensors(whole.substr(0, size), "f").status().code(),
              absl::StatusCode::kDataLoss)
        << size << " bytes";
  }
  EXPECT_FALSE(ParseSafetensors(whole + "x", "f").ok());
}

TEST(SafetensorsTest, MissingFile) {
  EXPECT_EQ(ReadSafetensors(testing::TempDir() + "/none").status().code(),
            absl::StatusCode::kNotFound);
}

struct Malformed {
  std::string header;
  std::string fault;
};

class MalformedHeaderTest : public testing::TestWithParam<Malformed> {};

// Each header stands before 8 bytes of data.
TEST_P(MalformedHeaderTest, IsTold) {
  const absl::Status status =
      ParseSafetensors(WithHeader(GetParam().header, "12345678"), "f").status();
  EXPECT_EQ(status.message(),
            absl::StrCat("f: not a valid safetensors file: ", GetParam().fault,
                         "; write it again or name another file"));
}

INSTANTIATE_TEST_SUITE_P(
    All, MalformedHeaderTest,
    testing::Values(
        Malformed{"", "the header is not a JSON object"},
        Malformed{"[1, 2]", "the header is not a JSON object"},
        Malformed{R"({"t":)", "the header is not a JSON object"},
        Malformed{"{}", "the tensors end at byte 0 of 8 bytes of data"},
        Malformed{R"({"t":1})", "tensor \"t\" is not an object"},
        Malformed{R"({"__metadata__":1})", "__metadata__ is not an object"},
        Malformed{R"({"__metadata__":{"a":1}})",
                  "__metadata__ has a value that is not a string"},
        Malformed{R"({"t":{"shape":[2],"data_offsets":[0,8]}})",
                  "tensor \"t\" has no dtype"},
        Malformed{R"({"t":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})",
                  "tensor \"t\" has the type \"F64\", not F32, F16, BF16 or "
                  "I64"},
        Malformed{R"({"t":{"dtype":"F32","data_offsets":[0,8]}})",
                  "tensor \"t\" has no shape, a list of whole numbers"},
        Malformed{R"({"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
                  "tensor \"t\" has no shape, a list of whole numbers"},
        Malformed{R"({"t":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}})",
                  "tensor \"t\" has no shape, a list of whole numbers"},
        Malformed{
            R"({"t":{"dtype":"F32","shape":[1e300],"data_offsets":[0,8]}})",
            "tensor \"t\" has no shape, a list of whole numbers"},
        Malformed{R"({"t":{"dtype":"F32","shape":[2]}})",
                  "tensor \"t\" has no data_offsets, a list of whole numbers"},
        Malformed{R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0]}})",
                  "tensor \"t\" has 1 data_offsets, not 2"},
        Malformed{R"({"t":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})",
                  "tensor \"t\" lies at [0, 12), outside of the 8 bytes of "
                  "data"},
        Malformed{R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})",
                  "tensor \"t\" lies at [8, 0), outside of the 8 bytes of "
                  "data"},
        Malformed{R"({"t":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}})",
                  "tensor \"t\" of shape [2] and type F16 does not have 8 "
                  "bytes"},
        // 2^64 + 8 bytes, were the product to wrap.
        Malformed{R"({"t":{"dtype":"F32","shape":[2305843009213693954,2],)"
                  R"("data_offsets":[0,8]}})",
                  "tensor \"t\" has no shape, a list of whole numbers"},
        Malformed{R"({"t":{"dtype":"F32","shape":[4294967296,4294967296,2],)"
                  R"("data_offsets":[0,8]}})",
                  "tensor \"t\" of shape [4294967296, 4294967296, 2] and type "
                  "F32 does not have 8 bytes"},
        Malformed{R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                  "tensor \"t\" begins at byte 4 of the data, the one before "
                  "it ends at 0"},
        Malformed{R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                  R"("u":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                  "tensor \"u\" begins at byte 0 of the data, the one before "
                  "it ends at 4"},
        Malformed{R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                  "the tensors end at byte 4 of 8 bytes of data"}));

TEST(SafetensorsTest, HeaderLengthBeyondTheFile) {
  std::string contents(16, '\xff');
  EXPECT_EQ(ParseSafetensors(contents, "f").status().message(),
            "f: not a valid safetensors file: the header is to have "
            "18446744073709551615 bytes, the file has 8 after the length; "
            "write it again or name another file");
}

}  // namespace
}  // namespace repro16
