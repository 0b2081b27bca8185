#include "experiments/table3/table3.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv, "Analyses the runs of //experiments/table3 into a report.",
      repro16::AnalyseTable3);
}
