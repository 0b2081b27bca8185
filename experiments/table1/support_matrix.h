// The answers of an assembler, by architecture.
#ifndef REPRO16_EXPERIMENTS_TABLE1_SUPPORT_MATRIX_H_
#define REPRO16_EXPERIMENTS_TABLE1_SUPPORT_MATRIX_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "experiments/table1/support.pb.h"

namespace repro16 {

// The columns of the paper's table 1, newest first.
absl::Span<const std::string_view> Architectures();

// Targets for which a type's instructions are accepted.
struct TypeSupport {
  std::string type;
  std::vector<std::string> targets;       // in order, each once; may be empty
  std::vector<std::string> instructions;  // accepted for one of them
};

// InvalidArgument where an answer is of a target that is not listed or not
// known, a known target has no answer, or an architecture is no column.
absl::Status CheckSupport(const Support& support);

// Targets of an architecture that the toolkit knows, and that it does not.
std::vector<std::string> KnownTargets(const Support& support,
                                      std::string_view architecture);
std::vector<std::string> UnknownTargets(const Support& support,
                                        std::string_view architecture);

// All types that were asked for on `core`, in order, with what `architecture`
// has of them. `support` has passed CheckSupport.
std::vector<TypeSupport> TypesOf(const Support& support, Support::Core core,
                                 std::string_view architecture);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE1_SUPPORT_MATRIX_H_
