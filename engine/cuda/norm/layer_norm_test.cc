// Bit for bit, counters included, against scalar code.
#include "engine/cuda/norm/layer_norm.h"

#include <cstdint>

#include "engine/cuda/testing/emulated_pass.h"
#include "engine/graph/testing/layer_norm_case.h"
#include "engine/numerics/testing/test_numbers.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using Case = LayerNormCase;
using Tensors = LayerNormTensors;

class LayerNormTest : public EmulatedTest {
 protected:
  void Check(const Case& c, const Tensors& inputs) {
    SCOPED_TRACE(testing::Message()
                 << c.rows() << "x" << c.cols << " " << Name(c.type) << "/"
                 << Name(c.parameter_type));
    Tensors expected = inputs;
    Reference(c, expected);
    Tensors t = inputs;
    const auto operation = cuda::MakeLayerNorm(
        Shape({c.rows_per_example, c.cols}), {kLayerNormEpsilon});
    RunBound(
        c, operation->SavedBytes(c.batch), t, /*in_place=*/turn_++ % 3 == 0,
        [&](const OpBuffers& buffers) {
          RunPass(*operation, c.batch, [&](PassContext pass) {
            pass.training = buffers.saved != nullptr;
            operation->Forward(buffers, pass);
          });
        },
        [&](const OpBuffers& buffers) {
          RunPass(*operation, c.batch, [&](const PassContext& pass) {
            operation->Backward(buffers, pass);
          });
        });
    ExpectEqual(t, expected);
  }

 private:
  size_t turn_ = 0;
};

TEST_P(LayerNormTest, EqualsScalarContract) {
  int turn = 0;
  for (const DType type : kAllTypes) {
    for (const int64_t cols : {1, 3, 64, 130, 255, 256}) {
      for (const int64_t rows : {1, 17, 33, 257, 600}) {
        const Case c = {rows, 1, cols, type, kAllTypes[turn++ % 3]};
        Check(c, MakeTensors(c));
      }
    }
  }
}

TEST_P(LayerNormTest, CountsWhatStoresDo) {
  for (const DType type : kAllTypes) {
    for (const DType parameter_type : kAllTypes) {
      const Case c = {20, 10, 90, type, parameter_type};
      for (const bool with_nan : {false, true}) {
        Check(c, MakeExtremeTensors(c, with_nan));
      }
    }
  }
}

REPRO16_IN_EVERY_ORDER(LayerNormTest);

}  // namespace
}  // namespace repro16
