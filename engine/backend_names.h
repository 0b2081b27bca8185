// The backends that a result may come from, by name.
#ifndef REPRO16_ENGINE_BACKEND_NAMES_H_
#define REPRO16_ENGINE_BACKEND_NAMES_H_

#include <string_view>

namespace repro16 {

// All of them give the same bits (engine/numerics/README.md).
inline constexpr std::string_view kBackendNames[] = {"cpu", "cuda"};

// Where a specification names none.
inline constexpr std::string_view kDefaultBackend = kBackendNames[0];

constexpr bool IsBackendName(std::string_view name) {
  for (const std::string_view known : kBackendNames) {
    if (known == name) return true;
  }
  return false;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_BACKEND_NAMES_H_
