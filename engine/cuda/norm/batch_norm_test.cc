// Bit for bit, counters included, against scalar code.
#include "engine/cuda/norm/batch_norm.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/cuda/testing/emulated_pass.h"
#include "engine/graph/testing/batch_norm_case.h"
#include "engine/numerics/testing/test_numbers.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using Case = BatchNormCase;
using Tensors = BatchNormTensors;

class BatchNormTest : public EmulatedTest {
 protected:
  static void RunOperation(const Case& c, bool training, Tensors& t,
                           bool in_place, StoreCounter* sum_counter = nullptr) {
    const auto operation =
        cuda::MakeBatchNorm(c.in, {c.epsilon, c.momentum, c.activation});
    ASSERT_TRUE(operation->AddsToGradient());
    RunBound(c, training, operation->SavedBytes(c.batch), t, in_place,
             sum_counter, [&](const OpBuffers& buffers) {
               RunPass(*operation, c.batch, [&](PassContext pass) {
                 pass.training = training;
                 operation->Forward(buffers, pass);
                 if (training) operation->Backward(buffers, pass);
               });
             });
  }

  void Check(const Case& c, const Tensors& inputs) {
    for (const bool training : {false, true}) {
      SCOPED_TRACE(testing::Message()
                   << c.in.ToString() << " times " << c.batch << " "
                   << Name(c.type) << "/" << Name(c.parameter_type)
                   << " activation " << static_cast<int>(c.activation)
                   << " training " << training);
      Tensors expected = inputs;
      Reference(c, training, expected);
      Tensors t = inputs;
      RunOperation(c, training, t, /*in_place=*/turn_ % 3 == 0);
      ExpectEqual(t, expected);
      ++turn_;
    }
  }

  FusedActivation NextActivation() const { return kActivations[turn_ / 2 % 3]; }

 private:
  size_t turn_ = 0;
};

TEST_P(BatchNormTest, EqualsScalarContract) {
  for (const BatchNormTypes types : kPolicyTypes) {
    for (const int64_t channels : {1, 3, 16, 130}) {
      for (const int64_t rows : {1, 2, 255, 257}) {
        const Case c = {Shape({channels}), rows, types.activation,
                        types.batch_norm, NextActivation()};
        Check(c, MakeTensors(c));
      }
      const Case c = {Shape({10, 15, channels}), 6, types.activation,
                      types.batch_norm, NextActivation()};
      Check(c, MakeTensors(c));
    }
  }
}

TEST_P(BatchNormTest, CountsWhatStoresDo) {
  for (const DType type : kAllTypes) {
    for (const DType parameter_type : kAllTypes) {
      for (const FusedActivation activation : kActivations) {
        const Case c = {Shape({3, 3, 90}), 5, type, parameter_type, activation};
        for (const bool with_nan : {false, true}) {
          Check(c, MakeExtremeTensors(c, with_nan));
        }
      }
    }
  }
}

// Values around those that round to 0 or 6: x is 1 and -1, so that
// normalisation gives gamma and -gamma.
TEST_P(BatchNormTest, ActivationsLookAtTheRoundedValue) {
  std::vector<float> values;
  for (const float edge : {0x1p-25f, 0x1p-24f, 0x1p-134f, 0x1p-133f, 0.0f, 6.0f,
                           6.0f - 0x1p-9f, 6.0f - 0x1p-8f, 6.0f - 0x1p-6f,
                           6.0f - 0x1p-5f, 6.0f + 0x1p-9f, 6.0f + 0x1p-6f}) {
    values.push_back(edge);
    values.push_back(std::nextafter(edge, -1.0f));
    values.push_back(std::nextafter(edge, 10.0f));
  }
  const auto channels = static_cast<int64_t>(values.size());
  for (const DType type : kAllTypes) {
    for (const FusedActivation activation : kActivations) {
      Case c = {Shape({channels}), 2, type, DType::kF32, activation};
      c.epsilon = 0;
      Tensors t = MakeTensors(c);
      for (int64_t i = 0; i < channels; ++i) {
        t.x.Set(i, 1.0f);
        t.x.Set(i + channels, -1.0f);
        t.parameters[0].Set(i, values[static_cast<size_t>(i)]);
        t.parameters[1].Set(i, 0.0f);
      }
      Check(c, t);
    }
  }
}

TEST_P(BatchNormTest, AddsItsGradientToASum) {
  for (const DType type : kAllTypes) {
    for (const FusedActivation activation : kActivations) {
      for (const int64_t channels : {3, 90}) {
        const Case c = {Shape({3, 3, channels}), 5, type, DType::kF32,
                        activation};
        const Tensors inputs = MakeExtremeTensors(c, channels == 90);
        Tensors expected = inputs;
        Reference(c, /*training=*/true, expected);
        Tensors actual = inputs;
        FillNormal(actual.dx, 6, 0.0f, 1.0f);
        StoreCounter expected_counter, counter;
        for (int64_t i = 0; i < c.elements(); ++i) {
          const float sum = actual.dx.Get(i) + expected.dx.Get(i);
          expected.dx.SetCounted(i, sum, expected_counter);
        }
        RunOperation(c, /*training=*/true, actual, /*in_place=*/false,
                     &counter);
        ExpectEqual(actual, expected);
        EXPECT_TRUE(counter == expected_counter);
      }
    }
  }
}

REPRO16_IN_EVERY_ORDER(BatchNormTest);

}  // namespace
}  // namespace repro16
