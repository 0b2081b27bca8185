// A training step as the kernels that a framework launches on a GPU: what each
// computes and moves. The input of the model of its time (step_time_model.h).
//
// Kernels are those of a framework that fuses nothing across operations and
// nothing but the optimizer's arithmetic within a parameter, as TensorFlow 2.15
// runs Keras models: by default `jit_compile` is off in Model.compile and on in
// the optimizer.
#ifndef REPRO16_ANALYSIS_TRAINING_KERNELS_H_
#define REPRO16_ANALYSIS_TRAINING_KERNELS_H_

#include <cstdint>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"

namespace repro16 {

// What multiplies and adds: each has a peak rate of its own.
enum class MathUnit : uint8_t {
  kF32,       // vector units (CUDA cores)
  kTf32,      // matrix units (tensor cores), f32 rounded to TF32
  kF16,       // matrix units, 16-bit factors, f32 sums
  kF16Acc16,  // matrix units, f16 sums
};

enum class Pass : uint8_t { kForward, kBackward, kUpdate };

struct Kernel {
  Pass pass;
  MathUnit unit;
  // Two for each multiply-add of a dot product; arithmetic of elementwise
  // kernels is not counted, their time is that of their bytes.
  double flops;
  // Read from and written to memory, each tensor once in each kernel that
  // touches it: nothing stays in a cache between kernels.
  double bytes;
};

struct KernelOptions {
  int64_t batch = 256;
  // f32 matrix products on tensor cores: TensorFlow's default on GPUs of the
  // Ampere generation and later
  // (tf.config.experimental.enable_tensor_float_32_execution).
  bool tf32 = true;
};

// Of one step of SGD with momentum. With x, y, dx, dy the bytes of an
// operation's inputs, output and their gradients over the batch, w those of its
// weights, all in the policy's activation type:
//
//   dense, convolution   forward: x + w + y, 2 MACs; bias y + y.
//                        backward: x + dy + w, 2 MACs (weights); dy + w + dx, 2
//                        MACs (input, unless it is the network's); dy (bias)
//   attention products   forward: inputs + y, 2 MACs; backward: a product of
//                        2 MACs for each input: dy + the other + gradient
//   batch, layer norm    forward: 2 x + y (statistics, then values), batch norm
//                        also two copies of moving statistics; backward: 2 x +
//                        2 dy + dx
//   ReLU, tanh, softmax  forward: x + y; backward: y + dy + dx
//   GELU                 forward: x + y; backward: x + dy + dx
//   max pool             forward: x + y; backward: x + y + dy + dx
//   concatenation        forward: x + y; backward: a copy for each input
//   add                  forward: x + y; backward: nothing, dx is dy
//   flatten              nothing
//   position embedding   forward: x + w + y; backward: dy + w
//   loss                 forward: x; backward: x + dx
//   the others           forward: x + y; backward: dy + dx
//
// A depthwise convolution has no matrix product for the tensor cores: it
// computes in f32 on vector units in every policy. A further contribution to a
// gradient is a kernel of 3 tensors (Schedule's kAccumulate).
//
// Update, for each trainable parameter of n elements: w, v and g read, w and v
// written. L2 regularisation: w read for the loss; w and g read, g written.
//
// Of a policy with a loss scale (MP), for each trainable parameter besides: the
// weights cast to the activation type where they are kept in another; their
// gradient cast back likewise; the gradient unscaled (g + g); tested for
// infinities and NaN (g). And for the step: the loss scaled, the tests
// combined.
std::vector<Kernel> TrainingKernels(const Graph& graph,
                                    const PrecisionPolicy& policy,
                                    const KernelOptions& options);

// Of one batch's evaluation: the forward kernels, batch normalisation with the
// moving statistics (x + y).
std::vector<Kernel> EvaluationKernels(const Graph& graph,
                                      const PrecisionPolicy& policy,
                                      const KernelOptions& options);

}  // namespace repro16

#endif  // REPRO16_ANALYSIS_TRAINING_KERNELS_H_
