#include "experiments/common/statements.h"

#include <map>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/statement_rules.h"
#include "reports/format.h"

namespace repro16 {
namespace {

using report::Expectation;
using report::Verdict;

// The statement with its placeholders filled in.
Asked Ask(Statement statement, const std::string& model,
          const std::string& reading) {
  const std::string network = NetworkName(model);
  const auto fill = [&](std::string* text) {
    absl::StrReplaceAll(
        {{"{model}", model}, {"{network}", network}, {"{fp16}", reading}},
        text);
  };
  fill(statement.mutable_id());
  fill(statement.mutable_what());
  fill(statement.mutable_place());
  fill(statement.mutable_note());
  for (std::string& of : *statement.mutable_of()) fill(&of);
  return {std::move(statement), model, reading, {}};
}

// For each model and reading.
std::vector<Asked> AskAll(const Golden& golden, std::string_view scale) {
  std::vector<Asked> all;
  for (const Statement& statement : golden.statements()) {
    std::vector<std::string> models(statement.models().begin(),
                                    statement.models().end());
    std::vector<std::string> readings(statement.readings().begin(),
                                      statement.readings().end());
    if (models.empty()) models.emplace_back();
    if (readings.empty()) readings.emplace_back();
    for (const std::string& model : models) {
      for (const std::string& reading : readings) {
        all.push_back(Ask(statement, model, reading));
        for (const Statement::Spread& spread : statement.spreads()) {
          if (spread.scale() == scale) {
            all.back().spreads.assign(spread.deviation().begin(),
                                      spread.deviation().end());
          }
        }
      }
    }
  }
  return all;
}

Expectation Start(const Statement& s) {
  Expectation e;
  e.set_id(s.id());
  e.set_what(s.what());
  e.set_place(s.place());
  e.set_unit(s.unit());
  if (s.text().empty()) e.set_paper_value(s.value());
  e.set_paper_text(s.text());
  if (s.margin() > 0) e.set_margin(s.margin());
  e.set_digits(3);
  return e;
}

bool AnythingMeasured(const Measurement& m) {
  return absl::c_any_of(
      m.networks, [](const std::vector<double>& n) { return !n.empty(); });
}

// What training the networks lack for the statement; "" for none.
std::string Lacking(const Training& needs, const Training& had) {
  std::vector<std::string> lacking;
  if (had.epochs() < needs.epochs()) {
    lacking.push_back(absl::StrCat("at least ", needs.epochs(),
                                   " epochs, here ", had.epochs()));
  }
  if (had.train_accuracy() < needs.train_accuracy()) {
    lacking.push_back(absl::StrFormat(
        "at least %g%% training accuracy, here %.1f%% in the least trained",
        needs.train_accuracy(), had.train_accuracy()));
  }
  if (had.test_accuracy() < needs.test_accuracy()) {
    lacking.push_back(absl::StrFormat(
        "at least %g%% test accuracy, here %.1f%% in the least accurate",
        needs.test_accuracy(), had.test_accuracy()));
  }
  if (had.seeds() < needs.seeds()) {
    lacking.push_back(absl::StrCat("at least ", needs.seeds(),
                                   " seeds of each network, here ",
                                   had.seeds()));
  }
  if (needs.full_width() && !had.full_width()) {
    lacking.push_back("full width, here less");
  }
  if (lacking.empty()) return "";
  return absl::StrCat("Not judged: it is about trained networks, which takes ",
                      absl::StrJoin(lacking, "; "), ".");
}

void Append(std::string_view text, Expectation* e) {
  if (text.empty()) return;
  e->set_note(absl::StrCat(e->note(), e->note().empty() ? "" : " ", text));
}

// Whether the statement differs for those of its networks alone whose FP32 is
// the paper's.
bool DiffersWhereReached(const Statement& s, const Judgement& j) {
  if (j.measured.reached.empty()) return false;
  if (s.rule() == Statement::FAMILY) {
    return absl::c_any_of(j.measured.reached, [&](size_t k) {
      return j.verdicts[k] == report::VERDICT_DIFFER;
    });
  }
  if (s.rule() != Statement::POOLED) return false;
  Judgement some;
  for (const size_t k : j.measured.reached) {
    some.measured.networks.push_back(j.measured.networks[k]);
  }
  some.scale = j.scale;
  ApplyRule(s, &some);
  return some.expectation.verdict() == report::VERDICT_DIFFER;
}

// What holds whatever the rule is.
void Finish(const Statement& s, bool judged, Judgement* j) {
  Expectation& e = j->expectation;
  const Measurement& m = j->measured;
  if (e.verdict() == report::VERDICT_DIFFER && s.from_baseline() &&
      !m.baseline.empty() && !DiffersWhereReached(s, *j)) {
    e.set_verdict(report::VERDICT_INCONCLUSIVE);
    for (Verdict& verdict : j->verdicts) {
      if (verdict == report::VERDICT_DIFFER) {
        verdict = report::VERDICT_INCONCLUSIVE;
      }
    }
    Append(absl::StrCat("It differs, which is not held against the paper: ",
                        m.baseline, "."),
           &e);
  }
  const std::string lacking =
      m.lacking.empty() ? Lacking(s.needs(), m.training)
                        : absl::StrCat("Not judged: ", m.lacking, ".");
  if (!m.fact && (!judged || !lacking.empty())) {
    e.set_verdict(report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
    for (Verdict& verdict : j->verdicts) {
      if (verdict == report::VERDICT_NOT_RUN) continue;
      verdict = report::VERDICT_NOT_JUDGED_AT_THIS_SCALE;
    }
    if (judged) Append(lacking, &e);
  }
  if (!m.text.empty()) e.set_ours_text(m.text);
  Append(m.note, &e);
  Append(s.note(), &e);
  if (!s.why().empty()) Append(absl::StrCat("The margin: ", s.why()), &e);
  if (!s.changed().empty()) {
    Append(absl::StrCat("Changed after runs had been seen: ", s.changed()), &e);
  }
}

absl::Status SumUp(const Statement& s, const Judgements& judgements,
                   Expectation* e) {
  std::vector<Verdict> verdicts;
  for (const std::string& id : s.of()) {
    const Judgement* one = judgements.Find(id);
    if (one == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("statement \"", s.id(), "\": of \"", id,
                       "\" is no id of a statement; correct it"));
    }
    verdicts.push_back(one->expectation.verdict());
  }
  e->set_verdict(VerdictOnAll(verdicts));
  std::vector<std::string> counts;
  for (const Verdict verdict :
       {report::VERDICT_MATCH, report::VERDICT_DIFFER,
        report::VERDICT_INCONCLUSIVE, report::VERDICT_NOT_JUDGED_AT_THIS_SCALE,
        report::VERDICT_NOT_RUN}) {
    if (const auto count = absl::c_count(verdicts, verdict); count > 0) {
      counts.push_back(absl::StrCat(count, " ", VerdictWord(verdict)));
    }
  }
  e->set_ours_text(
      absl::StrCat("of ", verdicts.size(), ": ", absl::StrJoin(counts, ", ")));
  e->set_note(s.note());
  return absl::OkStatus();
}

// Verdicts of all tests, family by family.
void JudgeFamilies(const std::vector<Asked>& all,
                   std::vector<Judgement>* judgements) {
  std::map<std::string, std::vector<size_t>> families;
  for (size_t i = 0; i < all.size(); ++i) {
    const Statement& s = all[i].statement;
    if ((*judgements)[i].tests.empty()) continue;
    families[s.family().empty() ? s.id() : s.family()].push_back(i);
  }
  for (const auto& [name, members] : families) {
    std::vector<std::optional<Equivalence>> tests;
    for (size_t i : members) {
      const auto& own = (*judgements)[i].tests;
      tests.insert(tests.end(), own.begin(), own.end());
    }
    const std::vector<Verdict> verdicts = JudgeFamily(tests);
    auto next = verdicts.begin();
    for (size_t i : members) {
      Judgement& j = (*judgements)[i];
      j.verdicts.assign(next, next + static_cast<int64_t>(j.tests.size()));
      next += static_cast<int64_t>(j.tests.size());
      if (AnythingMeasured(j.measured)) SumUpFamily(&j);
    }
  }
}

}  // namespace

const Judgement* Judgements::Find(std::string_view id) const {
  for (const Judgement& judgement : all_) {
    if (judgement.expectation.id() == id) return &judgement;
  }
  return nullptr;
}

void Judgements::AddTo(report::Report* report) const {
  for (const Judgement& judgement : all_) {
    *report->add_expectations() = judgement.expectation;
  }
}

absl::StatusOr<Judgements> JudgeAll(const Golden& golden,
                                    std::string_view scale, bool judged,
                                    const Measure& measure) {
  const std::vector<Asked> all = AskAll(golden, scale);
  Judgements judgements;
  for (const Asked& asked : all) {
    Judgement& j = judgements.all_.emplace_back();
    j.expectation = Start(asked.statement);
    j.expectation.set_verdict(report::VERDICT_NOT_RUN);
    if (asked.statement.rule() == Statement::DERIVED) continue;
    absl::StatusOr<Measurement> measured = measure(asked);
    if (!measured.ok()) return measured.status();
    j.measured = *std::move(measured);
    j.spreads = asked.spreads;
    j.scale = std::string(scale);
    const bool family = asked.statement.rule() == Statement::FAMILY;
    if (family || AnythingMeasured(j.measured)) ApplyRule(asked.statement, &j);
  }
  JudgeFamilies(all, &judgements.all_);
  for (size_t i = 0; i < all.size(); ++i) {
    Judgement& j = judgements.all_[i];
    if (AnythingMeasured(j.measured)) Finish(all[i].statement, judged, &j);
  }
  for (size_t i = 0; i < all.size(); ++i) {
    const Statement& s = all[i].statement;
    if (s.rule() != Statement::DERIVED) continue;
    absl::Status status = SumUp(s, judgements, &judgements.all_[i].expectation);
    if (!status.ok()) return status;
  }
  return judgements;
}

}  // namespace repro16
