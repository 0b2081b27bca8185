// What a backend is: memory on a device, and programs compiled from graphs.
//
// Nothing above this interface names a backend, and no signature but the
// copies' takes host memory: a training run uploads its data once, enqueues
// steps, and downloads what they recorded.
#ifndef REPRO16_ENGINE_GRAPH_BACKEND_H_
#define REPRO16_ENGINE_GRAPH_BACKEND_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/graph/graph.h"
#include "engine/graph/loss_scale.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/store_counter.h"
#include "engine/run/run.pb.h"

namespace repro16 {

// Memory on the device. Freed with the object.
class DeviceBuffer {
 public:
  virtual ~DeviceBuffer() = default;
  virtual int64_t bytes() const = 0;
};

// An order of execution. Work that is enqueued on one stream runs in the order
// of the calls.
class Stream {
 public:
  virtual ~Stream() = default;
  // Returns when all that was enqueued has run; reports what failed there.
  virtual absl::Status Synchronize() = 0;
};

// Rounded stores since the start of a step, by kind of tensor.
struct RoundingTotals {
  // kParameters: parameters and optimizer slots.
  enum Kind {
    kActivations,
    kActivationGradients,
    kWeightGradients,
    kParameters,
    kKinds
  };
  std::array<StoreCounter, kKinds> counters;
  std::array<uint64_t, kKinds> stored = {};  // elements computed and written
};

// What the stores to one tensor did during a step.
struct TensorRecord {
  std::string tensor;  // as in BatchRecord::first_non_finite
  RoundingTotals::Kind kind;
  uint64_t stored = 0;
  StoreCounter counter;
};

// What one batch left behind on the device.
struct BatchRecord {
  float loss = 0;  // mean over the batch, f32, without L2
  int64_t examples = 0;
  int64_t correct = 0;  // argmax of the logits is the label; ties go to the
                        // lowest index, and logits with a NaN are wrong
  // Of an evaluation, only activations are counted.
  RoundingTotals rounding;
  // The first tensor, in order of computation, that an infinity or NaN was
  // stored to; "" if none.
  std::string first_non_finite;
  bool skipped = false;  // dynamic loss scaling dropped the update
  float loss_scale = 1;  // during this step
  // In order of computation, parameters last (none where the step was
  // skipped). Empty unless compiled with record_tensors.
  std::vector<TensorRecord> tensors;
};

// Where the examples of a batch come from: buffers of the backend that compiled
// the program, which outlive the work that reads them. Each order[i] is below
// the number of labels (not checked).
struct BatchSource {
  const DeviceBuffer* images;  // u8 [count, H, W, C]
  const DeviceBuffer* labels;  // u8 [count]
  // i32: example i of the pass is images[order[i]]. Null: i itself.
  const DeviceBuffer* order = nullptr;
};

struct CompileOptions {
  int64_t max_batch = 1;
  // Absent: the program cannot train.
  std::optional<OptimizerSpec> optimizer;
  // Of the dropout masks.
  uint64_t seed = 0;
  // Every tensor keeps memory of its own, so that all of them can be read after
  // a pass (tests).
  bool keep_all_tensors = false;
  // Also compute the gradient of the graph's input (tests).
  bool input_gradient = false;
  // Keep the time of every operation (benchmarks).
  bool time_operations = false;
  // Fill BatchRecord::tensors (diagnosis).
  bool record_tensors = false;
};

// Seconds that an operation took since the program was compiled; an operation
// fused into another has no entry of its own.
struct OperationTime {
  std::string name;
  OpKind kind;
  double forward = 0;
  double backward = 0;  // with the additions to gradients of what it reads
};

// Bytes a program holds on the device, data sets excluded.
struct ProgramMemory {
  int64_t arena = 0;      // activations and their gradients
  int64_t workspace = 0;  // packing panels, partial sums
  int64_t parameters =
      0;  // as stored, and as read by operations where that differs
  int64_t gradients = 0;  // of the parameters
  int64_t slots = 0;      // of the optimizer
  int64_t Total() const {
    return arena + workspace + parameters + gradients + slots;
  }
};

// A graph made ready to run in one policy. Not thread-safe.
//
// The example-level calls (TrainStep, EvaluateBatch) are what trainers use. The
// tensor-level calls are for tests, parity checks and exports: bytes are in the
// storage type of the policy, row-major, batch axis first.
class Program {
 public:
  virtual ~Program() = default;

