#include "experiments/beyond/batch_norm/batch_norm.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv,
      "Analyses the study of //experiments/beyond/batch_norm into a report.",
      repro16::AnalyseBatchNorm);
}
