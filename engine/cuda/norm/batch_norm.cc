#include "engine/cuda/norm/batch_norm.h"

#include <cstdint>

#include "engine/cuda/norm/array_of.h"
#include "engine/cuda/norm/batch_norm_kernels.h"
#include "engine/cuda/sums/sum_kernels.h"
#include "engine/graph/rounded_factors.h"

namespace repro16::cuda {
namespace {

class BatchNormOperation : public Operation {
 public:
  BatchNormOperation(const Shape& in, const BatchNormAttributes& attributes)
      : channels_(in.dims().back()),
        rows_per_example_(in.NumElements() / channels_),
        image_(in.rank() == 3),
        attributes_(attributes) {}

  // Two arrays by channel, then sums of chunks.
  int64_t WorkspaceBytes(int64_t max_batch) const override {
    return ArraysBytes() +
           ChunkSumBytes(max_batch * rows_per_example_, channels_, /*sums=*/2);
  }

  int64_t SavedBytes(int64_t /*max_batch*/) const override {
    return ArraysBytes();
  }

  bool AddsToGradient() const override { return true; }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const auto epsilon = static_cast<float>(attributes_.epsilon);
    const ChannelArray mean = ArrayOf(buffers.parameters[2]);
    const ChannelArray variance = ArrayOf(buffers.parameters[3]);
    const BatchNormInput in =
        Input(buffers, pass, pass.training ? buffers.saved : pass.workspace);
    if (pass.training) {
      const auto rows = static_cast<float>(in.rows);
      pass.kernels.BatchNormStatistics(
          {in, epsilon, image_ ? rows - 1.0f : rows,
           MovingRate(attributes_.momentum, mean.type), mean, variance,
           SumsIn(pass.workspace)},
          pass.stream);
    } else {
      pass.kernels.MovingStatistics({in, epsilon, mean, variance}, pass.stream);
    }
    pass.kernels.BatchNormForward(
        {in, buffers.output.data, buffers.output.counter}, pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const BatchNormInput in = Input(buffers, pass, buffers.saved);
    const void* dy = buffers.output_gradient.data;
    float* mean_gradient = reinterpret_cast<float*>(pass.workspace);
    float* slope = mean_gradient + channels_;
    pass.kernels.BatchNormSums({in, dy, ArrayOf(buffers.parameter_gradients[0]),
                                ArrayOf(buffers.parameter_gradients[1]),
                                mean_gradient, slope, SumsIn(pass.workspace)},
                               pass.stream);
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    pass.kernels.BatchNormGradient({in, dy, mean_gradient, slope, dx.data,
                                    dx.counter, buffers.sum_counter},
                                   pass.stream);
  }

 private:
  int64_t ArraysBytes() const {
    return 2 * channels_ * static_cast<int64_t>(sizeof(float));
  }

  float* SumsIn(uint8_t* workspace) const {
    return reinterpret_cast<float*>(workspace + ArraysBytes());
  }

  // `statistics`: mean and inv.
  BatchNormInput Input(const OpBuffers& buffers, const PassContext& pass,
                       uint8_t* statistics) const {
    const TensorRef& x = buffers.inputs[0];
    float* mean = reinterpret_cast<float*>(statistics);
    return {x.type,
            attributes_.activation,
            x.data,
            pass.batch * rows_per_example_,
            channels_,
            ArrayOf(buffers.parameters[0]),
            ArrayOf(buffers.parameters[1]),
            mean,
            mean + channels_};
  }

  const int64_t channels_;
  const int64_t rows_per_example_;
  const bool image_;
  const BatchNormAttributes attributes_;
};

}  // namespace

std::unique_ptr<Operation> MakeBatchNorm(
    const Shape& in, const BatchNormAttributes& attributes) {
  return std::make_unique<BatchNormOperation>(in, attributes);
}

}  // namespace repro16::cuda
