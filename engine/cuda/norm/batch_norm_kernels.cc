#include "engine/cuda/norm/batch_norm_kernels.h"
