// How a document is put together; of use to document*.cc and screen.cc alone.
#ifndef REPRO16_REPORTS_DOCUMENT_PARTS_H_
#define REPRO16_REPORTS_DOCUMENT_PARTS_H_

#include <string>
#include <utility>
#include <vector>

#include "reports/document.h"
#include "reports/report.pb.h"

namespace repro16 {

inline constexpr CellLine::Style kSmall = CellLine::Style::kSmall;

inline void AddLine(std::string text, CellLine::Style style, GridCell& cell) {
  if (!text.empty()) cell.push_back({std::move(text), style});
}

inline void AddCommand(const std::string& command, std::vector<Block>& blocks) {
  if (!command.empty()) blocks.push_back(Command{command});
}

// Title, answer, tally, badge and claim, and no blocks.
Document StartDocument(const report::Report& report);

// The tables of the paper with ours beside them, and all others.
std::vector<const report::Table*> MainTables(const report::Report& report);
std::vector<const report::Table*> OtherTables(const report::Report& report);

// The statements that are counted, or those that are only shown, in the order
// in which they are read: what differs must not hide under what matches.
std::vector<const report::Expectation*> Statements(const report::Report& report,
                                                   bool counted);

// What the runs took and did, and where they come from; each with its heading.
void AddRounding(const report::Report& report, std::vector<Block>& blocks);
void AddTiming(const report::Report& report, std::vector<Block>& blocks);
void AddMemory(const report::Report& report, std::vector<Block>& blocks);
void AddRuns(const report::Report& report, std::vector<Block>& blocks);
void AddProvenance(const report::Report& report, std::vector<Block>& blocks);

}  // namespace repro16

#endif  // REPRO16_REPORTS_DOCUMENT_PARTS_H_
