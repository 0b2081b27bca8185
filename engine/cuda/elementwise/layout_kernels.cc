#include "engine/cuda/elementwise/layout_kernels.h"
