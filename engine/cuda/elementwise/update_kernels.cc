#include "engine/cuda/elementwise/update_kernels.h"
