// How the page of worked examples writes tensors.
#ifndef REPRO16_TESTS_WORKED_EXAMPLES_PAGE_H_
#define REPRO16_TESTS_WORKED_EXAMPLES_PAGE_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/random_stream.h"
#include "engine/tensor/dtype.h"
#include "engine/tensor/shape.h"

namespace repro16 {

// An element: its bits, and as many digits as tell it from its neighbours.
inline std::string Cell(float x, DType type) {
  switch (type) {
    case DType::kF32: {
      uint32_t bits;
      std::memcpy(&bits, &x, sizeof(bits));
      return absl::StrFormat("%08x %-15s", bits, absl::StrFormat("%.9g", x));
    }
    case DType::kF16:
      return absl::StrFormat("%04x %-11s", RoundToBinary16(x).bits,
                             absl::StrFormat("%.5g", x));
    case DType::kBF16:
      return absl::StrFormat("%04x %-10s", RoundToBFloat16(x).bits,
                             absl::StrFormat("%.4g", x));
  }
  return "";
}

inline std::string Cell(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return absl::StrFormat("%016x %-22s", bits, absl::StrFormat("%.17g", x));
}

// Text between blocks of tensors.
class WorkedExamplesPage {
 public:
  void Text(std::string_view text) {
    if (in_block_) text_ += "```\n";
    in_block_ = false;
    absl::StrAppend(&text_, text, "\n");
  }

  // A tensor of no, one or two dimensions.
  void Tensor(std::string_view name, std::string_view type,
              const std::vector<int64_t>& shape,
              const std::vector<std::string>& cells) {
    if (!in_block_) text_ += "```\n";
    in_block_ = true;
    absl::StrAppend(&text_, name, " ", type, " [", absl::StrJoin(shape, ", "),
                    "]");
    if (shape.size() < 2) return Row(cells.begin(), cells.end());
    text_ += "\n";
    for (auto row = cells.begin(); row != cells.end(); row += shape[1]) {
      Row(row, row + shape[1]);
    }
  }

  void Floats(std::string_view name, DType type,
              const std::vector<int64_t>& shape,
              const std::vector<float>& values) {
    std::vector<std::string> cells;
    for (const float x : values) cells.push_back(Cell(x, type));
    Tensor(name, TypeName(type), shape, cells);
  }

  void Doubles(std::string_view name, const std::vector<int64_t>& shape,
               const std::vector<double>& values) {
    std::vector<std::string> cells;
    for (const double x : values) cells.push_back(Cell(x));
    Tensor(name, "f64", shape, cells);
  }

  template <class T>
  void Integers(std::string_view name, const std::vector<int64_t>& shape,
                const std::vector<T>& values) {
    std::vector<std::string> cells;
    for (const T x : values) cells.push_back(absl::StrFormat("%3d", x));
    Tensor(name, "int", shape, cells);
  }

  void Words(std::string_view name, const std::vector<int64_t>& shape,
             const RandomStream& stream) {
    std::vector<std::string> cells;
    for (int64_t i = 0; i < Shape(shape).NumElements(); ++i) {
      cells.push_back(
          absl::StrFormat("%08x", stream.UniformU32(static_cast<uint64_t>(i))));
    }
    Tensor(name, "u32", shape, cells);
  }

  std::string Finish() && {
    if (in_block_) text_ += "```\n";
    return std::move(text_);
  }

 private:
  static std::string_view TypeName(DType type) {
    return type == DType::kF32 ? "f32" : type == DType::kF16 ? "f16" : "bf16";
  }

  template <class Cells>
  void Row(Cells begin, Cells end) {
    absl::StrAppend(
        &text_, "  ",
        absl::StripTrailingAsciiWhitespace(absl::StrJoin(begin, end, "  ")),
        "\n");
  }

  std::string text_;
  bool in_block_ = false;
};

}  // namespace repro16

#endif  // REPRO16_TESTS_WORKED_EXAMPLES_PAGE_H_
