#include "experiments/fig3/fig3.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv, "Analyses the runs of //experiments/fig3 into a report.",
      repro16::AnalyseFigure3);
}
