// A report as a sequence of blocks: what is shown, in which order and in which
// words. The renderers know blocks only, so that the terminal, Markdown and the
// page all say the same.
#ifndef REPRO16_REPORTS_DOCUMENT_H_
#define REPRO16_REPORTS_DOCUMENT_H_

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/io/terminal.h"
#include "reports/format.h"
#include "reports/report.pb.h"

namespace repro16 {

// One line inside a table cell.
struct CellLine {
  enum class Style { kPlain, kSmall, kVerdict, kWarning };
  std::string text;
  Style style = Style::kPlain;
  report::Verdict verdict = report::VERDICT_NONE;  // of a kVerdict line
  std::string link = {};  // address, relative to the page; empty: none
};
using GridCell = std::vector<CellLine>;

struct Heading {
  std::string text;
};

struct Paragraph {
  std::string text;
};

// Names with their values, e.g. the provenance.
struct Facts {
  std::vector<std::pair<std::string, std::string>> rows;
};

struct Grid {
  struct Column {
    std::string title;
    bool numeric = false;  // aligned to the right
  };
  std::string title;    // may be empty
  std::string caption;  // may be empty
  std::vector<Column> columns;
  std::vector<std::vector<GridCell>> rows;
  // On a narrow page each row becomes a card; else the table scrolls there.
  bool cards = false;
  // Many rows that few read: closed at first, and on the terminal the caption
  // alone.
  bool folded = false;
  std::vector<std::string> files = {};  // that have its data, beside the page
};

// Refers to the report that the document was made from.
struct Chart {
  const report::Figure* figure;
};

struct Callout {
  report::Finding::Kind kind;
  std::string label;  // the kind in words, e.g. "Contradiction"
  std::string title;
  std::string text;
  std::string place;
};

struct Command {
  std::string text;
};

using Block =
    std::variant<Heading, Paragraph, Facts, Grid, Chart, Callout, Command>;

struct Document {
  std::string title;
  std::vector<std::string> answer;
  std::string headline;  // Headline()
  std::string badge;     // ScaleBadge()
  std::string scale;
  Tally tally;
  std::string claim;  // what the paper says, and where
  std::string claim_place;
  std::vector<Block> blocks;
};

// `report` must outlive the document.
Document DocumentOf(const report::Report& report);

// What render.h says, of any document.
std::string TerminalOf(const Document& document, const Terminal& terminal);
std::string MarkdownOf(const Document& document,
                       const std::map<std::string, std::string>& charts);
std::string HtmlOf(const Document& document,
                   const std::map<std::string, std::string>& charts);

}  // namespace repro16

#endif  // REPRO16_REPORTS_DOCUMENT_H_
