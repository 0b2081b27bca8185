// What the machine's multiply-add units give: the yardstick of benchmarks.
#ifndef REPRO16_ENGINE_CPU_MACHINE_FMA_CEILING_H_
#define REPRO16_ENGINE_CPU_MACHINE_FMA_CEILING_H_

#include "engine/cpu/machine/thread_pool.h"

namespace repro16 {

// f32 operations a second (a multiply-add is two) with all workers busy on
// chains in registers; the best of some short runs. Takes about 0.1 s.
double FmaCeiling(ThreadPool& pool);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_MACHINE_FMA_CEILING_H_
