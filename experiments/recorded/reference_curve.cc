#include "experiments/recorded/reference_curve.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/io/proto_file.h"

namespace repro16 {
namespace {

bool IsShare(double value) { return value >= 0 && value <= 1; }

// What is wrong; "" for nothing.
std::string Fault(const ReferenceCurve& curve) {
  const std::pair<std::string_view, const std::string&> texts[] = {
      {"framework", curve.framework()},
      {"software", curve.software()},
      {"machine", curve.machine()},
      {"date", curve.date()},
  };
  for (const auto& [name, text] : texts) {
    if (text.empty()) {
      return absl::StrCat(name, ": missing; say where the curve comes from");
    }
  }
  if (curve.epochs_made() < 1 || curve.epochs_made() > curve.spec().epochs()) {
    return absl::StrCat("epochs_made: ", curve.epochs_made(),
                        " is not in [1, spec.epochs]; correct it");
  }
  if (curve.points().empty()) return "points: none; give those that are known";
  int64_t before = 0;
  for (const ReferenceCurve::Point& point : curve.points()) {
    if (point.epoch() <= before || point.epoch() > curve.epochs_made()) {
      return absl::StrCat("points: epoch ", point.epoch(), " after ", before,
                          ", of ", curve.epochs_made(), "; order them");
    }
    before = point.epoch();
    if (!point.has_test_accuracy() || !IsShare(point.test_accuracy()) ||
        !IsShare(point.train_accuracy())) {
      return absl::StrCat("points: epoch ", point.epoch(),
                          ": an accuracy is missing or not in [0, 1]; give "
                          "shares");
    }
  }
  return "";
}

}  // namespace

absl::StatusOr<ReferenceCurve> ReadReferenceCurve(const std::string& path) {
  ReferenceCurve curve;
  absl::Status status = ReadTextProto(path, &curve);
  if (!status.ok()) return status;
  if (const std::string fault = Fault(curve); !fault.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", fault));
  }
  return curve;
}

}  // namespace repro16
