#include "engine/cuda/norm/layer_norm.h"

#include <cstdint>

#include "engine/cuda/norm/array_of.h"
#include "engine/cuda/norm/layer_norm_kernels.h"
#include "engine/cuda/sums/sum_kernels.h"
#include "engine/numerics/reduction.h"

namespace repro16::cuda {
namespace {

static_assert(kMaxRow <= kReductionChunk);

class LayerNormOperation : public Operation {
 public:
  LayerNormOperation(const Shape& in, const LayerNormAttributes& attributes)
      : columns_(in.dims().back()),
        rows_per_example_(in.NumElements() / columns_),
        epsilon_(static_cast<float>(attributes.epsilon)) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    return ChunkSumBytes(max_batch * rows_per_example_, columns_, /*sums=*/2);
  }

  int64_t SavedBytes(int64_t max_batch) const override {
    return 2 * max_batch * rows_per_example_ *
           static_cast<int64_t>(sizeof(float));
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    pass.kernels.LayerNormForward(
        {Input(buffers, pass), ArrayOf(buffers.parameters[1]), epsilon_,
         buffers.output.data, buffers.output.counter},
        pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    const LayerNormGradientArgs args = {
        Input(buffers, pass),
        buffers.output_gradient.data,
        ArrayOf(buffers.parameter_gradients[0]),
        ArrayOf(buffers.parameter_gradients[1]),
        reinterpret_cast<float*>(pass.workspace),
        dx.data,
        dx.counter};
    pass.kernels.LayerNormParameterGradients(args, pass.stream);
    if (dx.data != nullptr) pass.kernels.LayerNormGradient(args, pass.stream);
  }

 private:
  LayerNormInput Input(const OpBuffers& buffers,
                       const PassContext& pass) const {
    const TensorRef& x = buffers.inputs[0];
    const int64_t rows = pass.batch * rows_per_example_;
    float* mean =
        pass.training ? reinterpret_cast<float*>(buffers.saved) : nullptr;
    return {x.type,
            x.data,
            rows,
            columns_,
            ArrayOf(buffers.parameters[0]),
            mean,
            mean == nullptr ? nullptr : mean + rows};
  }

  const int64_t columns_;
  const int64_t rows_per_example_;
  const float epsilon_;
};

}  // namespace

std::unique_ptr<Operation> MakeLayerNorm(
    const Shape& in, const LayerNormAttributes& attributes) {
  return std::make_unique<LayerNormOperation>(in, attributes);
}

}  // namespace repro16::cuda
