#include "engine/io/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

// What flock fails with; 0: nothing.
int flock_error = 0;

}  // namespace
}  // namespace repro16

// Takes the place of the C library's, to act a file system without locks.
extern "C" int flock(int descriptor, int operation) noexcept {
  if (repro16::flock_error != 0) {
    errno = repro16::flock_error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_flock, descriptor, operation));
}

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
    std::sort(names.begin(), names.end());
    return names;
  }

  using Names = std::vector<std::string>;

  void TearDown() override { flock_error = 0; }

  void Link(const std::string& target, const std::string& name) const {
    ASSERT_EQ(symlink(target.c_str(), Path(name).c_str()), 0);
  }

  bool IsLink(const std::string& name) const {
    struct stat info;
    return lstat(Path(name).c_str(), &info) == 0 && S_ISLNK(info.st_mode);
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

// A file of that name as another process has it open, locked or not.
int OpenFile(const std::string& path, bool locked) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT, 0666);
  EXPECT_GE(descriptor, 0);
  if (locked) {
    EXPECT_EQ(flock(descriptor, LOCK_EX), 0);
  }
  return descriptor;
}

TEST_F(FileTest, RemovesWhatAKilledWriterLeft) {
  // An open file that nobody has locked has no living writer either.
  const int dead = OpenFile(Path("a.tmp-17-0"), /*locked=*/false);
  const int other = OpenFile(Path("a.tmp-4194304-123"), /*locked=*/false);
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "x").ok());
  EXPECT_EQ(Entries(), Names{"a"});
  close(OpenFile(Path("a.tmp-17-0"), /*locked=*/false));
  ASSERT_TRUE(CheckWritable(Path("a")).ok());
  EXPECT_EQ(Entries(), Names{"a"});
  close(dead);
  close(other);
}

TEST_F(FileTest, LeavesTheNewFilesOfLivingWritersAndOtherNames) {
  const int living = OpenFile(Path("a.tmp-17-0"), /*locked=*/true);
  const Names others = {"a.tmp-",      "a.tmp-1",       "a.tmp-1-",
                        "a.tmp-1-2-3", "a.tmp-1-2.old", "a.tmp--1",
                        "a.tmp-x-1",   "b.tmp-1-2",     "ba.tmp-1-2"};
  for (const std::string& name : others) {
    close(OpenFile(Path(name), /*locked=*/false));
  }
  ASSERT_EQ(mkdir(Path("a.tmp-1-2").c_str(), 0777), 0);
  ASSERT_EQ(mkfifo(Path("a.tmp-1-3").c_str(), 0666), 0);
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "x").ok());
  Names left = others;
  left.insert(left.end(), {"a", "a.tmp-17-0", "a.tmp-1-2", "a.tmp-1-3"});
  std::sort(left.begin(), left.end());
  EXPECT_EQ(Entries(), left);
  close(living);
}

