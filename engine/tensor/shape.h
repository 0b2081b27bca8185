// The extent of a tensor along each of its dimensions.
#ifndef REPRO16_ENGINE_TENSOR_SHAPE_H_
#define REPRO16_ENGINE_TENSOR_SHAPE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace repro16 {

// Dimensions from the slowest varying (the batch, where there is one) to the
// fastest; images are [N, H, W, C]. No dimensions: a scalar.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : dims_(dims) {}
  explicit Shape(std::vector<int64_t> dims) : dims_(std::move(dims)) {}

  size_t rank() const { return dims_.size(); }
  int64_t operator[](size_t i) const { return dims_[i]; }
  const std::vector<int64_t>& dims() const { return dims_; }

  // The product of the dimensions: 1 for a scalar.
  int64_t NumElements() const;

  // For messages: "[128, 28, 28, 1]".
  std::string ToString() const;

  friend bool operator==(const Shape& a, const Shape& b) {
    return a.dims_ == b.dims_;
  }
  friend bool operator!=(const Shape& a, const Shape& b) { return !(a == b); }

 private:
  std::vector<int64_t> dims_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_TENSOR_SHAPE_H_
