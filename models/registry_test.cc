#include "models/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "engine/graph/cost.h"

namespace repro16 {
namespace {

struct Expected {
  const char* name;
  int64_t parameters;
  // Millions of multiply-adds of a forward pass, as measured in other
  // frameworks, and half a unit of the last digit; 0: not measured.
  double multiply_adds = 0;
  double rounding = 0;
};

constexpr Expected kExpected[] = {
    {"alexnet", 20972394, 40.8, 0.05},
    {"vgg16", 33644106, 332, 0.5},
    {"vgg19", 38953802},
    {"resnet32", 467562, 68.9, 0.05},
    {"resnet56", 859114, 125, 0.5},
    {"resnet110", 1740106, 253, 0.5},
    {"densenet121", 7047754, 57.8, 0.05},
    {"densenet169", 12659530},
    {"xception", 22969906, 90.3, 0.05},
    {"mobilenet_v2", 2270794, 6.12, 0.005},
    {"vit8", 2024202, 29.9, 0.05},
    {"vit12", 2555146},
    {"resnet18", 11179978, 555, 0.5},
    {"resnet34", 21295562},
    {"mlp", 535818, 0.535, 0.0005},
};

Graph Build(std::string_view name, const ModelOptions& options = {}) {
  absl::StatusOr<Graph> graph = BuildModel(name, options);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return graph.ok() ? *std::move(graph) : Graph();
}

int Count(const Graph& graph, OpKind kind) {
  return static_cast<int>(
      std::count_if(graph.ops.begin(), graph.ops.end(),
                    [kind](const Op& op) { return op.kind == kind; }));
}

// Heights of the outputs of all operations of that kind, in order.
std::vector<int64_t> Heights(const Graph& graph, OpKind kind) {
  std::vector<int64_t> heights;
  for (const Op& op : graph.ops) {
    if (op.kind == kind) heights.push_back(graph.tensors[op.output].shape[0]);
  }
  return heights;
}

TEST(RegistryTest, CountsOfEveryModel) {
  ASSERT_EQ(ModelNames().size(), std::size(kExpected));
  for (const Expected& expected : kExpected) {
    SCOPED_TRACE(expected.name);
    const Graph graph = Build(expected.name);
    EXPECT_EQ(graph.ParameterCount(), expected.parameters);
    if (expected.rounding == 0) continue;
    EXPECT_NEAR(static_cast<double>(ForwardMultiplyAdds(graph)) / 1e6,
                expected.multiply_adds, expected.rounding);
  }
}

TEST(RegistryTest, WidthClassesAndMomentumReachEveryModel) {
  ModelOptions options;
  options.width = 0.25;
  options.classes = 7;
  options.batch_norm_momentum = 0.9;
  for (const std::string& name : ModelNames()) {
    SCOPED_TRACE(name);
    const Graph full = Build(name);
    const Graph narrow = Build(name, options);
    EXPECT_LT(narrow.ParameterCount(), full.ParameterCount() / 2);
    EXPECT_EQ(narrow.tensors[narrow.output].shape, Shape({7}));
    for (const Op& op : narrow.ops) {
      if (op.kind != OpKind::kBatchNorm) continue;
      EXPECT_EQ(std::get<BatchNormAttributes>(op.attributes).momentum, 0.9);
    }
    // The depth stays.
    for (const OpTraits& op : kOps) {
      if (op.kind == OpKind::kAdd && name == "mobilenet_v2") continue;
      EXPECT_EQ(Count(narrow, op.kind), Count(full, op.kind)) << op.name;
    }
  }
}

TEST(RegistryTest, TheSmallestWidthLeavesOneChannel) {
  ModelOptions options;
  options.width = 1e-6;
  for (const std::string& name : ModelNames()) Build(name, options);
  // Five convolutions of 1 channel, of which the first reads 3; three dense
  // layers on 1 value, of which the last gives 10.
  EXPECT_EQ(Build("alexnet", options).ParameterCount(),
            28 + 4 * 10 + 2 * 2 + 20);
  options.width = 0.35;
  EXPECT_EQ(options.Channels(10), 4);  // 3.5
}

// keras.applications.MobileNetV2(alpha, include_top=False): 410,208 parameters
// at alpha 0.35, 706,224 at 0.5, 1,382,064 at 0.75, 4,363,712 at 1.4.
TEST(RegistryTest, WidthOfMobileNetV2IsKerasAlpha) {
  const std::map<double, int64_t> without_top = {
      {0.35, 410208}, {0.5, 706224}, {0.75, 1382064}, {1.4, 4363712}};
  for (const auto& [alpha, parameters] : without_top) {
    ModelOptions options;
    options.width = alpha;
    const int64_t last = alpha > 1 ? 1792 : 1280;
    EXPECT_EQ(Build("mobilenet_v2", options).ParameterCount(),
              parameters + last * 10 + 10)
        << alpha;
  }
}

TEST(RegistryTest, SpatialSizes) {
  // Keras' strides and paddings, from the model summaries at 32 x 32.
  EXPECT_EQ(Heights(Build("alexnet"), OpKind::kMaxPool),
            (std::vector<int64_t>{8, 3, 1}));
  EXPECT_EQ(Heights(Build("xception"), OpKind::kMaxPool),
            (std::vector<int64_t>{7, 4, 2, 1}));
  EXPECT_EQ(Heights(Build("densenet121"), OpKind::kZeroPad),
            (std::vector<int64_t>{38, 18}));
  EXPECT_EQ(Heights(Build("densenet121"), OpKind::kAveragePool),
            (std::vector<int64_t>{4, 2, 1}));
  EXPECT_EQ(Heights(Build("mobilenet_v2"), OpKind::kZeroPad),
            (std::vector<int64_t>{17, 9, 5, 3}));
  EXPECT_EQ(Heights(Build("resnet32"), OpKind::kAveragePool),
            (std::vector<int64_t>{16, 8}));
  EXPECT_EQ(Build("vit8").tensors[Build("vit8").ops[0].output].shape,
            Shape({25, 108}));
}

TEST(RegistryTest, OddImagesArePaddedOnBothSidesInMobileNetV2) {
  ModelOptions options;
  options.image = Shape({28, 28, 1});  // 14, 7, 4, 2, 1
  const Graph graph = Build("mobilenet_v2", options);
  EXPECT_EQ(Heights(graph, OpKind::kZeroPad),
            (std::vector<int64_t>{15, 9, 5, 3}));
  EXPECT_EQ(Heights(graph, OpKind::kDepthwiseConv2D).back(), 1);
}

TEST(RegistryTest, OnlyTheCifarResNetsAreRegularised) {
  for (const std::string& name : ModelNames()) {
    SCOPED_TRACE(name);
    const bool regularised =
        name == "resnet32" || name == "resnet56" || name == "resnet110";
    for (const Parameter& parameter : Build(name).parameters) {
      const bool kernel = absl::EndsWith(parameter.name, "/kernel");
      EXPECT_EQ(parameter.l2, regularised && kernel ? 1e-4 : 0)
          << parameter.name;
    }
  }
}

TEST(RegistryTest, TheFirstShortcutOfACifarResNetIsActivated) {
  const Graph graph = Build("resnet32");
  std::vector<OpKind> shortcuts;  // what the second operand of an add is
  for (const Op& op : graph.ops) {
    if (op.kind != OpKind::kAdd) continue;
    const auto writer = std::find_if(
        graph.ops.begin(), graph.ops.end(),
        [&](const Op& other) { return other.output == op.inputs[1]; });
    shortcuts.push_back(writer->kind);
  }
  std::vector<OpKind> expected(15, OpKind::kAdd);
  expected[0] = OpKind::kRelu;
  expected[5] = expected[10] = OpKind::kPadChannels;
  EXPECT_EQ(shortcuts, expected);
}

TEST(RegistryTest, UnknownNameListsTheKnownOnes) {
  EXPECT_EQ(BuildModel("mpl").status().message(),
            "model: unknown name 'mpl'; use one of alexnet, vgg16, vgg19, "
            "resnet32, resnet56, resnet110, densenet121, densenet169, "
            "xception, mobilenet_v2, vit8, vit12, resnet18, resnet34, mlp");
}

TEST(RegistryTest, AnImageThatDoesNotFitNamesOperationsAndShapes) {
  ModelOptions options;
  options.image = Shape({28, 28, 1});
  EXPECT_EQ(BuildModel("densenet121", options).status().message(),
            "model densenet121: average_pool with a window of 2 x 2 does not "
            "fit: conv2d_88 gives [1, 1, 512]");
  EXPECT_EQ(BuildModel("vgg16", options).status().message(),
            "model vgg16: max_pool with a window of 2 x 2 does not fit: "
            "relu_13 gives [1, 1, 512]");
  for (const char* name : {"alexnet", "resnet32", "resnet18", "vit8"}) {
    EXPECT_TRUE(BuildModel(name, options).ok()) << name;
  }
}

TEST(RegistryTest, RefusesOptionsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (double width : {0.0, -1.0, 16.5, 1e300, nan}) {
    ModelOptions options;
    options.width = width;
    EXPECT_TRUE(absl::StrContains(BuildModel("mlp", options).status().message(),
                                  "width: "));
  }
  for (double momentum : {-0.1, 1.0, nan}) {
    ModelOptions options;
    options.batch_norm_momentum = momentum;
    EXPECT_TRUE(
        absl::StrContains(BuildModel("resnet32", options).status().message(),
                          "batch_norm_momentum: "));
  }
  for (int64_t classes : {0, 257}) {
    ModelOptions options;
    options.classes = classes;
    EXPECT_FALSE(BuildModel("mlp", options).ok());
  }
  ModelOptions options;
  options.image = Shape({784});
  EXPECT_EQ(BuildModel("mlp", options).status().message(),
            "image: [784] is not [height, width, channels]");
}

}  // namespace
}  // namespace repro16
