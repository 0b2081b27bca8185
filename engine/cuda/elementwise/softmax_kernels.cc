#include "engine/cuda/elementwise/softmax_kernels.h"
