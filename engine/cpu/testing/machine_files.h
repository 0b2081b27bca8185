// For tests of what is read from a machine's files.
#ifndef REPRO16_ENGINE_CPU_TESTING_MACHINE_FILES_H_
#define REPRO16_ENGINE_CPU_TESTING_MACHINE_FILES_H_

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace repro16 {

// A machine's files, in a folder of their own.
class MachineFiles {
 public:
  explicit MachineFiles(const std::string& name)
      : root_(testing::TempDir() + "/" + name + "/") {}

  MachineFiles& Add(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return *this;
  }

  // Ends with a slash.
  const std::string& root() const { return root_; }

 private:
  std::string root_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_TESTING_MACHINE_FILES_H_
