#include "experiments/fig1/cifar10/fig1_cifar10.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv,
      "Analyses the runs of //experiments/fig1/cifar10 into a report.",
      repro16::AnalyseFigure1Cifar10);
}
