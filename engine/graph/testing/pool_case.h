// For tests of pooling: cases, and what the operations give, in scalar code
// that follows engine/cpu/pool/pool.h index by index.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_POOL_CASE_H_
#define REPRO16_ENGINE_GRAPH_TESTING_POOL_CASE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <vector>

#include "engine/graph/binding.h"
#include "engine/graph/testing/window_case.h"
#include "engine/graph/window.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/testing/typed_array.h"
#include "engine/tensor/dtype.h"
#include "gtest/gtest.h"

namespace repro16 {

struct PoolCase {
  ImageWindow shape;
  int64_t batch;
  DType type = DType::kF32;
};

inline std::ostream& operator<<(std::ostream& os, const PoolCase& t) {
  return os << "batch " << t.batch << " of " << t.shape << " " << Name(t.type);
}

inline int64_t InputElements(const ImageWindow& s) {
  return s.in_height * s.in_width * s.in_channels;
}
inline int64_t OutputElements(const ImageWindow& s) {
  return s.out_height * s.out_width * s.in_channels;
}

inline int64_t Input(const ImageWindow& s, int64_t n, int64_t p, int64_t q,
                     int64_t c) {
  return ((n * s.in_height + p) * s.in_width + q) * s.in_channels + c;
}
inline int64_t Output(const ImageWindow& s, int64_t n, int64_t h, int64_t v,
                      int64_t c) {
  return ((n * s.out_height + h) * s.out_width + v) * s.in_channels + c;
}

// Inputs of a window, in order.
inline std::vector<int64_t> InputsOfWindow(const ImageWindow& s, int64_t n,
                                           int64_t h, int64_t v, int64_t c) {
  std::vector<int64_t> inputs;
  for (int64_t i = 0; i < s.window.height; ++i) {
    for (int64_t j = 0; j < s.window.width; ++j) {
      const int64_t p = h * s.window.stride - s.window.pad_top + i;
      const int64_t q = v * s.window.stride - s.window.pad_left + j;
      if (p < 0 || p >= s.in_height || q < 0 || q >= s.in_width) continue;
      inputs.push_back(Input(s, n, p, q, c));
    }
  }
  return inputs;
}

// Calls fn(output, its window) for all outputs, ascending.
inline void ForEachWindow(
    const PoolCase& t,
    const std::function<void(int64_t, const std::vector<int64_t>&)>& fn) {
  const ImageWindow& s = t.shape;
  for (int64_t n = 0; n < t.batch; ++n) {
    for (int64_t h = 0; h < s.out_height; ++h) {
      for (int64_t v = 0; v < s.out_width; ++v) {
        for (int64_t c = 0; c < s.in_channels; ++c) {
          fn(Output(s, n, h, v, c), InputsOfWindow(s, n, h, v, c));
        }
      }
    }
  }
}

struct PoolResults {
  explicit PoolResults(const PoolCase& t)
      : y(t.type, t.batch * OutputElements(t.shape)),
        dx(t.type, t.batch * InputElements(t.shape)) {}

  CountedArray y, dx;
};

inline float Largest(const TypedArray& x, const std::vector<int64_t>& window) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const int64_t i : window) {
    const float value = x.Get(i);
    if (std::isnan(value)) return value;
    if (value > largest) largest = value;
    if (value == 0 && largest == 0 && !std::signbit(value)) largest = 0;
  }
  return largest;
}

inline int64_t FirstMaximum(const TypedArray& x,
                            const std::vector<int64_t>& window) {
  const float largest = Largest(x, window);
  for (const int64_t i : window) {
    if (std::isnan(largest) ? std::isnan(x.Get(i)) : x.Get(i) == largest) {
      return i;
    }
  }
  ADD_FAILURE() << "no maximum";
  return window.front();
}

// Rounds and counts the chains into dx.
inline void StoreChains(const std::vector<float>& chains, CountedArray& dx) {
  for (size_t i = 0; i < chains.size(); ++i) {
    dx.Set(static_cast<int64_t>(i), chains[i]);
  }
}

inline PoolResults MaxReference(const PoolCase& t, const TypedArray& x,
                                const TypedArray& dy) {
  PoolResults r(t);
  std::vector<float> chains(static_cast<size_t>(x.size()));
  ForEachWindow(t, [&](int64_t output, const std::vector<int64_t>& window) {
    r.y.array.Set(output, Largest(x, window));
    float& chain = chains[static_cast<size_t>(FirstMaximum(x, window))];
    chain = chain + dy.Get(output);
  });
  StoreChains(chains, r.dx);
  return r;
}

inline PoolResults AverageReference(const PoolCase& t, const TypedArray& x,
                                    const TypedArray& dy) {
  PoolResults r(t);
  std::vector<float> chains(static_cast<size_t>(x.size()));
  ForEachWindow(t, [&](int64_t output, const std::vector<int64_t>& window) {
    const float count = static_cast<float>(window.size());
    float sum = 0;
    for (const int64_t i : window) sum = sum + x.Get(i);
    r.y.Set(output, sum / count);
    for (const int64_t i : window) {
      float& chain = chains[static_cast<size_t>(i)];
      chain = chain + dy.Get(output) / count;
    }
  });
  StoreChains(chains, r.dx);
  return r;
}

// The window is the whole image.
inline PoolResults GlobalAverageReference(const PoolCase& t,
                                          const TypedArray& x,
                                          const TypedArray& dy) {
  PoolResults r(t);
  ForEachWindow(t, [&](int64_t output, const std::vector<int64_t>& window) {
    const float count = static_cast<float>(window.size());
    RowSum sum;
    for (const int64_t i : window) {
      sum.AddTerm(x.Get(i));
      r.dx.Set(i, dy.Get(output) / count);
    }
    r.y.Set(output, sum.Total() / count);
  });
  return r;
}

// An operation's buffers; x, dy and the results outlive them.
inline OpBuffers BindPool(const PoolCase& t, TypedArray& x, TypedArray& dy,
                          PoolResults& out) {
  const int64_t x_elements = x.size() / t.batch;
  const int64_t y_elements = out.y.array.size() / t.batch;
  OpBuffers buffers;
  buffers.inputs = {{x.data(), t.type, x_elements, nullptr}};
  buffers.output = out.y.Ref(y_elements);
  buffers.output_gradient = {dy.data(), t.type, y_elements, nullptr};
  buffers.input_gradients = {out.dx.Ref(x_elements)};
  return buffers;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_POOL_CASE_H_
