#include "experiments/table2/published.h"

#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/io/proto_file.h"

namespace repro16 {
namespace {

using Row = PublishedTable::Row;
using Texts = google::protobuf::RepeatedPtrField<std::string>;

constexpr std::string_view kPrecisions[] = {"FP16", "FP32", "MP"};
constexpr std::string_view kOthers[] = {"FP32", "MP"};
constexpr std::string_view kMean = "mean";
constexpr int64_t kSeeds = 50;

// A printed number, and half a unit of its last digit.
struct Printed {
  double value = 0;
  double half_unit = 0;
};

absl::StatusOr<Printed> Parse(const Row& row, const std::string& text) {
  Printed printed;
  if (!absl::SimpleAtod(text, &printed.value)) {
    return absl::InvalidArgumentError(
        absl::StrCat("published table 2, row ", row.model(), ": \"", text,
                     "\" is not a number; give it as printed"));
  }
  const size_t point = text.find('.');
  const double decimals = point == std::string::npos
                              ? 0
                              : static_cast<double>(text.size() - point - 1);
  printed.half_unit = std::pow(10, -decimals) / 2;
  return printed;
}

absl::StatusOr<std::vector<Printed>> ParseAll(const Row& row,
                                              const Texts& texts, int count) {
  if (texts.size() != count) {
    return absl::InvalidArgumentError(absl::StrCat(
        "published table 2, row ", row.model(), ": ", texts.size(),
        " numbers where there are ", count, "; give each as printed"));
  }
  std::vector<Printed> all;
  for (const std::string& text : texts) {
    absl::StatusOr<Printed> one = Parse(row, text);
    if (!one.ok()) return one.status();
    all.push_back(*one);
  }
  return all;
}

PaperValue& Add(const Row& row, std::string_view id, std::string_view column,
                double value, std::string_view unit, Golden* golden) {
  PaperValue& paper = *golden->add_paper();
  paper.set_id(absl::StrCat(row.model(), "/", id));
  paper.set_table("table 2");
  paper.set_row(row.network());
  paper.set_column(std::string(column));
  paper.set_value(value);
  paper.set_unit(std::string(unit));
  return paper;
}

ArithmeticCheck& AddCheck(const PaperValue& result,
                          ArithmeticCheck::Operation operation,
                          double tolerance, Golden* golden) {
  ArithmeticCheck& check = *golden->add_checks();
  check.set_result(result.id());
  check.set_operation(operation);
  check.set_tolerance(tolerance);
  return check;
}

// What the row has of each precision.
struct Columns {
  std::vector<Printed> accuracy, deviation, seconds, difference, speedup;
};

absl::StatusOr<Columns> ParseRow(const Row& row) {
  Columns columns;
  const bool mean = row.model() == kMean;
  const std::pair<std::vector<Printed>*, std::pair<const Texts*, int>>
      fields[] = {{&columns.accuracy, {&row.accuracy(), mean ? 0 : 3}},
                  {&columns.deviation, {&row.deviation(), mean ? 0 : 3}},
                  {&columns.seconds, {&row.seconds(), mean ? 0 : 3}},
                  {&columns.difference, {&row.difference(), 2}},
                  {&columns.speedup, {&row.speedup(), 2}}};
  for (const auto& [to, from] : fields) {
    absl::StatusOr<std::vector<Printed>> parsed =
        ParseAll(row, *from.first, from.second);
    if (!parsed.ok()) return parsed.status();
    *to = *std::move(parsed);
  }
  return columns;
}

void AddMeasured(const Row& row, const Columns& columns, Golden* golden) {
  for (size_t p = 0; p < columns.accuracy.size(); ++p) {
    PaperValue& accuracy =
        Add(row, kPrecisions[p], absl::StrCat("Accuracy, ", kPrecisions[p]),
            columns.accuracy[p].value, "%", golden);
    accuracy.set_sd(columns.deviation[p].value);
    accuracy.set_n(kSeeds);
    Add(row, absl::StrCat(kPrecisions[p], "_s"),
        absl::StrCat("Time, ", kPrecisions[p]), columns.seconds[p].value, "s",
        golden);
  }
}

// FP16 against the precision `other`, a place in kOthers.
void AddDerived(const Row& row, const Columns& columns, size_t other,
                Golden* golden) {
  const std::string_view name = kOthers[other];
  const Printed& difference = columns.difference[other];
  const Printed& speedup = columns.speedup[other];
  const std::string difference_id = absl::StrCat("FP16-", name);
  const std::string speedup_id = absl::StrCat(name, "/FP16");
  const PaperValue difference_paper =
      Add(row, difference_id, absl::StrCat("Accuracy Diff., FP16 - ", name),
          difference.value, "points", golden);
  const PaperValue speedup_paper =
      Add(row, speedup_id, absl::StrCat("Time Speedup, ", name, " / FP16"),
          speedup.value, "x", golden);
  if (row.model() == kMean) {
    // Operands are those of the rows before; each may be off by as much.
    ArithmeticCheck& differences =
        AddCheck(difference_paper, ArithmeticCheck::MEAN,
                 2 * difference.half_unit, golden);
    ArithmeticCheck& speedups = AddCheck(speedup_paper, ArithmeticCheck::MEAN,
                                         2 * speedup.half_unit, golden);
    for (const PaperValue& value : golden->paper()) {
      if (value.row() == row.network()) continue;
      if (value.column() == difference_paper.column()) {
        differences.add_operands(value.id());
      } else if (value.column() == speedup_paper.column()) {
        speedups.add_operands(value.id());
      }
    }
    return;
  }
  const auto id = [&row](std::string_view column) {
    return absl::StrCat(row.model(), "/", column);
  };
  ArithmeticCheck& subtracted =
      AddCheck(difference_paper, ArithmeticCheck::DIFFERENCE,
               difference.half_unit + columns.accuracy[0].half_unit +
                   columns.accuracy[other + 1].half_unit,
               golden);
  subtracted.add_operands(id("FP16"));
  subtracted.add_operands(id(name));
  const Printed& fp16 = columns.seconds[0];
  const Printed& slower = columns.seconds[other + 1];
  // The largest ratio that rounds to these seconds, less that of the seconds.
  const double largest =
      (slower.value + slower.half_unit) / (fp16.value - fp16.half_unit);
  ArithmeticCheck& divided =
      AddCheck(speedup_paper, ArithmeticCheck::RATIO,
               speedup.half_unit + largest - slower.value / fp16.value, golden);
  divided.add_operands(id(absl::StrCat(name, "_s")));
  divided.add_operands(id("FP16_s"));
  if (static_cast<int>(other) < row.contradiction_size()) {
    divided.set_contradiction(row.contradiction(static_cast<int>(other)));
  }
}

}  // namespace

absl::StatusOr<Golden> PublishedValues(const PublishedTable& table) {
  Golden golden;
  golden.set_experiment("table2");
  for (const Row& row : table.rows()) {
    const absl::StatusOr<Columns> columns = ParseRow(row);
    if (!columns.ok()) return columns.status();
    AddMeasured(row, *columns, &golden);
    for (size_t other = 0; other < std::size(kOthers); ++other) {
      AddDerived(row, *columns, other, &golden);
    }
  }
  return golden;
}

absl::StatusOr<Published> ReadPublished(const std::string& path) {
  Published published;
  absl::Status status = ReadTextProto(path, &published.table);
  if (!status.ok()) return status;
  absl::StatusOr<Golden> values = PublishedValues(published.table);
  if (!values.ok()) return values.status();
  published.values = *std::move(values);
  return published;
}

}  // namespace repro16
