#include "experiments/lemma1/lemma1.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv, "Analyses the runs of //experiments/lemma1 into a report.",
      repro16::AnalyseLemma1);
}
