// A graph compiled for the CPU.
#ifndef REPRO16_ENGINE_CPU_PROGRAM_H_
#define REPRO16_ENGINE_CPU_PROGRAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/cpu/kernel.h"
#include "engine/cpu/optimizer.h"
#include "engine/graph/backend.h"
#include "engine/graph/loss_scale.h"
#include "engine/graph/schedule.h"
#include "engine/tensor/buffer.h"

namespace repro16 {

class CpuProgram : public Program {
 public:
  // `pool` outlives the program.
  CpuProgram(const Graph& graph, const PrecisionPolicy& policy,
             const CompileOptions& options, ThreadPool* pool);

  absl::Status SetInputTable(const std::array<double, 256>& table) override;
  absl::Status TrainStep(const BatchSource& source, int64_t first,
                         int64_t batch, int64_t step, Stream& stream) override;
  absl::Status EvaluateBatch(const BatchSource& source, int64_t first,
                             int64_t batch, DeviceBuffer* probabilities,
                             Stream& stream) override;
  absl::StatusOr<std::vector<BatchRecord>> TakeRecords(Stream& stream) override;

  absl::Status Forward(int64_t batch, bool training, Stream& stream) override;
  absl::Status Backward(int64_t batch, Stream& stream) override;
  absl::Status Update(Stream& stream) override;

  absl::Status WriteTensor(TensorId id,
                           absl::Span<const uint8_t> bytes) override;
  absl::StatusOr<std::vector<uint8_t>> ReadTensor(TensorId id,
                                                  int64_t batch) override;
  absl::Status WriteGradient(TensorId id,
                             absl::Span<const uint8_t> bytes) override;
  absl::StatusOr<std::vector<uint8_t>> ReadGradient(TensorId id,
                                                    int64_t batch) override;
  DType ParameterType(ParameterId id) const override;
  absl::Status WriteParameter(ParameterId id,
                              absl::Span<const uint8_t> bytes) override;
  absl::StatusOr<std::vector<uint8_t>> ReadParameter(ParameterId id) override;
  absl::StatusOr<std::vector<uint8_t>> ReadParameterGradient(
      ParameterId id) override;
  int num_slots() const override;
  absl::StatusOr<std::vector<uint8_t>> ReadSlot(ParameterId id,
                                                int slot) override;
  absl::Status WriteSlot(ParameterId id, int slot,
                         absl::Span<const uint8_t> bytes) override;
  UpdateState update_state() const override;
  void SetUpdateState(const UpdateState& state) override;
  ProgramMemory memory() const override { return memory_; }
  std::vector<OperationTime> operation_times() const override {
    return operation_times_;
  }

 private:
  // A tensor that a pass stores, and what the stores did.
  struct Store {
    RoundingTotals::Kind kind;
    const StoreCounter* counter;
    int64_t elements;
    bool per_example;  // elements are those of one example
    std::string name;
  };

  // A schedule with every tensor bound to its place in the arena.
  struct Bound {
    Schedule schedule;
    std::vector<TensorRef> values;             // by ValueId
    std::vector<OpBuffers> buffers;            // by step
    std::vector<Store> stores;                 // in order of computation
    std::vector<StoreCounter> value_counters;  // by ValueId
    std::vector<StoreCounter> sum_counters;    // by step, of kAccumulate
  };

  // Elements [begin, begin + n) of a parameter: one task of an update.
  struct UpdateTask {
    ParameterId parameter;
    int64_t begin;
    int64_t n;
  };

  // Operations read a copy of the parameter that is rounded to the activation
  // type.
  bool HasCopy(size_t parameter) const {
    return read_parameters_[parameter].data != parameters_[parameter].data;
  }

  void PlaceParameters();
  void PlaceTensors();
  void PlaceScratch();
  void Bind(Bound& bound, const std::vector<int64_t>& offsets);
  void PlaceSaved();
  OpBuffers BuffersOf(const Bound& bound, const Step& step) const;
  void ListStores(Bound& bound) const;
  DType TypeOf(TensorId id) const;
  // The operation that writes it; "input".
  const std::string& WriterOf(TensorId tensor) const;

  absl::Status CheckBatch(const BatchSource& source, int64_t first,
                          int64_t batch, bool trains) const;
  void Gather(const Bound& bound, const BatchSource& source, int64_t first,
              int64_t batch);
  PassContext Pass(int64_t batch, bool training);
  void RunSteps(Bound& bound, int begin, int end, const PassContext& pass);
  void RunStep(Bound& bound, int index, const PassContext& pass);
  void ApplyUpdate();
  void ResetCounters();
  float MeanLoss(const Bound& bound, int64_t batch) const;
  // Of the passes; the counts of the update come later.
  BatchRecord Record(const Bound& bound, int64_t batch) const;
  void AddParameterCounts(BatchRecord& record) const;
  absl::Status CheckPass(int64_t batch, bool trains) const;

  Graph graph_;  // as compiled: with fused operations
  const PrecisionPolicy policy_;
  const CompileOptions options_;
  ThreadPool* const pool_;
  std::vector<std::unique_ptr<Kernel>> kernels_;  // by operation
  std::vector<uint8_t*> saved_of_;                // by operation

  // By parameter. read_parameters_ is what operations see: the same memory
  // unless MP.
  std::vector<TensorRef> parameters_, read_parameters_, gradients_, slots_[2];
  std::vector<StoreCounter> parameter_counters_, gradient_counters_;
  std::vector<UpdateTask> update_tasks_;

  Bound training_, evaluation_;
  AlignedBuffer parameter_memory_, read_parameter_memory_, gradient_memory_,
      slot_memory_;
  AlignedBuffer arena_, workspace_, saved_, input_table_;
  std::vector<StoreCounter> task_counters_;  // by UpdateTask
  std::vector<uint8_t> labels_;

  UpdateState state_;
  int64_t step_ = 0;
  int64_t correct_ = 0;
  const Bound* last_pass_ = nullptr;
  std::vector<BatchRecord> records_;
  ProgramMemory memory_;
  std::vector<OperationTime> operation_times_;  // by operation, or empty
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_PROGRAM_H_
