#include "engine/cuda/elementwise/layout.h"

#include <cstddef>

namespace repro16::cuda {
namespace {

class ConcatOperation : public Operation {
 public:
  explicit ConcatOperation(const Shape& out)
      : rows_(out.NumElements() / out.dims().back()),
        columns_(out.dims().back()) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    auto* to = static_cast<uint8_t*>(buffers.output.data);
    for (const TensorRef& x : buffers.inputs) {
      CopyColumns(x, x.data, ColumnsOf(x), to, columns_, pass);
      to += ColumnsOf(x) * static_cast<int64_t>(SizeOf(x.type));
    }
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const auto* from =
        static_cast<const uint8_t*>(buffers.output_gradient.data);
    for (size_t i = 0; i < buffers.inputs.size(); ++i) {
      const TensorRef& x = buffers.inputs[i];
      void* dx = buffers.input_gradients[i].data;
      if (dx != nullptr) {
        CopyColumns(x, from, columns_, dx, ColumnsOf(x), pass);
      }
      from += ColumnsOf(x) * static_cast<int64_t>(SizeOf(x.type));
    }
  }

 private:
  int64_t ColumnsOf(const TensorRef& x) const { return x.elements / rows_; }

  // The columns of one input, on either side of the copy.
  void CopyColumns(const TensorRef& x, const void* from, int64_t from_stride,
                   void* to, int64_t to_stride, const PassContext& pass) const {
    CopyRowsArgs args{};
    args.size = SizeOf(x.type);
    args.rows = pass.batch * rows_;
    args.columns = ColumnsOf(x);
    args.from = from;
    args.from_stride = from_stride;
    args.to = to;
    args.to_stride = to_stride;
    pass.kernels.CopyRows(args, pass.stream);
  }

  const int64_t rows_;  // of an example
  const int64_t columns_;
};

class PadOperation : public Operation {
 public:
  PadOperation(const Shape& in, const Shape& out, const PadAttributes& pad)
      : shape_{/*batch=*/0, in[0],  in[1],   in[2],    out[0],
               out[1],      out[2], pad.top, pad.left, pad.before} {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    pass.kernels.Pad({SizeOf(y.type), Of(pass), buffers.inputs[0].data, y.data},
                     pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    pass.kernels.Crop(
        {SizeOf(dx.type), Of(pass), buffers.output_gradient.data, dx.data},
        pass.stream);
  }

 private:
  PadShape Of(const PassContext& pass) const {
    PadShape shape = shape_;
    shape.batch = pass.batch;
    return shape;
  }

  const PadShape shape_;
};

class PatchesOperation : public Operation {
 public:
  PatchesOperation(const Shape& in, int64_t size)
      : shape_{/*batch=*/0, in[0], in[1], in[2], size} {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    pass.kernels.Patches(
        {SizeOf(y.type), Of(pass), buffers.inputs[0].data, y.data},
        pass.stream);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    pass.kernels.Unpatch(
        {SizeOf(dx.type), Of(pass), buffers.output_gradient.data, dx.data},
        pass.stream);
  }

 private:
  PatchShape Of(const PassContext& pass) const {
    PatchShape shape = shape_;
    shape.batch = pass.batch;
    return shape;
  }

  const PatchShape shape_;
};

}  // namespace

std::unique_ptr<Operation> MakeConcat(const Shape& out) {
  return std::make_unique<ConcatOperation>(out);
}

std::unique_ptr<Operation> MakeZeroPad(const Shape& in, const Shape& out,
                                       const PadAttributes& pad) {
  return std::make_unique<PadOperation>(in, out, pad);
}

std::unique_ptr<Operation> MakePadChannels(const Shape& in, const Shape& out,
                                           const PadAttributes& pad) {
  return std::make_unique<PadOperation>(in, out, pad);
}

std::unique_ptr<Operation> MakePatches(const Shape& in,
                                       const PatchAttributes& patches) {
  return std::make_unique<PatchesOperation>(in, patches.size);
}

}  // namespace repro16::cuda
