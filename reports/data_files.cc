#include "reports/data_files.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "reports/format.h"

namespace repro16 {
namespace {

using report::Cell;
using report::Value;

Value Text(std::string_view text) {
  Value value;
  if (!text.empty()) value.set_text(std::string(text));
  return value;
}

Value Number(double number) {
  Value value;
  value.set_number(number);
  return value;
}

Value NumberIf(bool is_there, double number) {
  return is_there ? Number(number) : Value();
}

// ---- Tables -----------------------------------------------------------------

// One column of the data: its name, and its value of a cell.
struct Field {
  std::string name;
  std::function<Value(const Cell&)> value;
};

Value ShownValue(const Cell& cell) {
  if (!cell.text().empty() || !cell.has_number()) return Text(cell.text());
  return Text(FormatNumber(cell.number()));
}

// The paper's value: a number where it is one.
Value PaperValueOf(const Cell& cell) {
  double number;
  if (cell.has_paper_number()) return Number(cell.paper_number());
  if (absl::SimpleAtod(cell.paper(), &number)) return Number(number);
  return Text(cell.paper());
}

// Titles that tell the columns apart: one that several have, such as "alike",
// follows the title of the column before it.
std::vector<std::string> TitlesOf(const report::Table& table) {
  std::map<std::string, int> uses;
  for (const report::Column& column : table.columns()) ++uses[TitleOf(column)];
  std::vector<std::string> titles;
  std::set<std::string> taken;
  for (int i = 0; i < table.columns_size(); ++i) {
    std::string title = TitleOf(table.columns(i));
    if (title.empty()) title = i == 0 ? "row" : "column";
    if (i > 0 && uses[TitleOf(table.columns(i))] > 1) {
      title = absl::StrCat(TitleOf(table.columns(i - 1)), " ", title);
    }
    if (!taken.insert(title).second) {
      absl::StrAppend(&title, " ", i + 1);
      taken.insert(title);
    }
    titles.push_back(std::move(title));
  }
  return titles;
}

// The columns that column i of a table becomes.
std::vector<Field> FieldsOf(const report::Table& table, int i,
                            const std::string& title) {
  const auto any = [&](const std::function<bool(const Cell&)>& test) {
    return std::any_of(
        table.rows().begin(), table.rows().end(),
        [&](const report::Row& row) { return test(row.cells(i)); });
  };
  std::vector<Field> fields;
  const auto is_number = [](const Cell& cell) { return cell.has_number(); };
  const auto has_text = [](const Cell& cell) { return !cell.text().empty(); };
  if (any(is_number)) {
    fields.push_back({title, [](const Cell& cell) {
                        return NumberIf(cell.has_number(), cell.number());
                      }});
    if (any(has_text)) fields.push_back({title + " as shown", ShownValue});
  } else {
    fields.push_back({title, ShownValue});
  }
  if (any([](const Cell& cell) { return !cell.paper().empty(); })) {
    fields.push_back({title + " paper", PaperValueOf});
  }
  if (any([](const Cell& cell) { return cell.verdict() != 0; })) {
    fields.push_back({title + " verdict", [](const Cell& cell) {
                        return Text(VerdictWord(cell.verdict()));
                      }});
  }
  if (any([](const Cell& cell) { return !cell.note().empty(); })) {
    fields.push_back(
        {title + " note", [](const Cell& cell) { return Text(cell.note()); }});
  }
  return fields;
}

report::Dataset DataOfTable(const report::Table& table) {
  report::Dataset data;
  data.set_name(TableId(table));
  for (int y = 0; y < table.rows_size(); ++y) data.add_records();
  const std::vector<std::string> titles = TitlesOf(table);
  for (int i = 0; i < table.columns_size(); ++i) {
    for (const Field& field : FieldsOf(table, i, titles[i])) {
      data.add_fields(field.name);
      for (int y = 0; y < table.rows_size(); ++y) {
        *data.mutable_records(y)->add_values() =
            field.value(table.rows(y).cells(i));
      }
    }
  }
  return data;
}

// ---- Statements, runs -------------------------------------------------------

void AddRecord(std::vector<Value> values, report::Dataset& data) {
  report::Record& record = *data.add_records();
  for (Value& value : values) *record.add_values() = std::move(value);
}

report::Dataset DataOfStatements(const report::Report& report) {
  report::Dataset data;
  data.set_name(std::string(kStatementsId));
  for (const char* field :
       {"id", "what", "place", "unit", "paper", "paper_text", "ours",
        "ours_deviation", "ours_count", "ours_text", "difference", "low",
        "high", "level", "margin", "verdict", "counted", "note"}) {
    data.add_fields(field);
  }
  for (const report::Expectation& e : report.expectations()) {
    AddRecord(
        {Text(e.id()), Text(e.what()), Text(e.place()), Text(e.unit()),
         NumberIf(e.has_paper_value(), e.paper_value()), Text(e.paper_text()),
         NumberIf(e.has_ours(), e.ours().mean()),
         NumberIf(e.ours().has_sd(), e.ours().sd()),
         NumberIf(e.has_ours(), static_cast<double>(e.ours().n())),
         Text(e.ours_text()), NumberIf(e.has_difference(), e.difference()),
         NumberIf(e.has_interval(), e.interval().low()),
         NumberIf(e.has_interval(), e.interval().high()),
         NumberIf(e.has_interval(), e.interval().level()),
         NumberIf(e.has_margin(), e.margin()), Text(VerdictWord(e.verdict())),
         Text(e.uncounted() ? "no" : "yes"), Text(e.note())},
        data);
  }
  return data;
}

report::Dataset DataOfRuns(const report::Report& report) {
  report::Dataset data;
  data.set_name(std::string(kRunsId));
  for (const char* field : {"run", "train_seconds", "evaluate_seconds",
                            "partial", "device", "simd_target"}) {
    data.add_fields(field);
  }
  for (const report::RunTime& run : report.runs()) {
    AddRecord(
        {Text(run.run()), Number(run.train_seconds()),
         Number(run.evaluate_seconds()), Text(run.partial() ? "yes" : "no"),
         Text(run.device()), Text(run.simd_target())},
        data);
  }
  return data;
}

// ---- Syntax -----------------------------------------------------------------

std::string CsvField(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    return std::string(text);
  }
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

std::string CsvValue(const Value& value) {
  return value.has_number() ? FormatShortest(value.number())
                            : CsvField(value.text());
}

std::string JsonText(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", std::string(1, c));
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", c);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string JsonValue(const Value& value) {
  if (value.has_text()) return JsonText(value.text());
  if (!value.has_number() || !std::isfinite(value.number())) return "null";
  return FormatShortest(value.number());
}

}  // namespace

std::string TableId(const report::Table& table) {
  if (!table.id().empty()) return table.id();
  std::string id;
  for (const char c : table.title()) {
    if (absl::ascii_isalnum(c)) {
      id += absl::ascii_tolower(c);
    } else if (!id.empty() && id.back() != '_') {
      id += '_';
    }
  }
  while (!id.empty() && id.back() == '_') id.pop_back();
  return id.empty() ? "table" : id;
}

std::vector<std::string> DataFileNames(std::string_view id) {
  return {absl::StrCat(id, ".csv"), absl::StrCat(id, ".json")};
}

std::vector<report::Dataset> DataOf(const report::Report& report) {
  std::vector<report::Dataset> data;
  if (!report.expectations().empty()) data.push_back(DataOfStatements(report));
  for (const report::Table& table : report.tables()) {
    data.push_back(DataOfTable(table));
  }
  if (!report.runs().empty()) data.push_back(DataOfRuns(report));
  return data;
}

std::string CsvOf(const report::Dataset& dataset) {
  std::string csv = absl::StrJoin(dataset.fields(), ",",
                                  [](std::string* out, std::string_view field) {
                                    out->append(CsvField(field));
                                  });
  csv += "\r\n";
  for (const report::Record& record : dataset.records()) {
    absl::StrAppend(&csv,
                    absl::StrJoin(record.values(), ",",
                                  [](std::string* out, const Value& value) {
                                    out->append(CsvValue(value));
                                  }),
                    "\r\n");
  }
  return csv;
}

std::string JsonOf(const report::Dataset& dataset) {
  std::vector<std::string> objects;
  for (const report::Record& record : dataset.records()) {
    std::vector<std::string> members;
    for (int i = 0; i < record.values_size(); ++i) {
      members.push_back(absl::StrCat(JsonText(dataset.fields(i)), ": ",
                                     JsonValue(record.values(i))));
    }
    objects.push_back(absl::StrCat("  {", absl::StrJoin(members, ", "), "}"));
  }
  return absl::StrCat("[\n", absl::StrJoin(objects, ",\n"), "\n]\n");
}

}  // namespace repro16
