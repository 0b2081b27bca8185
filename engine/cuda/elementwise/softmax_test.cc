// Bit for bit, counters included, against scalar code.
#include "engine/cuda/elementwise/softmax.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/cuda/step_state.h"
#include "engine/cuda/testing/emulated_pass.h"
#include "engine/graph/testing/softmax_reference.h"
#include "engine/graph/testing/test_tensor.h"
#include "engine/numerics/testing/test_numbers.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using SoftmaxTest = EmulatedTest;

TEST_P(SoftmaxTest, ForwardAndBackwardEqualScalarCode) {
  constexpr int64_t kBatch = 3;
  // Rows of an example, columns.
  constexpr int64_t kShapes[][2] = {{100, 25}, {1, 10}, {17, 256},
                                    {7, 1},    {5, 17}, {200, 3}};
  for (const auto& [rows, cols] : kShapes) {
    const auto operation = cuda::MakeSoftmax(cols);
    for (const DType type : kAllTypes) {
      for (const uint32_t special : {0u, 200u}) {
        SCOPED_TRACE(testing::Message() << rows << " " << cols << " "
                                        << Name(type) << " " << special);
        const int64_t elements = rows * cols;
        TestNumbers numbers(1, special);
        TestTensor x(type, kBatch, elements), dy(type, kBatch, elements);
        x.Fill(numbers);
        dy.Fill(numbers);
        TestTensor p(type, kBatch, elements), dx(type, kBatch, elements);
        SoftmaxReference(cols, x, dy, p, dx);
        TestTensor out = x, gradient = dy;  // in place
        OpBuffers buffers;
        buffers.inputs = {out.ref()};
        buffers.output = out.ref();
        buffers.output_gradient = gradient.ref();
        buffers.input_gradients = {gradient.ref()};
        RunPass(*operation, kBatch, [&](const PassContext& pass) {
          operation->Forward(buffers, pass);
          operation->Backward(buffers, pass);
        });
        EXPECT_TRUE(out == p);
        EXPECT_TRUE(gradient == dx);
      }
    }
  }
}

TEST_P(SoftmaxTest, CrossEntropyEqualsScalarCode) {
  constexpr int64_t kBatch = 130;
  const auto operation = cuda::MakeSoftmaxCrossEntropy();
  for (const int64_t classes : {1, 3, 10, 255, 256}) {
    for (const DType type : kAllTypes) {
      SCOPED_TRACE(testing::Message() << classes << " " << Name(type));
      TestNumbers numbers(2, /*special_every=*/500);
      TestTensor x(type, kBatch, classes);
      x.Fill(numbers);
      std::vector<uint8_t> labels(kBatch);
      for (size_t n = 0; n < labels.size(); ++n) {
        labels[n] = static_cast<uint8_t>(n * 7 % static_cast<size_t>(classes));
      }
      StepState step;
      step.correct = 5;  // of the passes before
      step.update.loss_scale = 1024;
      TestTensor losses(DType::kF32, kBatch, 1), dx(type, kBatch, classes);
      const int64_t correct =
          CrossEntropyReference(step.update.loss_scale, labels, x, losses, dx);
      TestTensor out(DType::kF32, kBatch, 1), gradient(type, kBatch, classes);
      OpBuffers buffers;
      buffers.inputs = {x.ref()};
      buffers.output = out.ref();
      buffers.input_gradients = {gradient.ref()};
      RunPass(*operation, kBatch, [&](PassContext pass) {
        pass.labels = labels.data();
        pass.step = &step;
        operation->Forward(buffers, pass);
        operation->Backward(buffers, pass);
      });
      EXPECT_TRUE(out == losses);
      EXPECT_TRUE(gradient == dx);
      EXPECT_EQ(step.correct, 5 + static_cast<uint64_t>(correct));
    }
  }
}

REPRO16_IN_EVERY_ORDER(SoftmaxTest);

}  // namespace
}  // namespace repro16
