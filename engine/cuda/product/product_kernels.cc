#include "engine/cuda/product/product_kernels.h"
