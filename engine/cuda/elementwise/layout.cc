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
      const int64_t width = x.elements / rows_;
      CopyRowsArgs args{};
      args.size = SizeOf(x.type);
      args.rows = pass.batch * rows_;
      args.columns = width;
      args.from = x.data;
      args.from_stride = width;
      args.to = to;
      args.to_stride = columns_;
      pass.kernels.CopyRows(args, pass.stream);
      to += width * static_cast<int64_t>(SizeOf(x.type));
    }
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const auto* from =
        static_cast<const uint8_t*>(buffers.output_gradient.data);
    for (size_t i = 0; i < buffers.inputs.size(); ++i) {
      const TensorRef& dx = buffers.input_gradients[i];
      const DType type = buffers.output_gradient.type;
      const int64_t width = buffers.inputs[i].elements / rows_;
      if (dx.data != nullptr) {
        CopyRowsArgs args{};
        args.size = SizeOf(type);
        args.rows = pass.batch * rows_;
        args.columns = width;
        args.from = from;
        args.from_stride = columns_;
        args.to = dx.data;
        args.to_stride = width;
        pass.kernels.CopyRows(args, pass.stream);
      }
      from += width * static_cast<int64_t>(SizeOf(type));
    }
  }

 private:
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
