#include "reports/report_file.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/io/proto_file.h"
#include "reports/data_files.h"

namespace repro16 {
namespace {

bool IsName(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '_';
  });
}

absl::Status CheckTable(const report::Table& table) {
  if (!IsName(TableId(table))) {
    return absl::InvalidArgumentError(
        absl::StrCat("table \"", table.title(), "\": the id \"", table.id(),
                     "\" is not of letters, digits and _"));
  }
  for (int i = 0; i < table.rows_size(); ++i) {
    if (table.rows(i).cells_size() != table.columns_size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("table \"", table.title(), "\": rows[", i, "] has ",
                       table.rows(i).cells_size(), " cells, but the table has ",
                       table.columns_size(), " columns"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFigure(const report::Figure& figure) {
  const std::string& name = figure.name();
  if (!IsName(name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "figures: the name \"", name, "\" is not of letters, digits and _"));
  }
  for (const report::Dataset& dataset : figure.datasets()) {
    for (int i = 0; i < dataset.records_size(); ++i) {
      if (dataset.records(i).values_size() != dataset.fields_size()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "figure \"", figure.name(), "\": data set \"", dataset.name(),
            "\": records[", i, "] has ", dataset.records(i).values_size(),
            " values, but the data set has ", dataset.fields_size(),
            " fields"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckReport(const report::Report& report) {
  const std::set<std::string> scales = {"smoke", "lite", "paper"};
  if (scales.count(report.scale()) == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "scale \"", report.scale(), "\" is unknown; use smoke, lite or paper"));
  }
  std::set<std::string> ids;
  for (const report::Expectation& expectation : report.expectations()) {
    if (!ids.insert(expectation.id()).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "expectations: the id \"", expectation.id(), "\" is used twice"));
    }
  }
  std::set<std::string> files = {std::string(kStatementsId),
                                 std::string(kRunsId)};
  for (const report::Table& table : report.tables()) {
    if (absl::Status status = CheckTable(table); !status.ok()) return status;
    if (!files.insert(TableId(table)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("table \"", table.title(), "\": the id \"",
                       TableId(table), "\" is used twice; give it another"));
    }
  }
  std::set<std::string> figures;
  for (const report::Figure& figure : report.figures()) {
    if (!figures.insert(figure.name()).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "figures: the name \"", figure.name(), "\" is used twice"));
    }
    if (absl::Status status = CheckFigure(figure); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<report::Report> ReadReport(const std::string& path) {
  report::Report report;
  absl::Status status = absl::EndsWith(path, ".textproto")
                            ? ReadTextProto(path, &report)
                            : ReadBinaryProto(path, &report);
  if (!status.ok()) return status;
  status = CheckReport(report);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", status.message()));
  }
  return report;
}

}  // namespace repro16
