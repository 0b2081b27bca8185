#include "engine/tensor/shape.h"

#include <vector>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

TEST(ShapeTest, NumElements) {
  EXPECT_EQ(Shape().NumElements(), 1);
  EXPECT_EQ(Shape({128, 28, 28, 3}).NumElements(), 301056);
  EXPECT_EQ(Shape({5, 0, 2}).NumElements(), 0);
  EXPECT_EQ(Shape({70000, 70000}).NumElements(), 4900000000);
}

TEST(ShapeTest, ToString) {
  EXPECT_EQ(Shape().ToString(), "[]");
  EXPECT_EQ(Shape({128, 28, 28, 1}).ToString(), "[128, 28, 28, 1]");
}

TEST(ShapeTest, DimensionsInOrder) {
  const Shape shape(std::vector<int64_t>{4, 5});
  EXPECT_EQ(shape.rank(), 2u);
  EXPECT_EQ(shape[0], 4);
  EXPECT_EQ(shape[1], 5);
  EXPECT_EQ(shape, Shape({4, 5}));
  EXPECT_NE(shape, Shape({5, 4}));
  EXPECT_NE(shape, Shape({4, 5, 1}));
}

}  // namespace
}  // namespace repro16
