#include "engine/cuda/program/program_kernels.h"
