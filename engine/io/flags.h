// The command line of every program of the project.
#ifndef REPRO16_ENGINE_IO_FLAGS_H_
#define REPRO16_ENGINE_IO_FLAGS_H_

#include <string>
#include <string_view>
#include <vector>

namespace repro16 {

// Sets the Abseil flags from the command line. Does not return for --help and
// its kin (prints `usage` and the flags; exit status 0), nor for a flag that is
// unknown or has a bad value, nor for an argument that is not a flag (one line
// on standard error; exit status 2, as for all bad input).
void ParseFlags(int argc, char** argv, std::string_view usage);

// The same, of a program that takes arguments beside its flags: those, in
// order.
std::vector<std::string> ParseArguments(int argc, char** argv,
                                        std::string_view usage);

}  // namespace repro16

#endif  // REPRO16_ENGINE_IO_FLAGS_H_
