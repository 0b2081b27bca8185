// For tests of kernels: a tensor, and what stores to it did.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_TEST_TENSOR_H_
#define REPRO16_ENGINE_GRAPH_TESTING_TEST_TENSOR_H_

#include <cstdint>

#include "engine/graph/binding.h"
#include "engine/numerics/store_counter.h"
#include "engine/numerics/testing/test_numbers.h"
#include "engine/numerics/testing/typed_array.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// A tensor of `batch` examples and what stores to it did.
struct TestTensor {
  TestTensor(DType type, int64_t batch, int64_t elements_of_one)
      : values(type, batch * elements_of_one), elements(elements_of_one) {}

  void Fill(TestNumbers& numbers) { numbers.Fill(values); }
  float operator[](int64_t i) const { return values.Get(i); }
  // As a kernel's store.
  void Store(int64_t i, float x) { values.SetCounted(i, x, counter); }
  TensorRef ref() { return {values.data(), values.type(), elements, &counter}; }

  friend bool operator==(const TestTensor& a, const TestTensor& b) {
    return a.values == b.values && a.counter == b.counter;
  }

  TypedArray values;
  int64_t elements;
  StoreCounter counter;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_TEST_TENSOR_H_
