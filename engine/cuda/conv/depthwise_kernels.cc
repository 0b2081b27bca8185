#include "engine/cuda/conv/depthwise_kernels.h"
