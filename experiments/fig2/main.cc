#include "experiments/fig2/fig2.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv, "Analyses the runs of //experiments/fig2 into a report.",
      repro16::AnalyseFigure2);
}
