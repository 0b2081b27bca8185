// The rules of statements.h, one by one.
#ifndef REPRO16_EXPERIMENTS_COMMON_STATEMENT_RULES_H_
#define REPRO16_EXPERIMENTS_COMMON_STATEMENT_RULES_H_

#include <optional>
#include <vector>

#include "experiments/common/statements.h"

namespace repro16 {

// Fills in what was found, with the verdict of the statement's rule and the
// rule in words. Not for DERIVED; of FAMILY the tests only, whose verdicts need
// the whole family.
void ApplyRule(const Statement& statement, Judgement* judgement);

// Verdicts on a family of tests, adjusted for their number (Holm). A test of
// under 5 seeds is inconclusive and not of the family.
std::vector<report::Verdict> JudgeFamily(
    const std::vector<std::optional<Equivalence>>& tests);

// The expectation of a FAMILY statement, once its verdicts are known.
void SumUpFamily(Judgement* judgement);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_STATEMENT_RULES_H_
