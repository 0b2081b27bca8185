#include "engine/cuda/elementwise/elementwise.h"

#include "engine/cuda/sums/sum_kernels.h"
#include "engine/graph/rounded_factors.h"
#include "engine/numerics/random_draw.h"
#include "engine/numerics/round_to_type.h"

namespace repro16::cuda {
namespace {

void Copy(const PassContext& pass, const TensorRef& from, const TensorRef& to) {
  if (to.data == nullptr || from.data == to.data) return;
  pass.kernels.Copy({to.Bytes(pass.batch), from.data, to.data}, pass.stream);
}

class UnaryOperation : public Operation {
 public:
  explicit UnaryOperation(UnaryFunction function) : function_(function) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    pass.kernels.Unary({function_, y.type, pass.batch * y.elements,
                        buffers.inputs[0].data, y.data, y.counter},
                       pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    const bool reads_input = function_ == UnaryFunction::kGelu;
    pass.kernels.UnaryGradient(
        {function_, dx.type, pass.batch * dx.elements,
         reads_input ? buffers.inputs[0].data : buffers.output.data,
         buffers.output_gradient.data, dx.data, dx.counter},
        pass.stream);
  }

 private:
  const UnaryFunction function_;
};

class CopyOperation : public Operation {
 public:
  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    Copy(pass, buffers.inputs[0], buffers.output);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    Copy(pass, buffers.output_gradient, buffers.input_gradients[0]);
  }
};

// y[n, i] = a[n, i] + b[i], or b[n, i] where b has the batch's elements.
void Sum(const PassContext& pass, const void* a, const void* b, int64_t period,
         const TensorRef& y) {
  pass.kernels.Add(
      {y.type, pass.batch * y.elements, a, b, period, y.data, y.counter},
      pass.stream);
}

class AddOperation : public Operation {
 public:
  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    Sum(pass, buffers.inputs[0].data, buffers.inputs[1].data,
        pass.batch * y.elements, y);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    for (const TensorRef& dx : buffers.input_gradients) {
      Copy(pass, buffers.output_gradient, dx);
    }
  }
};

class DropoutOperation : public Operation {
 public:
  DropoutOperation(double rate, uint32_t part)
      : rate_(rate), threshold_(DropoutThreshold(rate)), part_(part) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    if (pass.training) {
      Apply(buffers.inputs[0], buffers.output, pass);
    } else {
      Copy(pass, buffers.inputs[0], buffers.output);
    }
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    if (buffers.input_gradients[0].data == nullptr) return;
    Apply(buffers.output_gradient, buffers.input_gradients[0], pass);
  }

 private:
  void Apply(const TensorRef& from, const TensorRef& to,
             const PassContext& pass) const {
    pass.kernels.Dropout({to.type, pass.batch * to.elements, from.data,
                          DropoutFactor(rate_, to.type), threshold_, pass.seed,
                          part_, pass.step, to.data, to.counter},
                         pass.stream);
  }

  const double rate_;
  const int32_t threshold_;
  const uint32_t part_;
};

class ScaleOperation : public Operation {
 public:
  explicit ScaleOperation(double factor) : factor_(factor) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    Apply(buffers.inputs[0], buffers.output, pass);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    if (buffers.input_gradients[0].data == nullptr) return;
    Apply(buffers.output_gradient, buffers.input_gradients[0], pass);
  }

 private:
  void Apply(const TensorRef& from, const TensorRef& to,
             const PassContext& pass) const {
    pass.kernels.Scale({to.type, pass.batch * to.elements, from.data,
                        RoundToType(factor_, to.type), to.data, to.counter},
                       pass.stream);
  }

  const double factor_;
};

class PositionEmbeddingOperation : public Operation {
 public:
  explicit PositionEmbeddingOperation(int64_t elements) : elements_(elements) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    return ColumnSumsWorkspaceBytes(max_batch, elements_);
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    Sum(pass, buffers.inputs[0].data, buffers.parameters[0].data, elements_,
        buffers.output);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dy = buffers.output_gradient;
    const TensorRef& de = buffers.parameter_gradients[0];
    pass.kernels.ColumnSums(
        {de.type, dy.data, pass.batch, elements_, de.data, de.counter,
         reinterpret_cast<float*>(pass.workspace)},
        pass.stream);
    Copy(pass, dy, buffers.input_gradients[0]);
  }

 private:
  const int64_t elements_;
};

}  // namespace

std::unique_ptr<Operation> MakeUnary(UnaryFunction function) {
  return std::make_unique<UnaryOperation>(function);
}

std::unique_ptr<Operation> MakeDropout(double rate, uint32_t stream) {
  return std::make_unique<DropoutOperation>(rate, stream);
}

std::unique_ptr<Operation> MakeScale(const ScaleAttributes& attributes) {
  return std::make_unique<ScaleOperation>(attributes.factor);
}

std::unique_ptr<Operation> MakePositionEmbedding(const Shape& in) {
  return std::make_unique<PositionEmbeddingOperation>(in.NumElements());
}

std::unique_ptr<Operation> MakeCopy() {
  return std::make_unique<CopyOperation>();
}

std::unique_ptr<Operation> MakeAdd() {
  return std::make_unique<AddOperation>();
}

void Accumulate(const PassContext& pass, const TensorRef& term,
                const TensorRef& sum) {
  Sum(pass, sum.data, term.data, pass.batch * sum.elements, sum);
}

}  // namespace repro16::cuda
