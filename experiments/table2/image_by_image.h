// Whether two networks of one seed say the same of each test image, which
// accuracy does not tell: it is the same for networks that are wrong about
// different images. Shown, not judged: how often any two networks agree depends
// on how chaotic their training is.
#ifndef REPRO16_EXPERIMENTS_TABLE2_IMAGE_BY_IMAGE_H_
#define REPRO16_EXPERIMENTS_TABLE2_IMAGE_BY_IMAGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "experiments/common/network_results.h"
#include "experiments/common/runs.h"
#include "reports/report.pb.h"

namespace repro16 {

// Of a run and FP32's of the same seed, over the test images.
struct Agreement {
  double alike = 0;  // percent of the images that both give one class
  // The mean over the images of sum_c p_c ln(p_c / q_c), p of FP32 (Kullback
  // and Leibler 1951), in nats; q is at least 2^-24, the smallest f16 above 0.
  // NaN where a probability is.
  double divergence = 0;
};

Agreement AgreementOf(const Probabilities& fp32, const Probabilities& other);

// By precision ("FP16", "FP16_BN32", "MP", kControl), then by seed. A network
// without batch normalisation has FP16's twice.
using Agreements = std::map<std::string, std::map<uint64_t, Agreement>>;

// One for each network; a run of which nobody kept the probabilities does not
// count. Error: probabilities that cannot be read or compared.
absl::StatusOr<std::vector<Agreements>> AgreeImageByImage(
    absl::Span<const NetworkResults> results);

// The mean of `value` over the seeds of a precision; none where it has none.
std::optional<double> MeanOf(const Agreements& agreements,
                             std::string_view precision,
                             double Agreement::*value);

report::Table ImageTable(absl::Span<const NetworkResults> results,
                         absl::Span<const Agreements> networks);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE2_IMAGE_BY_IMAGE_H_
