// For tests: softmax, and softmax with cross entropy, in scalar code.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_SOFTMAX_REFERENCE_H_
#define REPRO16_ENGINE_GRAPH_TESTING_SOFTMAX_REFERENCE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/graph/testing/test_tensor.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/reduction.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// What engine/cpu/elementwise/softmax.h says, one row at a time.
struct SoftmaxRow {
  SoftmaxRow(const TestTensor& x, int64_t begin, int64_t cols) : e(cols) {
    max = x[begin];
    for (int64_t c = 1; c < cols; ++c) {
      const float v = x[begin + c];
      if (v > max || std::isnan(v)) max = v;
    }
    for (int64_t c = 0; c < cols; ++c) {
      e[static_cast<size_t>(c)] = Exp(x[begin + c] - max);
    }
    sum = e[0];
    for (size_t c = 1; c < e.size(); ++c) sum += e[c];
  }

  std::vector<float> e;
  float max;
  float sum;
};

inline void SoftmaxReference(int64_t cols, const TestTensor& x,
                             const TestTensor& dy, TestTensor& p,
                             TestTensor& dx) {
  for (int64_t begin = 0; begin < x.values.size(); begin += cols) {
    const SoftmaxRow row(x, begin, cols);
    DotSum sum(DType::kF32);
    for (int64_t c = 0; c < cols; ++c) {
      p.Store(begin + c, row.e[static_cast<size_t>(c)] / row.sum);
      sum.AddTerm(dy[begin + c], p[begin + c]);
    }
    for (int64_t c = 0; c < cols; ++c) {
      dx.Store(begin + c, p[begin + c] * (dy[begin + c] - sum.Total()));
    }
  }
}

// Returns how many rows are classified right.
inline int64_t CrossEntropyReference(float loss_scale,
                                     const std::vector<uint8_t>& labels,
                                     const TestTensor& x, TestTensor& losses,
                                     TestTensor& dx) {
  const float factor = loss_scale / static_cast<float>(labels.size());
  const int64_t classes = x.elements;
  int64_t correct = 0;
  for (size_t n = 0; n < labels.size(); ++n) {
    const int64_t begin = static_cast<int64_t>(n) * classes;
    const int64_t label = labels[n];
    const SoftmaxRow row(x, begin, classes);
    losses.Store(static_cast<int64_t>(n),
                 (Log(row.sum) + row.max) - x[begin + label]);
    for (int64_t c = 0; c < classes; ++c) {
      float p = row.e[static_cast<size_t>(c)] / row.sum;
      if (c == label) p -= 1;
      dx.Store(begin + c, p * factor);
    }
    bool wins = !std::isnan(row.max) && x[begin + label] == row.max;
    for (int64_t c = 0; c < label; ++c) wins &= x[begin + c] != row.max;
    correct += wins;
  }
  return correct;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_SOFTMAX_REFERENCE_H_
