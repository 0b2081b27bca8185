#include "engine/cuda/norm/layer_norm_kernels.h"
