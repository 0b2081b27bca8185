#include "experiments/fig4/fig4.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv, "Analyses the runs of //experiments/fig4 into a report.",
      repro16::AnalyseFigure4);
}
