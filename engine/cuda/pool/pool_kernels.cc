#include "engine/cuda/pool/pool_kernels.h"
