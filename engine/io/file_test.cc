#include "engine/io/file.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

// A fresh folder for each test.
class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/file_test_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }

  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }

  std::vector<std::string> Entries() const {
    std::vector<std::string> names;
    DIR* folder = opendir(folder_.c_str());
    while (const dirent* entry = readdir(folder)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    closedir(folder);
    return names;
  }

  std::string folder_;
};

TEST_F(FileTest, RoundTrip) {
  std::string contents(100000, 'x');
  contents[7] = '\0';
  contents[8] = '\n';
  ASSERT_TRUE(WriteFileAtomically(Path("a"), contents).ok());
  EXPECT_EQ(*ReadFile(Path("a")), contents);
  EXPECT_EQ(Entries(), std::vector<std::string>{"a"});
}

TEST_F(FileTest, ReplacesAndWritesEmptyFiles) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "first and longer").ok());
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "second").ok());
  EXPECT_EQ(*ReadFile(Path("a")), "second");
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "").ok());
  EXPECT_EQ(*ReadFile(Path("a")), "");
}

TEST_F(FileTest, HonoursTheUmask) {
  const mode_t before = umask(027);
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "x").ok());
  umask(before);
  struct stat info;
  ASSERT_EQ(stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(FileTest, MissingFile) {
  const absl::Status status = ReadFile(Path("none")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(),
            Path("none") +
                ": cannot be read: No such file or directory; check the path");
}

TEST_F(FileTest, FolderIsNotAFile) {
  EXPECT_EQ(
      ReadFile(folder_).status().message(),
      folder_ + ": cannot be read: Is a directory; name a file in a folder");
  EXPECT_EQ(
      WriteFileAtomically(folder_, "x").message(),
      folder_ + ": cannot be written: it is not a regular file; name a file");
}

TEST_F(FileTest, DeviceIsNotReplaced) {
  EXPECT_EQ(WriteFileAtomically("/dev/null", "x").code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(FileTest, MissingFolder) {
  EXPECT_EQ(
      WriteFileAtomically(Path("none/a"), "x").message(),
      Path("none/a") +
          ": cannot be written: No such file or directory; check the path");
}

TEST_F(FileTest, FileWhereAFolderShouldBe) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "x").ok());
  EXPECT_EQ(WriteFileAtomically(Path("a/b"), "x").message(),
            Path("a/b") +
                ": cannot be written: Not a directory; name a file in a "
                "folder");
}

// A limit on the size of files stops a write midway, as a full disk does.
TEST_F(FileTest, WriteThatFailsMidwayLeavesTheOldFileAlone) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "old").ok());
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::Status status =
      WriteFileAtomically(Path("a"), std::string(5000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);

  EXPECT_EQ(status.message(), Path("a") +
                                  ": cannot be written: File too large; free "
                                  "space there or choose another folder");
  EXPECT_EQ(*ReadFile(Path("a")), "old");
  EXPECT_EQ(Entries(), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace repro16
