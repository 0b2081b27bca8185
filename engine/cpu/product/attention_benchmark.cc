// The kernels of a vision transformer beside its matrix products, at the shapes
// of ViT (batch 256, 25 tokens, 4 heads of 64, 64 features, 512 hidden):
// attention with the share of the machine's multiply-add units, and elementwise
// operations and softmax in time for each element (of all workers together).
//
// Argument: threads.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>

#include "benchmark/benchmark.h"
#include "engine/cpu/elementwise/elementwise.h"
#include "engine/cpu/elementwise/softmax.h"
#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/fma_ceiling.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/product/attention.h"
#include "engine/tensor/buffer.h"

namespace repro16 {
namespace {

constexpr int64_t kBatch = 256;
constexpr AttentionShape kShape = {25, 4, 64};
constexpr int64_t kFeatures = kShape.tokens * kShape.heads * kShape.key_size;
constexpr int64_t kScores = kShape.heads * kShape.tokens * kShape.tokens;
constexpr int64_t kHidden = kShape.tokens * 512;

enum class Pass { kForward, kBackward };

// A tensor of ordinary numbers: 0.011 in f32, 1.06 in f16.
class Tensor {
 public:
  Tensor(DType type, int64_t elements)
      : buffer_(kBatch * elements * static_cast<int64_t>(SizeOf(type))),
        ref_{buffer_.data(), type, elements, &counter_} {
    std::memset(buffer_.data(), 0x3c, static_cast<size_t>(buffer_.bytes()));
  }
  const TensorRef& ref() const { return ref_; }

 private:
  AlignedBuffer buffer_;
  StoreCounter counter_;
  TensorRef ref_;
};

// Runs one pass of `kernel` on inputs of these sizes; returns seconds per pass.
double Time(benchmark::State& state, const Kernel& kernel, ThreadPool& pool,
            Pass pass_kind, DType type, const std::vector<int64_t>& inputs,
            int64_t output) {
  std::vector<std::unique_ptr<Tensor>> tensors;
  const auto make = [&](int64_t elements) {
    tensors.push_back(std::make_unique<Tensor>(type, elements));
    return tensors.back()->ref();
  };
  OpBuffers buffers;
  for (int64_t elements : inputs) {
    buffers.inputs.push_back(make(elements));
    buffers.input_gradients.push_back(make(elements));
  }
  buffers.output = make(output);
  buffers.output_gradient = make(output);
  AlignedBuffer workspace(kernel.WorkspaceBytes(kBatch));
  PassContext pass{};
  pass.pool = &pool;
  pass.workspace = workspace.data();
  pass.batch = kBatch;
  pass.training = true;
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) {
    if (pass_kind == Pass::kForward) {
      kernel.Forward(buffers, pass);
    } else {
      kernel.Backward(buffers, pass);
    }
    benchmark::ClobberMemory();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
             .count() /
         static_cast<double>(state.iterations());
}

void BM_Attention(benchmark::State& state, bool scores, Pass pass, DType type) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const auto kernel = scores ? MakeAttentionScores(kShape, DType::kF32)
                             : MakeAttentionContext(kShape, DType::kF32);
  const double ceiling = FmaCeiling(pool);
  const double seconds = scores ? Time(state, *kernel, pool, pass, type,
                                       {kFeatures, kFeatures}, kScores)
                                : Time(state, *kernel, pool, pass, type,
                                       {kScores, kFeatures}, kFeatures);
  const double products = pass == Pass::kForward ? 1 : 2;
  const double rate = products * 2.0 *
                      static_cast<double>(kBatch * kScores * kShape.key_size) /
                      seconds;
  state.counters["GFLOP/s"] = rate * 1e-9;
  state.counters["ceiling"] = ceiling * 1e-9;
  state.counters["share"] = rate / ceiling;
}

void BM_Elements(benchmark::State& state,
                 const std::function<std::unique_ptr<Kernel>()>& make,
                 int64_t elements, Pass pass, DType type) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const auto kernel = make();
  const double seconds =
      Time(state, *kernel, pool, pass, type, {elements}, elements);
  state.counters["ns/element"] =
      seconds * 1e9 / static_cast<double>(kBatch * elements);
}

void Register(const std::string& name, DType type, Pass pass,
              const std::function<void(benchmark::State&)>& run) {
  const char* suffix = pass == Pass::kForward ? "/forward/" : "/backward/";
  benchmark::RegisterBenchmark(
      (name + suffix + std::string(Name(type))).c_str(), run)
      ->Arg(1)
      ->Arg(2)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

const bool kRegistered = [] {
  for (DType type : {DType::kF32, DType::kF16}) {
    for (Pass pass : {Pass::kForward, Pass::kBackward}) {
      for (bool scores : {true, false}) {
        Register(scores ? "scores" : "context", type, pass,
                 [=](benchmark::State& state) {
                   BM_Attention(state, scores, pass, type);
                 });
      }
      const auto elements =
          [&](const std::string& name, int64_t count,
              const std::function<std::unique_ptr<Kernel>()>& make) {
            Register(name, type, pass, [=](benchmark::State& state) {
              BM_Elements(state, make, count, pass, type);
            });
          };
      elements("softmax", kScores, [] { return MakeSoftmax(kShape.tokens); });
      elements("relu", kHidden, [] { return MakeUnary(UnaryFunction::kRelu); });
      elements("tanh", kHidden, [] { return MakeUnary(UnaryFunction::kTanh); });
      elements("gelu", kHidden, [] { return MakeUnary(UnaryFunction::kGelu); });
      elements("dropout", kHidden, [] { return MakeDropout(0.1, 0); });
      elements("scale", kHidden, [] { return MakeScale({0.125}); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace repro16
