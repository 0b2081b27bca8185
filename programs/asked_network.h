// What network a specification asks for, on the images of a data set.
#ifndef REPRO16_PROGRAMS_ASKED_NETWORK_H_
#define REPRO16_PROGRAMS_ASKED_NETWORK_H_

#include "engine/data/dataset.h"
#include "engine/run/run.pb.h"
#include "engine/tensor/shape.h"
#include "models/model_options.h"

namespace repro16 {

// For BuildModel(spec.model(), ...).
inline ModelOptions AskedOptions(const RunSpec& spec, const Dataset& data) {
  ModelOptions options;
  options.classes = data.classes;
  options.image = Shape({data.height, data.width, data.channels});
  const ModelSpec& asked = spec.model_options();
  if (asked.width() > 0) options.width = asked.width();
  if (asked.batch_norm_momentum() > 0) {
    options.batch_norm_momentum = asked.batch_norm_momentum();
  }
  return options;
}

}  // namespace repro16

#endif  // REPRO16_PROGRAMS_ASKED_NETWORK_H_
