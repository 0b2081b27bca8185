// What a backend is: memory on a device, and programs compiled from graphs.
//
// Nothing above this interface names a backend, and no signature of a training
// step takes host memory: a run uploads its data once, enqueues steps, and
// downloads what they recorded.
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
#include "engine/graph/batch_record.h"
#include "engine/graph/graph.h"
#include "engine/graph/loss_scale.h"
#include "engine/numerics/policy.h"
#include "engine/run/run.pb.h"

namespace repro16 {

// Memory on the device. Freed with the object.
class DeviceBuffer {
 public:
  virtual ~DeviceBuffer() = default;
  virtual int64_t bytes() const = 0;
};

// Where the examples of a batch come from: buffers of the backend that compiled
// the program, which outlive the work that reads them. Each label is below the
// network's classes, each order[i] below the number of labels; a step that
// meets another is refused, or told when its record is taken.
struct BatchSource {
  const DeviceBuffer* images;  // u8 [count, H, W, C]
  const DeviceBuffer* labels;  // u8 [count]
  // u32: example i of the pass is images[order[i]]. Null: i itself.
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
// A program owns the order of its work: what its calls enqueue runs in the
// order of the calls, and a call that hands out bytes or records waits for it.
// A training step enqueues without waiting: whether the update is made, the
// loss scale, Adam's t, counters and the record stay on the device until they
// are taken.
//
// The example-level calls (TrainStep, EvaluateBatch) are what trainers use. The
// tensor-level calls are for tests, parity checks and exports: bytes are in the
// storage type of the policy (storage_type.h), row-major, batch axis first.
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
                                 int64_t batch, int64_t step) = 0;

  // Enqueues a forward pass in inference mode. `probabilities`, if given,
  // receives [count, classes] in the activation type, at row `first`.
  virtual absl::Status EvaluateBatch(const BatchSource& source, int64_t first,
                                     int64_t batch,
                                     DeviceBuffer* probabilities) = 0;

  // Returns when all that was enqueued has run; reports what failed there.
  virtual absl::Status Synchronize() = 0;

  // The records of all batches since the last call, in order. Synchronizes.
  virtual absl::StatusOr<std::vector<BatchRecord>> TakeRecords() = 0;

  // Tensor level: the values of the graph's input, for the passes that follow;
  // whole examples, at most max_batch.
  virtual absl::Status WriteInput(absl::Span<const uint8_t> bytes) = 0;
  // One pass over the first `batch` examples that WriteInput was given.
  virtual absl::Status Forward(int64_t batch, bool training) = 0;
  // In a graph without a loss, after WriteOutputGradient.
  virtual absl::Status Backward(int64_t batch) = 0;
  virtual absl::Status Update() = 0;

  // After a pass of a program compiled with keep_all_tensors.
  virtual absl::StatusOr<std::vector<uint8_t>> ReadTensor(TensorId id,
                                                          int64_t batch) = 0;
  // Of Graph::output, where the graph has no loss: whole examples.
  virtual absl::Status WriteOutputGradient(absl::Span<const uint8_t> bytes) = 0;
  // As ReadTensor. NotFound: the tensor has none.
  virtual absl::StatusOr<std::vector<uint8_t>> ReadGradient(TensorId id,
                                                            int64_t batch) = 0;

  // Parameters as the optimizer keeps them (in MP the f32 master). What is
  // written has the parameter's very size.
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
  // Waits for what was enqueued.
  virtual absl::StatusOr<UpdateState> ReadUpdateState() = 0;
  virtual absl::Status WriteUpdateState(const UpdateState& state) = 0;

  virtual ProgramMemory memory() const = 0;

  // By operation; empty unless compiled with time_operations.
  virtual std::vector<OperationTime> operation_times() const = 0;
};

// Outlives its programs and buffers.
class Backend {
 public:
  virtual ~Backend() = default;

  // E.g. the processor's name and the number of threads.
  virtual std::string device() const = 0;
  // Which of its own forms the backend runs in, e.g. the instruction set.
  virtual std::string variant() const = 0;
  // f32 operations a second that its multiply-add units give (a multiply-add is
  // two), measured now: the yardstick of benchmarks. Takes about 0.1 s.
  virtual double MultiplyAddCeiling() = 0;
  // Bytes of memory that the device could give now.
  virtual int64_t available_bytes() const = 0;
  // Whether that memory is what the host's own structures lie in, too.
  virtual bool shares_host_memory() const = 0;

  virtual absl::StatusOr<std::unique_ptr<DeviceBuffer>> Allocate(
      int64_t bytes) = 0;
  // Copies are complete on return. Out of range is an error.
  virtual absl::Status Upload(absl::Span<const uint8_t> from,
                              DeviceBuffer& to) = 0;
  virtual absl::Status Download(const DeviceBuffer& from,
                                absl::Span<uint8_t> to) = 0;

  // What Compile would take, without taking it.
  virtual absl::StatusOr<ProgramMemory> Plan(const Graph& graph,
                                             const PrecisionPolicy& policy,
                                             const CompileOptions& options) = 0;

  virtual absl::StatusOr<std::unique_ptr<Program>> Compile(
      const Graph& graph, const PrecisionPolicy& policy,
      const CompileOptions& options) = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_BACKEND_H_
