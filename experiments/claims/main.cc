#include "experiments/claims/claims.h"

int main(int argc, char** argv) {
  return repro16::AnalysisMain(
      argc, argv,
      "Makes the report of //experiments/claims from those of the others.",
      repro16::AnalyseClaims);
}
