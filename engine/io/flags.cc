#include "engine/io/flags.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/match.h"
#include "engine/io/terminal.h"

namespace repro16 {
namespace {

// Abseil leaves by exit(1), for help as for errors. While flags are parsed,
// this handler turns that into our status.
int status_of_exit = 0;
bool parsing = false;

void LeaveWithOurStatus() {
  if (!parsing) return;
  std::cout.flush();
  std::fflush(nullptr);
  _exit(status_of_exit);
}

bool AsksForHelp(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (absl::StartsWith(argument, "--help") ||
        absl::StartsWith(argument, "-help") || argument == "--version") {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> ParseArguments(int argc, char** argv,
                                        std::string_view usage) {
  absl::SetProgramUsageMessage(usage);
  status_of_exit = AsksForHelp(argc, argv) ? 0 : 2;
  parsing = true;
  std::atexit(LeaveWithOurStatus);
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  parsing = false;
  return {rest.begin() + 1, rest.end()};
}

void ParseFlags(int argc, char** argv, std::string_view usage) {
  const std::vector<std::string> rest = ParseArguments(argc, argv, usage);
  if (!rest.empty()) {
    PrintFormat(stderr, "error: %s: unexpected argument; flags begin with --\n",
                rest[0]);
    std::exit(2);
  }
}

}  // namespace repro16
