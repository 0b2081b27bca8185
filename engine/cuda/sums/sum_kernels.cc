#include "engine/cuda/sums/sum_kernels.h"
