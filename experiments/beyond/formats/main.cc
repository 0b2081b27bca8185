#include "experiments/beyond/formats/formats.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv,
      "Analyses the runs of //experiments/beyond/formats into a report.",
      repro16::AnalyseFormats);
}
