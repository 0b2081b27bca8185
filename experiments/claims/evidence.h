// What a claim of the paper is held against: the reports of the other
// experiments at one scale, the paper's own arithmetic, and the cost model.
// Nothing is computed here; verdicts and numbers are those of the sources.
#ifndef REPRO16_EXPERIMENTS_CLAIMS_EVIDENCE_H_
#define REPRO16_EXPERIMENTS_CLAIMS_EVIDENCE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "analysis/cost_model.pb.h"
#include "experiments/claims/claims.pb.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

class Evidence {
 public:
  // Reports of `experiments` at `scale`, at most one of each; golden files with
  // what the paper derives from its own numbers. InvalidArgument for a report
  // of another scale, of an experiment that is not listed or there twice, or of
  // another numerics version than those before it; and where a golden file's
  // arithmetic is not as it says (reports/paper_values.h).
  static absl::StatusOr<Evidence> Create(
      std::string_view scale, const std::vector<std::string>& experiments,
      std::vector<report::Report> reports, const std::vector<Golden>& goldens,
      std::optional<CostModelReport> cost_model);

  const std::string& scale() const { return scale_; }
  // By experiment.
  const std::map<std::string, report::Report>& reports() const {
    return reports_;
  }

  // The claim as an expectation: the paper's words beside what was found, and
  // the verdict. A source of which nothing was run at this scale reads "not
  // run", one that asked an installed toolkit "not judged" at smoke scale,
  // which is to be the same on every machine. InvalidArgument, naming claim,
  // experiment and id, for a source that does not exist.
  absl::StatusOr<report::Expectation> Judge(const PaperClaim& claim) const;

  // One number that the paper derives from others of its own.
  struct DerivedNumber {
    PaperValue printed;
    report::Finding finding;  // an agreement or a contradiction
  };
  // Those of an experiment's golden file, in its order. InvalidArgument without
  // that file.
  absl::StatusOr<std::vector<DerivedNumber>> DerivedNumbers(
      std::string_view experiment) const;

 private:
  absl::StatusOr<report::Expectation> JudgeMeasured(
      const Measured& measured) const;
  absl::StatusOr<report::Expectation> JudgeDerived(
      const Derived& derived) const;
  absl::StatusOr<report::Expectation> JudgeNotMeasured(
      const NotMeasured& not_measured) const;
  // "" without a cost model.
  absl::StatusOr<std::string> Prediction(const NotMeasured& not_measured) const;

  // The report of an experiment in which something was run; null without one.
  absl::StatusOr<const report::Report*> ReportOf(
      const std::string& experiment) const;

  // Adds what `find` finds of each source in its report.
  template <typename Sources, typename Find>
  absl::Status Collect(const Sources& sources, Find find,
                       std::vector<report::Expectation>* collected) const;

  std::string scale_;
  std::vector<std::string> experiments_;
  std::map<std::string, report::Report> reports_;
  std::map<std::string, std::vector<DerivedNumber>, std::less<>> derived_;
  std::optional<CostModelReport> cost_model_;
};

// How a verdict on a derived number reads.
report::Verdict VerdictOf(const Evidence::DerivedNumber& number);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_CLAIMS_EVIDENCE_H_