  // The number that pixel value i stands for; rounded once, to the input's
  // storage type.
  virtual absl::Status SetInputTable(const std::array<double, 256>& table) = 0;

  // Enqueues one optimizer step on examples [first, first + batch) of the
  // source; `step` counts from 0 over the whole run and selects the dropout
  // masks.
  virtual absl::Status TrainStep(const BatchSource& source, int64_t first,
                                 int64_t batch, int64_t step,
                                 Stream& stream) = 0;

  // Enqueues a forward pass in inference mode. `probabilities`, if given,
  // receives [count, classes] in the activation type, at row `first`.
  virtual absl::Status EvaluateBatch(const BatchSource& source, int64_t first,
                                     int64_t batch, DeviceBuffer* probabilities,
                                     Stream& stream) = 0;

  // The records of all batches since the last call, in order. Synchronizes.
  virtual absl::StatusOr<std::vector<BatchRecord>> TakeRecords(
      Stream& stream) = 0;

  // Tensor level: one pass over whatever WriteTensor put into the graph's
  // input.
  virtual absl::Status Forward(int64_t batch, bool training,
                               Stream& stream) = 0;
  // In a graph without a loss, after WriteGradient(graph.output).
  virtual absl::Status Backward(int64_t batch, Stream& stream) = 0;
  virtual absl::Status Update(Stream& stream) = 0;

  virtual absl::Status WriteTensor(TensorId id,
                                   absl::Span<const uint8_t> bytes) = 0;
  virtual absl::StatusOr<std::vector<uint8_t>> ReadTensor(TensorId id,
                                                          int64_t batch) = 0;
  virtual absl::Status WriteGradient(TensorId id,
                                     absl::Span<const uint8_t> bytes) = 0;
  virtual absl::StatusOr<std::vector<uint8_t>> ReadGradient(TensorId id,
                                                            int64_t batch) = 0;

  // Parameters as the optimizer keeps them (in MP the f32 master).
  virtual DType ParameterType(ParameterId id) const = 0;
  virtual absl::Status WriteParameter(ParameterId id,
                                      absl::Span<const uint8_t> bytes) = 0;
  virtual absl::StatusOr<std::vector<uint8_t>> ReadParameter(
      ParameterId id) = 0;
  virtual absl::StatusOr<std::vector<uint8_t>> ReadParameterGradient(
      ParameterId id) = 0;

  // The optimizer's slots, from 0; a slot of a parameter that is not trained
  // has no bytes.
  virtual int num_slots() const = 0;
  virtual absl::StatusOr<std::vector<uint8_t>> ReadSlot(ParameterId id,
                                                        int slot) = 0;
  virtual absl::Status WriteSlot(ParameterId id, int slot,
                                 absl::Span<const uint8_t> bytes) = 0;
  virtual UpdateState update_state() const = 0;
  virtual void SetUpdateState(const UpdateState& state) = 0;

  virtual ProgramMemory memory() const = 0;

  // By operation; empty unless compiled with time_operations.
  virtual std::vector<OperationTime> operation_times() const = 0;
};

// Outlives its programs, buffers and streams.
class Backend {
 public:
  virtual ~Backend() = default;

  // E.g. the processor's name, and the instruction set in use.
  virtual std::string device() const = 0;
  virtual std::string simd_target() const = 0;
  // Bytes of memory that the device could give now.
  virtual int64_t available_bytes() const = 0;

  virtual absl::StatusOr<std::unique_ptr<DeviceBuffer>> Allocate(
      int64_t bytes) = 0;
  virtual std::unique_ptr<Stream> CreateStream() = 0;
  // Copies are complete on return. Out of range is an error.
  virtual absl::Status Upload(absl::Span<const uint8_t> from,
                              DeviceBuffer& to) = 0;
  virtual absl::Status Download(const DeviceBuffer& from,
                                absl::Span<uint8_t> to) = 0;

  // Memory that the program does not touch before its first pass is not taken
  // from the device until then: Program::memory() can be compared with
  // available_bytes() first.
  virtual absl::StatusOr<std::unique_ptr<Program>> Compile(
      const Graph& graph, const PrecisionPolicy& policy,
      const CompileOptions& options) = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_BACKEND_H_
