#include "engine/cpu/elementwise/layout.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/cpu/kernel.h"

namespace repro16 {
namespace {

// Copies `rows` runs of `bytes`, whose starts are a stride apart at either end.
void CopyRuns(int64_t rows, int64_t bytes, const uint8_t* from,
              int64_t from_stride, uint8_t* to, int64_t to_stride) {
  for (int64_t row = 0; row < rows; ++row) {
    std::memcpy(to, from, static_cast<size_t>(bytes));
    from += from_stride;
    to += to_stride;
  }
}

void ClearExample(const TensorRef& tensor, int64_t n) {
  std::memset(ExampleOf(tensor, n), 0, static_cast<size_t>(tensor.Bytes(1)));
}

class ConcatKernel : public Kernel {
 public:
  explicit ConcatKernel(const Shape& out)
      : rows_(out.NumElements() / out.dims().back()) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    pass.pool->Run(pass.batch, [&](int64_t n, int /*worker*/) {
      const int64_t y_row = y.Bytes(1) / rows_;
      uint8_t* to = ExampleOf(y, n);
      for (const TensorRef& x : buffers.inputs) {
        const int64_t row = x.Bytes(1) / rows_;
        CopyRuns(rows_, row, ExampleOf(x, n), row, to, y_row);
        to += row;
      }
    });
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dy = buffers.output_gradient;
    pass.pool->Run(pass.batch, [&](int64_t n, int /*worker*/) {
      const int64_t dy_row = dy.Bytes(1) / rows_;
      const uint8_t* from = ExampleOf(dy, n);
      for (size_t i = 0; i < buffers.inputs.size(); ++i) {
        const TensorRef& dx = buffers.input_gradients[i];
        const int64_t row = buffers.inputs[i].Bytes(1) / rows_;
        if (dx.data != nullptr) {
          CopyRuns(rows_, row, from, dy_row, ExampleOf(dx, n), row);
        }
        from += row;
      }
    });
  }

 private:
  const int64_t rows_;  // of an example
};

// An image inside a larger one.
class PadKernel : public Kernel {
 public:
  PadKernel(const Shape& in, const Shape& out, const PadAttributes& pad)
      : in_height_(in[0]),
        in_width_(in[1]),
        in_channels_(in[2]),
        out_width_(out[1]),
        out_channels_(out[2]),
        pad_(pad) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& y = buffers.output;
    pass.pool->Run(pass.batch, [&](int64_t n, int /*worker*/) {
      ClearExample(y, n);
      ForEachRun(SizeOf(y.type),
                 [&](const Runs& runs, int64_t in, int64_t out) {
                   CopyRuns(runs.count, runs.bytes, ExampleOf(x, n) + in,
                            runs.bytes, ExampleOf(y, n) + out, runs.out_stride);
                 });
    });
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    const TensorRef& dy = buffers.output_gradient;
    pass.pool->Run(pass.batch, [&](int64_t n, int /*worker*/) {
      ForEachRun(SizeOf(dx.type),
                 [&](const Runs& runs, int64_t in, int64_t out) {
                   CopyRuns(runs.count, runs.bytes, ExampleOf(dy, n) + out,
                            runs.out_stride, ExampleOf(dx, n) + in, runs.bytes);
                 });
    });
  }

 private:
  // The runs of one row: contiguous in the input, out_stride apart in the
  // output.
  struct Runs {
    int64_t count;
    int64_t bytes;
    int64_t out_stride;
  };

  // Calls fn(Runs, first byte in the input, in the output) for every row.
  template <class Fn>
  void ForEachRun(size_t size, const Fn& fn) const {
    const int64_t element = static_cast<int64_t>(size);
    const int64_t in_row = in_width_ * in_channels_ * element;
    const int64_t out_row = out_width_ * out_channels_ * element;
    // Without added channels a row is one run.
    const Runs runs =
        in_channels_ == out_channels_
            ? Runs{1, in_row, out_row}
            : Runs{in_width_, in_channels_ * element, out_channels_ * element};
    const int64_t first = (pad_.left * out_channels_ + pad_.before) * element;
    for (int64_t row = 0; row < in_height_; ++row) {
      fn(runs, row * in_row, (row + pad_.top) * out_row + first);
    }
  }

  const int64_t in_height_, in_width_, in_channels_;
  const int64_t out_width_, out_channels_;
  const PadAttributes pad_;
};

class PatchesKernel : public Kernel {
 public:
  PatchesKernel(const Shape& in, int64_t size)
      : height_(in[0]), width_(in[1]), channels_(in[2]), size_(size) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& y = buffers.output;
    pass.pool->Run(pass.batch, [&](int64_t n, int /*worker*/) {
      ForEachPatch(SizeOf(y.type), [&](int64_t in, int64_t out, int64_t bytes,
                                       int64_t in_stride) {
        CopyRuns(size_, bytes, ExampleOf(x, n) + in, in_stride,
                 ExampleOf(y, n) + out, bytes);
      });
    });
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    const TensorRef& dy = buffers.output_gradient;
    const bool drops = height_ % size_ != 0 || width_ % size_ != 0;
    pass.pool->Run(pass.batch, [&](int64_t n, int /*worker*/) {
      if (drops) ClearExample(dx, n);
      ForEachPatch(SizeOf(dx.type), [&](int64_t in, int64_t out, int64_t bytes,
                                        int64_t in_stride) {
        CopyRuns(size_, bytes, ExampleOf(dy, n) + out, bytes,
                 ExampleOf(dx, n) + in, in_stride);
      });
    });
  }

 private:
  // Calls fn(first byte in the image, in the patches, bytes of a row of a
  // patch, bytes of a row of the image) for every patch.
  template <class Fn>
  void ForEachPatch(size_t element, const Fn& fn) const {
    const int64_t pixel = channels_ * static_cast<int64_t>(element);
    const int64_t rows = height_ / size_, cols = width_ / size_;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t col = 0; col < cols; ++col) {
        fn((row * width_ + col) * size_ * pixel,
           (row * cols + col) * size_ * size_ * pixel, size_ * pixel,
           width_ * pixel);
      }
    }
  }

  const int64_t height_, width_, channels_;
  const int64_t size_;
};

}  // namespace

std::unique_ptr<Kernel> MakeConcat(const Shape& out) {
  return std::make_unique<ConcatKernel>(out);
}

std::unique_ptr<Kernel> MakeZeroPad(const Shape& in, const Shape& out,
                                    const PadAttributes& pad) {
  return std::make_unique<PadKernel>(in, out, pad);
}

std::unique_ptr<Kernel> MakePadChannels(const Shape& in, const Shape& out,
                                        const PadAttributes& pad) {
  return std::make_unique<PadKernel>(in, out, pad);
}

std::unique_ptr<Kernel> MakePatches(const Shape& in,
                                    const PatchAttributes& patches) {
  return std::make_unique<PatchesKernel>(in, patches.size);
}

}  // namespace repro16
