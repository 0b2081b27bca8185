#include "models/describe.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/graph/cost.h"
#include "engine/numerics/policy.h"

namespace repro16 {
namespace {

int64_t ParametersOf(const Graph& graph, const Op& op) {
  int64_t count = 0;
  for (ParameterId id : op.parameters) {
    count += graph.parameters[id].shape.NumElements();
  }
  return count;
}

// 1234567 as "1,234,567".
std::string Grouped(int64_t n) {
  std::string digits = absl::StrCat(n);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return digits;
}

// Cells by row, in columns two blanks apart; the columns in [first, last) flush
// right.
std::string Align(const std::vector<std::vector<std::string>>& rows,
                  size_t first, size_t last) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], row[c].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string blanks(widths[c] - row[c].size(), ' ');
      const bool right = c >= first && c < last;
      absl::StrAppend(&line, c > 0 ? "  " : "", right ? blanks : "", row[c],
                      right ? "" : blanks);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::string Megabytes(int64_t bytes) {
  return absl::StrFormat("%.2f", static_cast<double>(bytes) / 1e6);
}

}  // namespace

std::string DescribeLayers(const Graph& graph) {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "kind", "output", "parameters", "multiply-adds", "reads"}};
  for (const Op& op : graph.ops) {
    std::vector<std::string> reads;
    for (TensorId id : op.inputs) reads.push_back(graph.tensors[id].name);
    rows.push_back({op.name, std::string(TraitsOf(op.kind).name),
                    graph.tensors[op.output].shape.ToString(),
                    Grouped(ParametersOf(graph, op)),
                    Grouped(MultiplyAdds(graph, op)),
                    absl::StrJoin(reads, ", ")});
  }
  rows.push_back({"total", "", "", Grouped(graph.ParameterCount()),
                  Grouped(ForwardMultiplyAdds(graph)), ""});
  return Align(rows, 3, 5);
}

absl::StatusOr<std::string> DescribeMemory(const Graph& graph, int64_t batch,
                                           Backend& backend) {
  CompileOptions options;
  options.max_batch = batch;
  options.optimizer.emplace().mutable_sgd()->set_learning_rate(0.01);
  options.optimizer->mutable_sgd()->set_momentum(0.9);
  std::vector<std::vector<std::string>> rows = {{"policy", "arena", "workspace",
                                                 "parameters", "gradients",
                                                 "slots", "total"}};
  for (const PrecisionPolicy& policy : AllPolicies()) {
    const auto memory = backend.Plan(graph, policy, options);
    if (!memory.ok()) return memory.status();
    std::vector<std::string> row = {std::string(policy.name)};
    for (int64_t bytes : {memory->arena, memory->workspace, memory->parameters,
                          memory->gradients, memory->slots, memory->Total()}) {
      row.push_back(Megabytes(bytes));
    }
    rows.push_back(std::move(row));
  }
  return Align(rows, 1, 7);
}

std::string DrawGraph(const Graph& graph) {
  std::string text =
      "digraph network {\n"
      "  node [shape=box, fontname=\"sans-serif\"];\n";
  const auto draw_node = [&](const std::string& name, std::string_view label) {
    absl::StrAppend(&text, "  \"", name, "\" [label=\"", label, "\"];\n");
  };
  draw_node("input", "input");
  for (const Op& op : graph.ops) {
    const int64_t parameters = ParametersOf(graph, op);
    draw_node(op.name, parameters == 0
                           ? op.name
                           : absl::StrCat(op.name, "\\n", Grouped(parameters)));
  }
  for (const Op& op : graph.ops) {
    for (TensorId id : op.inputs) {
      const Tensor& tensor = graph.tensors[id];
      absl::StrAppend(&text, "  \"", tensor.name, "\" -> \"", op.name,
                      "\" [label=\"", tensor.shape.ToString(), "\"];\n");
    }
  }
  return absl::StrCat(text, "}\n");
}

}  // namespace repro16
