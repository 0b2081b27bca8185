#include "models/registry.h"

#include <gtest/gtest.h>

#include "engine/graph/cost.h"

namespace repro16 {
namespace {

struct Expected {
  const char* name;
  int64_t parameters;
  int64_t multiply_adds;
};

constexpr Expected kExpected[] = {
    // 784*512+512 + 512*256+256 + 256*10+10.
    {"mlp", 535818, 784 * 512 + 512 * 256 + 256 * 10},
};

TEST(RegistryTest, CountsOfEveryModel) {
  ASSERT_EQ(ModelNames().size(), std::size(kExpected));
  for (const Expected& expected : kExpected) {
    SCOPED_TRACE(expected.name);
    const absl::StatusOr<Graph> graph = BuildModel(expected.name);
    ASSERT_TRUE(graph.ok()) << graph.status();
    EXPECT_EQ(graph->ParameterCount(), expected.parameters);
    EXPECT_EQ(ForwardMultiplyAdds(*graph), expected.multiply_adds);
  }
}

TEST(RegistryTest, UnknownNameListsTheKnownOnes) {
  const absl::StatusOr<Graph> graph = BuildModel("mpl");
  EXPECT_EQ(graph.status().message(),
            "model: unknown name 'mpl'; use one of mlp");
}

}  // namespace
}  // namespace repro16
