#include "engine/cuda/elementwise/elementwise_kernels.h"
