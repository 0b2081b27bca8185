// The shapes of an operation that slides a window over images.
#ifndef REPRO16_ENGINE_CPU_IMAGE_WINDOW_H_
#define REPRO16_ENGINE_CPU_IMAGE_WINDOW_H_

#include <cstdint>
#include <memory>

#include "engine/graph/graph.h"

namespace repro16 {

// x [N, in_height, in_width, in_channels] to y [N, out_height, out_width,
// out_channels]; see WindowAttributes for which input a tap of the window is.
struct ImageWindow {
  int64_t in_height;
  int64_t in_width;
  int64_t in_channels;
  int64_t out_height;
  int64_t out_width;
  int64_t out_channels;
  WindowAttributes window;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_IMAGE_WINDOW_H_
