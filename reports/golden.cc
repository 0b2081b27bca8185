#include "reports/golden.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "engine/io/file.h"
#include "engine/io/proto_file.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

// ---- Checking a file --------------------------------------------------------

// Makes errors about a golden file's contents.
class Complaint {
 public:
  Complaint(std::string_view text, std::string_view name)
      : text_(text), name_(name) {}

  // The fault of a field whose value is the string `value`: "NAME:LINE: ...".
  absl::Status operator()(std::string_view field, std::string_view value,
                          std::string_view fault) const {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ":", LineOf(field, value), ": ", field, " \"",
                     value, "\" ", fault));
  }

 private:
  // The last line, from 1, with the field and the value: of two that are equal,
  // the second is at fault.
  int LineOf(std::string_view field, std::string_view value) const {
    const std::string quoted = absl::StrCat("\"", value, "\"");
    int line = 0, found = 0;
    for (std::string_view content : absl::StrSplit(text_, '\n')) {
      ++line;
      if (absl::StrContains(content, field) &&
          absl::StrContains(content, quoted)) {
        found = line;
      }
    }
    return found;
  }

  std::string_view text_;
  std::string_view name_;
};

absl::Status CheckPaper(const Golden& golden, const Complaint& complaint) {
  std::set<std::string> ids;
  for (const PaperValue& value : golden.paper()) {
    if (value.id().empty() || !ids.insert(value.id()).second) {
      return complaint("id", value.id(),
                       "is empty or used twice; give each value its own");
    }
  }
  for (const ArithmeticCheck& check : golden.checks()) {
    if (ids.count(check.result()) == 0) {
      return complaint("result", check.result(), "is no id of a paper value");
    }
    for (const std::string& operand : check.operands()) {
      if (ids.count(operand) == 0) {
        return complaint("operands", operand, "is no id of a paper value");
      }
    }
    const bool any_number = check.operation() == ArithmeticCheck::SUM ||
                            check.operation() == ArithmeticCheck::MEAN;
    if (any_number ? check.operands().empty() : check.operands_size() != 2) {
      return complaint("result", check.result(),
                       any_number ? "has no operands" : "needs two operands");
    }
  }
  return absl::OkStatus();
}

