#include "reports/paper_values.h"

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "reports/format.h"

namespace repro16 {
namespace {

double Compute(const ArithmeticCheck& check,
               const std::vector<double>& operands) {
  switch (check.operation()) {
    case ArithmeticCheck::DIFFERENCE:
      return operands[0] - operands[1];
    case ArithmeticCheck::RATIO:
      return operands[0] / operands[1];
    case ArithmeticCheck::RELATIVE_PERCENT:
      return 100 * (operands[0] - operands[1]) / operands[1];
    default:
      break;
  }
  double sum = 0;
  for (const double operand : operands) sum += operand;
  return check.operation() == ArithmeticCheck::MEAN ? sum / operands.size()
                                                    : sum;
}

std::string PlaceOf(const PaperValue& value) {
  std::string place = value.table();
  if (!value.row().empty()) absl::StrAppend(&place, ", row ", value.row());
  if (!value.column().empty()) {
    absl::StrAppend(&place, ", column ", value.column());
  }
  return place;
}

}  // namespace

const PaperValue* FindPaperValue(const Golden& golden, std::string_view id) {
  for (const PaperValue& value : golden.paper()) {
    if (value.id() == id) return &value;
  }
  return nullptr;
}

const Statement* FindStatement(const Golden& golden, std::string_view id) {
  for (const Statement& statement : golden.statements()) {
    if (statement.id() == id) return &statement;
  }
  return nullptr;
}

absl::StatusOr<PaperValue> PaperValueOf(const Golden& golden,
                                        std::string_view id) {
  const PaperValue* value = FindPaperValue(golden, id);
  if (value != nullptr) return *value;
  return absl::NotFoundError(
      absl::StrCat("golden values of ", golden.experiment(),
                   ": no paper value has the id \"", id, "\"; add it"));
}

absl::StatusOr<report::Expectation> ExpectationFromPaper(
    const Golden& golden, std::string_view id, std::string_view what) {
  const absl::StatusOr<PaperValue> value = PaperValueOf(golden, id);
  if (!value.ok()) return value.status();
  report::Expectation expectation;
  expectation.set_id(value->id());
  expectation.set_what(std::string(what));
  expectation.set_place(PlaceOf(*value));
  if (value->text().empty()) expectation.set_paper_value(value->value());
  expectation.set_paper_text(value->text());
  expectation.set_unit(value->unit());
  return expectation;
}

absl::StatusOr<std::vector<report::Finding>> CheckArithmetic(
    const Golden& golden) {
  std::map<std::string, PaperValue> paper;
  for (const PaperValue& value : golden.paper()) paper[value.id()] = value;
  std::vector<report::Finding> findings;
  for (const ArithmeticCheck& check : golden.checks()) {
    const PaperValue& result = paper.at(check.result());
    std::vector<double> operands;
    for (const std::string& operand : check.operands()) {
      operands.push_back(paper.at(operand).value());
    }
    const double computed = Compute(check, operands);
    const bool holds = std::fabs(computed - result.value()) <=
                       check.tolerance() + 1e-9 * std::fabs(computed);
    if (holds != check.contradiction().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "golden values of ", golden.experiment(), ": checks: ",
          check.result(), " is ", result.value(), ", its operands give ",
          computed, ", so it ", holds ? "holds" : "does not hold",
          "; correct the number, or the field contradiction"));
    }
    report::Finding finding;
    finding.set_kind(holds ? report::Finding::AGREEMENT
                           : report::Finding::CONTRADICTION);
    finding.set_title(absl::StrCat(
        "A derived value of ", result.table(),
        holds ? " follows from its operands" : " does not follow"));
    finding.set_text(absl::StrCat(check.contradiction(), holds ? "" : " ",
                                  "Printed ", FormatShortest(result.value()),
                                  ", recomputed from the printed values ",
                                  FormatNumber(computed), "."));
    finding.set_place(PlaceOf(result));
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace repro16
