#include "engine/training/diagnosis.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace repro16 {
namespace {

// Rows of each table.
constexpr size_t kShown = 10;

using Tensors = std::vector<std::pair<std::string, StoreCounts>>;

// Each tensor over all epochs, by name.
Tensors Sums(const Diagnosis& diagnosis) {
  std::map<std::string, StoreCounts> sums;
  for (const EpochDiagnosis& epoch : diagnosis.epochs()) {
    for (const TensorDiagnosis& tensor : epoch.tensors()) {
      const StoreCounts& counts = tensor.counts();
      AddStores({counts.infinite(), counts.nan(), counts.underflow()},
                counts.stored(), sums[tensor.tensor()]);
    }
  }
  return Tensors(sums.begin(), sums.end());
}

double Share(uint64_t part, const StoreCounts& counts) {
  return counts.stored() > 0
             ? static_cast<double>(part) / static_cast<double>(counts.stored())
             : 0;
}

double InfinitiesAndNaNs(const StoreCounts& counts) {
  return static_cast<double>(counts.infinite() + counts.nan());
}

double UnderflowShare(const StoreCounts& counts) {
  return Share(counts.underflow(), counts);
}

// The tensors of the largest values of `badness`, those of 0 left out.
std::string Table(std::string_view title, Tensors tensors,
                  const std::function<double(const StoreCounts&)>& badness) {
  std::stable_sort(tensors.begin(), tensors.end(),
                   [&](const auto& a, const auto& b) {
                     return badness(a.second) > badness(b.second);
                   });
  std::string table;
  for (size_t i = 0; i < std::min(kShown, tensors.size()); ++i) {
    const auto& [name, counts] = tensors[i];
    if (badness(counts) == 0) break;
    absl::StrAppendFormat(&table, "  %14d %12d %12d %12d %8.3f%%  %s\n",
                          counts.stored(), counts.infinite(), counts.nan(),
                          counts.underflow(), 100 * UnderflowShare(counts),
                          name);
  }
  if (table.empty()) return absl::StrCat(title, ": none\n");
  return absl::StrCat(
      title, ":\n",
      absl::StrFormat("  %14s %12s %12s %12s %9s  tensor\n", "stored",
                      "infinite", "NaN", "to zero", "to zero"),
      table);
}

// The second moment of a parameter, over all epochs.
struct SecondMoment {
  int64_t finite = 0;
  int64_t zero = 0;
  std::optional<int64_t> zero_while_first_is_not;
  double largest_update = 0;  // of the parameter

  double Share(int64_t part) const {
    return finite > 0 ? static_cast<double>(part) / static_cast<double>(finite)
                      : 0;
  }
};

void AddSecondMoment(const SlotDiagnosis& slot,
                     const ParameterDiagnosis& parameter, int64_t steps,
                     SecondMoment& sum) {
  sum.finite += parameter.elements() * steps - slot.non_finite();
  sum.zero += slot.zero();
  if (slot.has_zero_while_first_moment_is_not()) {
    sum.zero_while_first_is_not = sum.zero_while_first_is_not.value_or(0) +
                                  slot.zero_while_first_moment_is_not();
  }
  sum.largest_update = std::max(sum.largest_update, parameter.largest_update());
}

// By the name of the parameter.
std::vector<std::pair<std::string, SecondMoment>> SecondMoments(
    const Diagnosis& diagnosis) {
  std::map<std::string, SecondMoment> sums;
  for (const EpochDiagnosis& epoch : diagnosis.epochs()) {
    for (const ParameterDiagnosis& parameter : epoch.parameters()) {
      for (const SlotDiagnosis& slot : parameter.slots()) {
        if (slot.slot() != "second_moment") continue;
        AddSecondMoment(slot, parameter, epoch.steps(),
                        sums[parameter.parameter()]);
      }
    }
  }
  return {sums.begin(), sums.end()};
}

}  // namespace

void AddStores(const StoreCounter& counter, uint64_t stored, StoreCounts& to) {
  to.set_stored(to.stored() + stored);
  to.set_infinite(to.infinite() + counter.infinite);
  to.set_nan(to.nan() + counter.nan);
  to.set_underflow(to.underflow() + counter.underflow);
}

void Diagnose(const BatchRecord& step, int64_t epoch, Diagnosis& diagnosis) {
  const int epochs = diagnosis.epochs_size();
  if (epochs == 0 || diagnosis.epochs(epochs - 1).epoch() != epoch) {
    diagnosis.add_epochs()->set_epoch(epoch);
  }
  EpochDiagnosis& sums = *diagnosis.mutable_epochs()->rbegin();
  sums.set_steps(sums.steps() + 1);
  // Every step lists the same tensors, a skipped one without the parameters at
  // the end.
  for (size_t i = 0; i < step.tensors.size(); ++i) {
    const TensorRecord& record = step.tensors[i];
    const auto index = static_cast<int>(i);
    if (index == sums.tensors_size()) {
      sums.add_tensors()->set_tensor(record.tensor);
    }
    AddStores(record.counter, record.stored,
              *sums.mutable_tensors(index)->mutable_counts());
  }
}

std::string WorstTensors(const Diagnosis& diagnosis) {
  const Tensors sums = Sums(diagnosis);
  return absl::StrCat(Table("Infinities and NaNs", sums, InfinitiesAndNaNs),
                      Table("Results rounded to zero, by share of the stores",
                            sums, UnderflowShare));
}

std::string WorstSecondMoments(const Diagnosis& diagnosis) {
  auto moments = SecondMoments(diagnosis);
  if (moments.empty()) return "";
  std::stable_sort(
      moments.begin(), moments.end(), [](const auto& a, const auto& b) {
        return a.second.Share(a.second.zero) > b.second.Share(b.second.zero);
      });
  std::string table;
  for (size_t i = 0; i < std::min(kShown, moments.size()); ++i) {
    const auto& [name, moment] = moments[i];
    if (moment.zero == 0) break;
    const auto percent = [&m = moment](int64_t part) {
      return absl::StrFormat("%.3f%%", 100 * m.Share(part));
    };
    absl::StrAppendFormat(&table, "  %11s %14s %16.6g  %s\n",
                          percent(moment.zero),
                          moment.zero_while_first_is_not.has_value()
                              ? percent(*moment.zero_while_first_is_not)
                              : "-",
                          moment.largest_update, name);
  }
  constexpr char kTitle[] = "Second moments of 0, by share of the finite ones";
  if (table.empty()) return absl::StrCat(kTitle, ": none\n");
  return absl::StrCat(
      kTitle, ":\n",
      absl::StrFormat("  %11s %14s %16s  parameter\n", "second is 0",
                      "the first not", "largest update"),
      table);
}

}  // namespace repro16