// Fills in what each statement leaves out and another has.
absl::Status FillStatements(const Complaint& complaint, Golden& golden) {
  std::map<std::string, Statement> known;
  for (Statement& statement : *golden.mutable_statements()) {
    if (!statement.like().empty()) {
      const auto found = known.find(statement.like());
      if (found == known.end()) {
        return complaint("like", statement.like(),
                         "is no id of a statement before it");
      }
      Statement filled = found->second;
      // Lists are replaced, not made longer.
      if (!statement.readings().empty()) filled.clear_readings();
      if (!statement.models().empty()) filled.clear_models();
      if (!statement.of().empty()) filled.clear_of();
      filled.MergeFrom(statement);
      statement = std::move(filled);
    }
    if (statement.id().empty() ||
        !known.emplace(statement.id(), statement).second) {
      return complaint("id", statement.id(),
                       "is empty or used twice; give each statement its own");
    }
    const bool tested = statement.rule() == Statement::POOLED ||
                        statement.rule() == Statement::FAMILY;
    if (tested && !(statement.margin() > 0)) {
      return complaint("id", statement.id(),
                       "has no margin; give one to judge it by");
    }
    if (statement.margin() != 0 && statement.why().empty()) {
      return complaint("id", statement.id(),
                       "has a margin without a reason; give why");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckExact(std::string_view field, const std::string& text,
                        const Complaint& complaint) {
  double value;
  const bool is_hex = absl::StrContains(text, "0x");
  char* end = nullptr;
  if (is_hex) std::strtod(text.c_str(), &end);
  const bool ok = is_hex
                      ? *end == '\0'
                      : absl::SimpleAtod(text, &value) && !std::isfinite(value);
  if (ok) return absl::OkStatus();
  return complaint(field, text,
                   "is not an exact number such as \"0x1.8p+1\", \"inf\"");
}

absl::Status CheckRun(const RunGolden& run, const Complaint& complaint) {
  if (run.weights_sha256().size() != 64) {
    return complaint("weights_sha256", run.weights_sha256(),
                     "is not 64 hexadecimal digits");
  }
  const std::pair<const char*, const std::string*> fields[] = {
      {"train_loss", &run.train_loss()},
      {"train_accuracy", &run.train_accuracy()},
      {"test_accuracy", &run.test_accuracy()}};
  for (const auto& [field, text] : fields) {
    absl::Status status = CheckExact(field, *text, complaint);
    if (!status.ok()) return status;
  }
  if (run.estimated_test_accuracy().empty()) return absl::OkStatus();
  return CheckExact("estimated_test_accuracy", run.estimated_test_accuracy(),
                    complaint);
}

absl::Status CheckScales(const Golden& golden, const Complaint& complaint) {
  const std::set<std::string> known = {"smoke", "lite", "paper"};
  std::set<std::string> scales;
  for (const ScaleGolden& scale : golden.scales()) {
    if (known.count(scale.scale()) == 0 ||
        !scales.insert(scale.scale()).second) {
      return complaint("scale", scale.scale(),
                       "is unknown or there twice; use smoke, lite, paper");
    }
    std::set<std::string> runs;
    for (const RunGolden& run : scale.runs()) {
      if (!runs.insert(run.run()).second) {
        return complaint("run", run.run(), "is there twice");
      }
      absl::Status status = CheckRun(run, complaint);
      if (!status.ok()) return status;
    }
    for (const ValueGolden& value : scale.values()) {
      report::Verdict verdict;
      if (!report::Verdict_Parse(value.verdict(), &verdict)) {
        return complaint("verdict", value.verdict(), "is unknown");
      }
      if (value.mean().empty()) continue;
      absl::Status status = CheckExact("mean", value.mean(), complaint);
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

// ---- Runs -------------------------------------------------------------------

std::string OptimizerName(const OptimizerSpec& spec) {
  switch (spec.rule_case()) {
    case OptimizerSpec::kSgd:
      return absl::StrFormat("sgd(%g, %g)", spec.sgd().learning_rate(),
                             spec.sgd().momentum());
    case OptimizerSpec::kAdam:
      return absl::StrFormat("adam(%g, %g, %g, %g)",
                             spec.adam().learning_rate(), spec.adam().beta_1(),
                             spec.adam().beta_2(), spec.adam().epsilon());
    case OptimizerSpec::kRmsprop:
      return absl::StrFormat("rmsprop(%g, %g, %g)",
                             spec.rmsprop().learning_rate(),
                             spec.rmsprop().rho(), spec.rmsprop().epsilon());
    default:
      return "no optimizer";
  }
}

std::string Examples(int64_t count) {
  return count == 0 ? "all" : absl::StrCat(count);
}

// " width=0.25 batch_norm_momentum=0.9"; what is as the paper has it is left
// out.
std::string OptionsName(const ModelSpec& options) {
  std::string name;
  if (options.width() != 0) {
    absl::StrAppendFormat(&name, " width=%g", options.width());
  }
  if (options.batch_norm_momentum() != 0) {
    absl::StrAppendFormat(&name, " batch_norm_momentum=%g",
                          options.batch_norm_momentum());
  }
  return name;
}

// " evaluation=100/4/500"
std::string EvaluationName(const EvaluationSpec& spec) {
  if (spec.ByteSizeLong() == 0) return "";
  return absl::StrCat(" evaluation=", spec.early_test_examples(), "/",
                      spec.estimated_epochs(), "/", spec.estimation_examples());
}

RunGolden RunGoldenOf(const RunResult& result) {
  RunGolden golden;
  golden.set_run(RunName(result.spec()));
  golden.set_weights_sha256(result.weights_sha256());
  const EpochResult& last = *result.epochs().rbegin();
  golden.set_train_loss(ExactText(last.train_loss()));
  golden.set_train_accuracy(ExactText(last.train_accuracy()));
  golden.set_test_accuracy(ExactText(last.test_accuracy()));
  if (last.has_estimated_test_accuracy()) {
    golden.set_estimated_test_accuracy(
        ExactText(last.estimated_test_accuracy()));
  }
  return golden;
}

// Collects what differs.
class Comparison {
 public:
  void Field(const std::string& run, const std::string& field,
             const std::string& golden, const std::string& measured) {
    if (golden != measured) {
      differences_.push_back({run, field, golden, measured});
    }
  }
  void Run(const RunGolden& golden, const RunGolden& measured);

  std::vector<GoldenDifference> Take() { return std::move(differences_); }

 private:
  std::vector<GoldenDifference> differences_;
};

void Comparison::Run(const RunGolden& golden, const RunGolden& measured) {
  const std::string& run = golden.run();
  Field(run, "train_loss", golden.train_loss(), measured.train_loss());
  Field(run, "train_accuracy", golden.train_accuracy(),
        measured.train_accuracy());
  Field(run, "test_accuracy", golden.test_accuracy(), measured.test_accuracy());
  Field(run, "estimated_test_accuracy", golden.estimated_test_accuracy(),
        measured.estimated_test_accuracy());
  Field(run, "weights_sha256", golden.weights_sha256(),
        measured.weights_sha256());
}

template <typename Message, typename Key>
std::map<std::string, Message> ByKey(
    const google::protobuf::RepeatedPtrField<Message>& messages, Key key) {
  std::map<std::string, Message> map;
  for (const Message& message : messages) map[(message.*key)()] = message;
  return map;
}

const ScaleGolden* FindScale(const Golden& golden, std::string_view scale) {
  for (const ScaleGolden& candidate : golden.scales()) {
    if (candidate.scale() == scale) return &candidate;
  }
  return nullptr;
}

// The golden values of a scale, of this numerics version.
absl::StatusOr<const ScaleGolden*> ScaleToCompare(const Golden& golden,
                                                  std::string_view name,
                                                  int64_t version) {
  const ScaleGolden* scale = FindScale(golden, name);
  if (scale == nullptr) {
    return absl::NotFoundError(absl::StrCat(
        "golden values of ", golden.experiment(), ": none at scale ", name,
        "; write them with update_golden"));
  }
  if (scale->provenance().numerics_version() != version) {
    return absl::FailedPreconditionError(absl::StrCat(
        "golden values of ", golden.experiment(), ": of numerics version ",
        scale->provenance().numerics_version(), ", the runs are of version ",
        version, "; write them anew with update_golden"));
  }
  return scale;
}

// A message on a line of its own: "  values { id: ... }".
template <typename Message>
void PrintLine(std::string_view field, const Message& message,
               std::string& text) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  printer.SetSingleLineMode(true);
  std::string body;
  printer.PrintToString(message, &body);
  absl::StrAppend(&text, "  ", field, " { ", body, "}\n");
}

std::string PrintScale(const ScaleGolden& scale) {
  ScaleGolden rest = scale;
  rest.clear_runs();
  rest.clear_values();
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  printer.SetInitialIndentLevel(1);
  std::string body;
  printer.PrintToString(rest, &body);
  std::string text = absl::StrCat("scales {\n", body);
  for (const RunGolden& run : scale.runs()) PrintLine("runs", run, text);
  for (const ValueGolden& value : scale.values()) {
    PrintLine("values", value, text);
  }
  return absl::StrCat(text, "}\n");
}

}  // namespace

absl::StatusOr<Golden> ParseGolden(std::string_view text,
                                   std::string_view name) {
  Golden golden;
  absl::Status status = ParseTextProto(text, name, &golden);
  if (!status.ok()) return status;
  const Complaint complaint(text, name);
  status = CheckPaper(golden, complaint);
  if (!status.ok()) return status;
  status = FillStatements(complaint, golden);
  if (!status.ok()) return status;
  status = CheckScales(golden, complaint);
  if (!status.ok()) return status;
  return golden;
}

absl::StatusOr<Golden> ReadGolden(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return ParseGolden(*text, path);
}

std::string RunName(const RunSpec& spec) {
  return absl::StrCat(
      spec.model(), " ", spec.policy(), " ", OptimizerName(spec.optimizer()),
      " ", spec.data().dataset(), "[", Examples(spec.data().train_examples()),
      "/", Examples(spec.data().test_examples()), "] epochs=", spec.epochs(),
      " batch=", spec.batch_size(), OptionsName(spec.model_options()),
      EvaluationName(spec.evaluation()), " seed=", spec.seed(),
      spec.flip_last_bit() ? " flipped" : "");
}

std::string ExactText(double value) { return absl::StrFormat("%a", value); }

std::string ToString(const GoldenDifference& difference) {
  return absl::StrCat(difference.run, ": ", difference.field, ": golden ",
                      difference.golden, ", measured ", difference.measured);
}

ScaleGolden ScaleGoldenOf(const report::Report& report,
                          const GoldenProvenance& provenance) {
  ScaleGolden scale;
  scale.set_scale(report.scale());
  *scale.mutable_provenance() = provenance;
  scale.mutable_provenance()->set_numerics_version(
      report.provenance().numerics_version());
  scale.mutable_provenance()->set_toolkit(report.provenance().toolkit());
  for (const report::Expectation& expectation : report.expectations()) {
    ValueGolden& value = *scale.add_values();
    value.set_id(expectation.id());
    if (expectation.has_ours()) {
      value.set_mean(ExactText(expectation.ours().mean()));
    }
    value.set_verdict(report::Verdict_Name(expectation.verdict()));
  }
  return scale;
}

ScaleGolden ScaleGoldenOf(const std::vector<RunResult>& runs,
                          const GoldenProvenance& provenance) {
  ScaleGolden scale;
  *scale.mutable_provenance() = provenance;
  for (const RunResult& run : runs) {
    scale.set_scale(run.spec().scale());
    scale.mutable_provenance()->set_numerics_version(run.numerics_version());
    *scale.add_runs() = RunGoldenOf(run);
  }
  return scale;
}

absl::StatusOr<std::vector<GoldenDifference>> CompareWithGolden(
    const Golden& golden, const report::Report& report) {
  const absl::StatusOr<const ScaleGolden*> scale = ScaleToCompare(
      golden, report.scale(), report.provenance().numerics_version());
  if (!scale.ok()) return scale.status();
  const GoldenProvenance& provenance = (*scale)->provenance();
  const std::string& toolkit = report.provenance().toolkit();
  if (provenance.toolkit() != toolkit) {
    return absl::UnavailableError(
        absl::StrCat("golden values of ", golden.experiment(), ": of toolkit ",
                     provenance.toolkit(), ", the report's is ", toolkit));
  }
  Comparison comparison;
  comparison.Field("report", "experiment", golden.experiment(),
                   report.experiment());
  auto measured =
      ByKey(ScaleGoldenOf(report, provenance).values(), &ValueGolden::id);
  for (const ValueGolden& value : (*scale)->values()) {
    const auto found = measured.extract(value.id());
    const ValueGolden ours = found.empty() ? ValueGolden() : found.mapped();
    comparison.Field("report", value.id() + " mean", value.mean(), ours.mean());
    comparison.Field("report", value.id() + " verdict", value.verdict(),
                     ours.verdict());
  }
  for (const auto& [id, value] : measured) {
    comparison.Field("report", id + " verdict", "absent", value.verdict());
  }
  return comparison.Take();
}

absl::StatusOr<std::vector<GoldenDifference>> CompareWithGolden(
    const Golden& golden, const std::vector<RunResult>& runs) {
  const RunResult& first = runs.front();
  const absl::StatusOr<const ScaleGolden*> scale =
      ScaleToCompare(golden, first.spec().scale(), first.numerics_version());
  if (!scale.ok()) return scale.status();
  auto measured = ByKey(ScaleGoldenOf(runs, (*scale)->provenance()).runs(),
                        &RunGolden::run);
  if (measured.size() != runs.size()) {
    return absl::InvalidArgumentError(
        "two runs have one specification; give each run once");
  }
  Comparison comparison;
  for (const RunGolden& run : (*scale)->runs()) {
    const auto found = measured.extract(run.run());
    if (found.empty()) {
      comparison.Field(run.run(), "run", "present", "absent");
    } else {
      comparison.Run(run, found.mapped());
    }
  }
  for (const auto& [name, run] : measured) {
    comparison.Field(name, "run", "absent", "present");
  }
  return comparison.Take();
}

void SetScale(const ScaleGolden& scale, Golden& golden) {
  for (ScaleGolden& old : *golden.mutable_scales()) {
    if (old.scale() == scale.scale()) {
      old = scale;
      return;
    }
  }
  *golden.add_scales() = scale;
}

std::string GoldenLine(const Golden& golden, std::string_view scale) {
  const ScaleGolden* found = FindScale(golden, scale);
  if (found == nullptr) return "none at this scale";
  const GoldenProvenance& provenance = found->provenance();
  const std::string version =
      provenance.toolkit().empty()
          ? absl::StrCat("numerics version ", provenance.numerics_version())
          : provenance.toolkit();
  return absl::StrCat("scale ", scale, ", ", version, ", ", provenance.date(),
                      ", commit ", provenance.commit(), ": ",
                      provenance.reason());
}

std::string PrintGolden(const Golden& golden, std::string_view old_text) {
  std::string text;
  for (std::string_view line : absl::StrSplit(old_text, '\n')) {
    if (absl::StartsWith(line, "scales {")) break;
    absl::StrAppend(&text, line, "\n");
  }
  while (absl::EndsWith(text, "\n\n")) text.pop_back();
  for (const ScaleGolden& scale : golden.scales()) {
    absl::StrAppend(&text, PrintScale(scale));
  }
  return text;
}

}  // namespace repro16
