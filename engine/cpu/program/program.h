// A graph compiled for the CPU.
#ifndef REPRO16_ENGINE_CPU_PROGRAM_PROGRAM_H_
#define REPRO16_ENGINE_CPU_PROGRAM_PROGRAM_H_

#include <array>
#include <cstdint>
#include <vector>

#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/program/program_plan.h"
#include "engine/graph/backend.h"
#include "engine/graph/binding.h"
#include "engine/graph/loss_scale.h"
#include "engine/graph/program_layout.h"
#include "engine/tensor/buffer.h"

namespace repro16 {

// Work is done when a call returns: there is nothing to wait for.
class CpuProgram : public Program {
 public:
  // `pool` outlives the program.
  CpuProgram(ProgramPlan plan, const PrecisionPolicy& policy,
             const CompileOptions& options, ThreadPool* pool);

  absl::Status SetInputTable(const std::array<double, 256>& table) override;
  absl::Status TrainStep(const BatchSource& source, int64_t first,
                         int64_t batch, int64_t step) override;
  absl::Status EvaluateBatch(const BatchSource& source, int64_t first,
                             int64_t batch,
                             DeviceBuffer* probabilities) override;
  absl::Status Synchronize() override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<BatchRecord>> TakeRecords() override;

  absl::Status WriteInput(absl::Span<const uint8_t> bytes) override;
  absl::Status Forward(int64_t batch, bool training) override;
  absl::Status Backward(int64_t batch) override;
  absl::Status Update() override;

  absl::StatusOr<std::vector<uint8_t>> ReadTensor(TensorId id,
                                                  int64_t batch) override;
  absl::Status WriteOutputGradient(absl::Span<const uint8_t> bytes) override;
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
  absl::StatusOr<UpdateState> ReadUpdateState() override { return state_; }
  absl::Status WriteUpdateState(const UpdateState& state) override;
  ProgramMemory memory() const override { return plan_.memory(); }
  std::vector<OperationTime> operation_times() const override {
    return operation_times_;
  }

 private:
  // Elements [begin, begin + n) of a parameter: one task of an update.
  struct UpdateTask {
    ParameterId parameter;
    int64_t begin;
    int64_t n;
  };

  BoundPass Bind(const PassLayout& layout, std::vector<StoreCounter>& counters);
  void ListUpdateTasks();

  // Whether the process has the instruction set that the plan was made for.
  absl::Status CheckTarget() const;
  // That, and CheckPass.
  absl::Status CheckReady(int64_t batch, bool trains) const;
  // That, and CheckBatch.
  absl::Status CheckReadyFor(const BatchSource& source, int64_t first,
                             int64_t batch, bool trains) const;
  // Fills the input and the labels of the pass.
  absl::Status Gather(const BoundPass& pass, const BatchSource& source,
                      int64_t first, int64_t batch);
  PassContext Context(int64_t batch, bool training);
  void RunSteps(BoundPass& pass, int begin, int end,
                const PassContext& context);
  void RunStep(BoundPass& pass, int index, const PassContext& context);
  void BeginPass(BoundPass& pass);
  void ApplyUpdate();
  float MeanLoss(const BoundPass& pass, int64_t batch) const;
  // Of the passes; the counts of the update come later.
  StepRecord Record(const BoundPass& pass, int64_t batch) const;
  void Keep(const StepRecord& record);

  const ProgramPlan plan_;
  const Graph& graph_;  // of the plan
  const PrecisionPolicy policy_;
  const CompileOptions options_;
  ThreadPool* const pool_;

  AlignedBuffer arena_, kept_, copies_, gradients_, slots_;
  AlignedBuffer workspace_, saved_, input_table_;
  std::vector<BoundParameter> parameters_;  // by ParameterId
  std::vector<StoreCounter> training_counters_, evaluation_counters_;
  BoundPass training_, evaluation_;
  std::vector<UpdateTask> update_tasks_;
  std::vector<StoreCounter> task_counters_;  // by UpdateTask
  std::vector<int64_t> examples_;            // of the batch, in the source
  std::vector<uint8_t> labels_;              // theirs
  std::vector<uint8_t> input_;               // of WriteInput

  UpdateState state_;
  int64_t step_ = 0;
  int64_t correct_ = 0;
  const BoundPass* last_pass_ = nullptr;
  std::vector<StepRecord> records_;
  // Of each record its sites' counters, where tensors are recorded.
  std::vector<std::vector<StoreCounter>> recorded_counters_;
  std::vector<OperationTime> operation_times_;  // by operation, or empty
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_PROGRAM_PROGRAM_H_
