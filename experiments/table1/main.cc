#include "experiments/table1/table1.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv, "Makes the report of //experiments/table1 from its probes.",
      repro16::AnalyseTable1);
}
