#include "experiments/lemma1/cifar10/lemma1_cifar10.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv,
      "Analyses the runs of //experiments/lemma1/cifar10 into a report.",
      repro16::AnalyseLemma1Cifar10);
}
