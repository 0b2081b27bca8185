// A graph compiled for a GPU, or for the emulator.
#ifndef REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_H_
#define REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "engine/cuda/elementwise/update_kernels.h"
#include "engine/cuda/operation.h"
#include "engine/cuda/program/device_buffer.h"
#include "engine/cuda/program/program_plan.h"
#include "engine/cuda/runtime/runtime.h"
#include "engine/graph/backend.h"
#include "engine/graph/binding.h"
#include "engine/graph/step_record.h"

namespace repro16::cuda {

// The work of a training step or of an evaluated batch is recorded once for
// each size of batch and source, and replayed: no allocation, no host read.
// State, counters and records stay on the device; only the check of a batch's
// labels and order reads them on the host, once after each upload.
class CudaProgram : public Program {
 public:
  // Takes all memory that the program ever has. The runtime outlives it.
  static absl::StatusOr<std::unique_ptr<Program>> Create(
      ProgramPlan plan, const PrecisionPolicy& policy,
      const CompileOptions& options, Runtime* runtime);

  absl::Status SetInputTable(const std::array<double, 256>& table) override;
  absl::Status TrainStep(const BatchSource& source, int64_t first,
                         int64_t batch, int64_t step) override;
  absl::Status EvaluateBatch(const BatchSource& source, int64_t first,
                             int64_t batch,
                             DeviceBuffer* probabilities) override;
  absl::Status Synchronize() override { return stream_->Synchronize(); }
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
  absl::StatusOr<UpdateState> ReadUpdateState() override;
  absl::Status WriteUpdateState(const UpdateState& state) override;
  ProgramMemory memory() const override { return plan_.memory(); }
  std::vector<OperationTime> operation_times() const override {
    return operation_times_;
  }

 private:
  // A pass bound to its memory, with its sites on the device.
  struct DevicePass {
    BoundPass bound;
    const StoreSite* sites = nullptr;

    const PassLayout& layout() const { return *bound.layout; }
  };

  // The buffers of a batch on the device.
  struct Source {
    const uint8_t* images;
    const uint8_t* labels;
    const uint32_t* order;
  };

  // What recorded work depends on: training; examples; buffers.
  using WorkKey = std::tuple<bool, int64_t, const void*, const void*,
                             const void*, const void*>;

  CudaProgram(ProgramPlan plan, const PrecisionPolicy& policy,
              const CompileOptions& options, Runtime* runtime);

  // --- program_memory.cc: once, when the program is compiled
  absl::Status TakeMemory();
  absl::StatusOr<uint8_t*> Take(int64_t bytes);
  template <class T>
  absl::StatusOr<T*> TakeCopy(const std::vector<T>& host);
  absl::Status TakeBlocks();
  absl::Status TakeRecordMemory();
  absl::Status BindPasses();
  absl::Status PrepareUpdate();

  // --- program.cc
  absl::StatusOr<Source> Check(const BatchSource& source, int64_t first,
                               int64_t batch, bool trains) const;
  PassContext Context(int64_t batch, bool training);
  void RunSteps(const DevicePass& pass, int begin, int end, int64_t batch);
  void RunStep(const DevicePass& pass, int index, const PassContext& context);
  void ClearCounters(const DevicePass& pass);
  void EnqueuePass(const DevicePass& pass, const Source& source, int64_t batch);
  void EnqueueEndOfPass(const DevicePass& pass, int64_t batch);
  void KeepCounters(const DevicePass& pass);
  void EnqueueUpdate(const StepState* step);
  void EnqueueTrainStep(const Source& source, int64_t batch);
  void EnqueueEvaluation(const Source& source, int64_t batch,
                         uint8_t* probabilities);
  // Replays what `enqueue` records under `key`, or recorded before.
  absl::Status Run(const WorkKey& key, const std::function<void()>& enqueue);
  absl::Status BeginRecord(int64_t first, int64_t step);
  absl::Status FetchRecords();

  // --- program_access.cc
  absl::StatusOr<std::vector<uint8_t>> Read(const TensorRef& from,
                                            int64_t count);
  absl::Status Write(absl::Span<const uint8_t> bytes, const TensorRef& to);

  const ProgramPlan plan_;
  const Graph& graph_;  // of the plan
  const PrecisionPolicy policy_;
  const CompileOptions options_;
  Runtime* const runtime_;
  const Kernels& kernels_;

  std::vector<DeviceMemory> memory_;
  ProgramBlocks blocks_{};
  uint8_t* saved_ = nullptr;
  uint8_t* workspace_ = nullptr;
  uint8_t* input_table_ = nullptr;
  uint8_t* labels_ = nullptr;  // of the batch
  StepState* state_ = nullptr;
  StepRecord* records_ = nullptr;            // [record_capacity_]
  StoreCounter* record_counters_ = nullptr;  // [.., record_sites_], or null
  int record_capacity_ = 0;
  int record_sites_ = 0;
  UpdateRule* rules_ = nullptr;
  int num_rules_ = 0;
  UpdateParametersArgs update_{};

  std::vector<BoundParameter> parameters_;
  DevicePass training_, evaluation_;

  // After the memory that its work uses; recorded work ends before it does.
  std::unique_ptr<DeviceStream> stream_;
  std::map<WorkKey, std::unique_ptr<RecordedWork>> recorded_;

  std::vector<uint8_t> input_;  // of WriteInput
  const DevicePass* last_pass_ = nullptr;
  int64_t waiting_records_ = 0;  // on the device
  std::vector<StepRecord> fetched_;
  std::vector<StoreCounter> fetched_counters_;  // record_sites_ of each
  std::vector<OperationTime> operation_times_;  // by operation, or empty
};

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_H_
