#include "experiments/table2/table2.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv, "Analyses the runs of //experiments/table2 into a report.",
      repro16::AnalyseTable2);
}
