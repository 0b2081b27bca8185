// The rules of statements.h, one by one.
#ifndef REPRO16_EXPERIMENTS_COMMON_STATEMENT_RULES_H_
#define REPRO16_EXPERIMENTS_COMMON_STATEMENT_RULES_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "experiments/common/statements.h"

namespace repro16 {

// Fills in what was found, with the verdict of the statement's rule and the
// rule in words. Not for DERIVED; of FAMILY the tests only, whose verdicts need
// the whole family.
void ApplyRule(const Statement& statement, Judgement* judgement);

// The level of a POOLED statement's tests with so many pairs of runs; none
// where no look at so many was planned (Statement::looks).
std::optional<double> LevelOf(const Statement& statement,
                              std::string_view scale,
                              absl::Span<const std::vector<double>> networks);

// Of all networks together.
int64_t PairsOf(absl::Span<const std::vector<double>> networks);

// Verdicts on a family of tests, adjusted for their number (Holm). A test of
// under 5 seeds is inconclusive and not of the family.
std::vector<report::Verdict> JudgeFamily(
    const std::vector<std::optional<Equivalence>>& tests);

// The expectation of a FAMILY statement, once its verdicts are known.
void SumUpFamily(Judgement* judgement);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_STATEMENT_RULES_H_