// Writers that remove leftovers all the time leave each other's files alone.
TEST_F(FileTest, ManyProcessesWriteOneFile) {
  constexpr int kWriters = 4;
  for (int writer = 0; writer < kWriters; ++writer) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child > 0) continue;
    bool good = true;
    for (int i = 0; i < 50; ++i) {
      good = good && WriteFileAtomically(Path("a"), "xyz").ok();
    }
    _exit(good ? 0 : 1);
  }
  for (int writer = 0; writer < kWriters; ++writer) {
    int status = -1;
    ASSERT_GT(wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(*ReadFile(Path("a")), "xyz");
  EXPECT_EQ(Entries(), Names{"a"});
}

TEST_F(FileTest, WritesThroughSymbolicLinks) {
  ASSERT_EQ(mkdir(Path("far").c_str(), 0777), 0);
  ASSERT_TRUE(WriteFileAtomically(Path("far/a"), "old").ok());
  Link("far/a", "relative");
  Link(Path("far/a"), "absolute");
  Link("relative", "twice");
  Link("far", "folder");
  for (const char* path : {"relative", "absolute", "twice", "folder/a"}) {
    ASSERT_TRUE(CheckWritable(Path(path)).ok()) << path;
    ASSERT_TRUE(WriteFileAtomically(Path(path), path).ok()) << path;
    EXPECT_EQ(*ReadFile(Path("far/a")), path);
    EXPECT_EQ(*ResolveOutput(Path(path)), *ResolveOutput(Path("far/a")));
  }
  for (const char* link : {"relative", "absolute", "twice", "folder"}) {
    EXPECT_TRUE(IsLink(link)) << link;
  }
  EXPECT_EQ(Entries(),
            (Names{"absolute", "far", "folder", "relative", "twice"}));
}

TEST_F(FileTest, ALinkToNoFileMakesIt) {
  Link("target", "link");
  ASSERT_TRUE(CheckWritable(Path("link")).ok());
  EXPECT_EQ(Entries(), Names{"link"});
  ASSERT_TRUE(WriteFileAtomically(Path("link"), "x").ok());
  EXPECT_TRUE(IsLink("link"));
  EXPECT_EQ(*ReadFile(Path("target")), "x");
}

TEST_F(FileTest, ANameOfNoFileIsRefused) {
  const std::string error =
      ": cannot be written: it names no file; name a file in a folder";
  EXPECT_EQ(ResolveOutput("").status().message(), "\"\"" + error);
  EXPECT_EQ(CheckWritable("").message(), "\"\"" + error);
  EXPECT_EQ(WriteFileAtomically("", "x").message(), "\"\"" + error);
  EXPECT_EQ(FileLock::Acquire("").status().message(), "\"\"" + error);
  EXPECT_EQ(ResolveOutput(Path("")).status().message(), Path("") + error);
  EXPECT_TRUE(Entries().empty());
}

TEST_F(FileTest, LinksThatLeadNowhereAreRefused) {
  Link("b", "a");
  Link("a", "b");
  Link("none/a", "lost");
  Link(".", "folder");
  const std::string loop = Path("a") +
                           ": cannot be written: Too many levels of symbolic "
                           "links; check the path";
  const std::string lost =
      Path("lost") +
      ": cannot be written: No such file or directory; check the path";
  const std::string folder =
      Path("folder") +
      ": cannot be written: it is not a regular file; name a file";
  for (const auto& [name, error] :
       {std::pair("a", loop), std::pair("lost", lost),
        std::pair("folder", folder)}) {
    EXPECT_EQ(CheckWritable(Path(name)).message(), error);
    EXPECT_EQ(WriteFileAtomically(Path(name), "x").message(), error);
  }
  EXPECT_EQ(Entries(), (Names{"a", "b", "folder", "lost"}));
}

TEST_F(FileTest, AnOutputHasOneNameHoweverItIsSpelt) {
  ASSERT_EQ(mkdir(Path("far").c_str(), 0777), 0);
  const std::string name = *ResolveOutput(Path("a"));
  for (const char* path : {"./a", "far/../a", "far//..///a"}) {
    EXPECT_EQ(*ResolveOutput(Path(path)), name) << path;
  }
  EXPECT_NE(*ResolveOutput(Path("far/a")), name);
  EXPECT_EQ(*ResolveOutput("/a"), "/a");
}

TEST_F(FileTest, ALockIsHeldByOne) {
  Link("a", "link");
  {
    absl::StatusOr<FileLock> held = FileLock::Acquire(Path("a"));
    ASSERT_TRUE(held.ok()) << held.status();
    const FileLock lock = *std::move(held);
    for (const char* path : {"a", "link"}) {
      const absl::Status second = FileLock::Acquire(Path(path)).status();
      EXPECT_EQ(second.code(), absl::StatusCode::kUnavailable);
      EXPECT_EQ(second.message().substr(0, Path(path).size() + 20),
                Path(path) + ": in use by process ");
      EXPECT_NE(second.message().find(" " + std::to_string(getpid()) + " on "),
                std::string::npos)
          << second;
    }
    EXPECT_TRUE(FileLock::Acquire(Path("b")).ok());
    EXPECT_EQ(Entries(), (Names{"a.lock", "link"}));
  }
  EXPECT_TRUE(FileLock::Acquire(Path("link")).ok());
  EXPECT_EQ(Entries(), Names{"link"});
}

TEST_F(FileTest, AKilledProcessLeavesNoLock) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const absl::StatusOr<FileLock> lock = FileLock::Acquire(Path("a"));
    const char good = lock.ok() ? 1 : 0;
    if (write(ready[1], &good, 1) != 1) _exit(1);
    pause();
    _exit(1);
  }
  char good = 0;
  ASSERT_EQ(read(ready[0], &good, 1), 1);
  EXPECT_EQ(good, 1);
  EXPECT_NE(FileLock::Acquire(Path("a")).status().message().find(
                "process " + std::to_string(child)),
            std::string::npos);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(Entries(), Names{"a.lock"});
  EXPECT_TRUE(FileLock::Acquire(Path("a")).ok());
  EXPECT_TRUE(Entries().empty());
}

TEST_F(FileTest, GoesOnWhereTheFileSystemHasNoLocks) {
  for (const int error : {ENOLCK, EOPNOTSUPP, EINVAL}) {
    SCOPED_TRACE(error);
    flock_error = error;
    {
      const absl::StatusOr<FileLock> lock = FileLock::Acquire(Path("a"));
      EXPECT_TRUE(lock.ok()) << lock.status();
      EXPECT_TRUE(FileLock::Acquire(Path("a")).ok());
      EXPECT_TRUE(WriteFileAtomically(Path("a"), "x").ok());
    }
    EXPECT_EQ(Entries(), Names{"a"});
  }
  flock_error = EIO;
  EXPECT_EQ(FileLock::Acquire(Path("b")).status().message(),
            *ResolveOutput(Path("b")) +
                ".lock: cannot be locked: Input/output error; try again, or "
                "choose another place");
}

TEST_F(FileTest, ALockInNoFolderIsRefused) {
  EXPECT_EQ(FileLock::Acquire(Path("none/a")).status().message(),
            Path("none/a") +
                ": cannot be written: No such file or directory; check the "
                "path");
}

}  // namespace
}  // namespace repro16
