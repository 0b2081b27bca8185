#include "experiments/fig1/fig1.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv, "Analyses the runs of //experiments/fig1 into a report.",
      repro16::AnalyseFigure1);
}
