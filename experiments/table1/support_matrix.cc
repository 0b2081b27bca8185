#include "experiments/table1/support_matrix.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace repro16 {
namespace {

constexpr std::string_view kArchitectures[] = {
    "Blackwell", "Hopper", "Ada Lovelace", "Ampere", "Turing"};

void AddOnce(const std::string& item, std::vector<std::string>& list) {
  if (std::count(list.begin(), list.end(), item) == 0) list.push_back(item);
}

bool Accepts(const Support::Probe& probe, const std::string& target) {
  return std::any_of(probe.answers().begin(), probe.answers().end(),
                     [&](const Support::Answer& answer) {
                       return answer.target() == target && answer.accepted();
                     });
}

std::vector<std::string> Targets(const Support& support,
                                 std::string_view architecture, bool known) {
  std::vector<std::string> names;
  for (const Support::Target& target : support.targets()) {
    if (target.architecture() == architecture &&
        target.ptx_version().empty() != known) {
      names.push_back(target.name());
    }
  }
  return names;
}

absl::Status Fault(std::string_view fault) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the answers of ptxas: ", fault, "; ask again with probe.py"));
}

}  // namespace

absl::Span<const std::string_view> Architectures() { return kArchitectures; }

absl::Status CheckSupport(const Support& support) {
  std::vector<std::string> known;
  for (const Support::Target& target : support.targets()) {
    if (std::count(std::begin(kArchitectures), std::end(kArchitectures),
                   target.architecture()) == 0) {
      return Fault(absl::StrCat("the architecture \"", target.architecture(),
                                "\" of ", target.name(),
                                " is no column of the table"));
    }
    if (!target.ptx_version().empty()) known.push_back(target.name());
  }
  for (const Support::Probe& probe : support.probes()) {
    std::vector<std::string> answered;
    for (const Support::Answer& answer : probe.answers()) {
      answered.push_back(answer.target());
    }
    if (answered != known) {
      return Fault(absl::StrCat(probe.instruction(),
                                " has not one answer for each known target, in "
                                "their order"));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> KnownTargets(const Support& support,
                                      std::string_view architecture) {
  return Targets(support, architecture, /*known=*/true);
}

std::vector<std::string> UnknownTargets(const Support& support,
                                        std::string_view architecture) {
  return Targets(support, architecture, /*known=*/false);
}

std::vector<TypeSupport> TypesOf(const Support& support, Support::Core core,
                                 std::string_view architecture) {
  std::vector<TypeSupport> types;
  const auto type_of = [&types](const Support::Probe& probe) {
    const auto found = std::find_if(
        types.begin(), types.end(),
        [&](const TypeSupport& t) { return t.type == probe.type(); });
    return found != types.end()
               ? found
               : types.insert(types.end(), {probe.type(), {}, {}});
  };
  for (const Support::Probe& probe : support.probes()) {
    if (probe.core() == core) type_of(probe);
  }
  for (const std::string& target : KnownTargets(support, architecture)) {
    for (const Support::Probe& probe : support.probes()) {
      if (probe.core() != core || !Accepts(probe, target)) continue;
      AddOnce(target, type_of(probe)->targets);
      AddOnce(probe.instruction(), type_of(probe)->instructions);
    }
  }
  return types;
}

}  // namespace repro16
