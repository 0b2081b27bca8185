// Runs a case's graph on a backend and keeps everything that it computed.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_CASE_RUN_H_
#define REPRO16_ENGINE_GRAPH_TESTING_CASE_RUN_H_

#include <cstdint>
#include <vector>

#include "engine/graph/backend.h"
#include "engine/graph/testing/op_case.h"
#include "engine/graph/testing/op_reference.h"
#include "engine/numerics/policy.h"

namespace repro16 {

using Bytes = std::vector<uint8_t>;

// Everything that a pass left in memory, as stored. Empty where there is none.
struct PassBytes {
  std::vector<Bytes> tensors;              // by TensorId
  std::vector<Bytes> gradients;            // by TensorId
  std::vector<Bytes> parameter_gradients;  // by ParameterId
  std::vector<Bytes> parameters;           // by ParameterId, after the pass
};

// An inference pass, then forward and backward passes of training, on random
// inputs, parameters and upstream gradients. The parameters do not move (their
// learning rate is 0), moving statistics do.
class CaseRun {
 public:
  // The backend outlives the run.
  CaseRun(Backend& backend, const Graph& graph, const PrecisionPolicy& policy,
          int64_t batch, double input_scale = 1,
          InputKind input_kind = InputKind::kUniform);

  const Graph& graph() const { return graph_; }
  const PassBytes& bytes(bool training) const {
    return training ? training_ : inference_;
  }

  // In f64, exactly as stored.
  Values Tensor(TensorId id, bool training) const;
  Values Gradient(TensorId id) const;
  Values ParameterGradient(ParameterId id) const;
  // As operations read it; before the passes.
  Values AsRead(ParameterId id) const { return parameters_[id]; }
  // As kept, before and after the training pass.
  Values StoredBefore(ParameterId id) const;
  Values StoredAfter(ParameterId id) const;

  DType TypeOf(TensorId id) const;
  DType StoredType(ParameterId id) const;
  DType GradientType(ParameterId id) const;

  // For EvaluateOp and EvaluateGraph.
  ReferencePass Reference(bool training) const;
  // d(what the backward pass starts from) / d(loss of one example).
  double LossGradient() const { return loss_gradient_; }

 private:
  void WriteParameters();
  void WriteInput(double scale);
  void Run(bool training);
  void RunWithLoss(bool training);
  void RunWithoutLoss(bool training);
  PassBytes Read(bool training);

  Backend& backend_;
  const Graph graph_;
  const PrecisionPolicy policy_;
  const int64_t batch_;
  const InputKind input_kind_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<DeviceBuffer> images_, labels_on_device_;
  std::vector<uint8_t> labels_;
  Bytes input_;
  std::vector<Values> parameters_;
  double loss_gradient_ = 0;
  PassBytes inference_, training_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_CASE_RUN_H_
