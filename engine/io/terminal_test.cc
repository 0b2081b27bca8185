#include "engine/io/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

Environment Variables(const std::map<std::string, std::string>& variables) {
  return [variables](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

// A terminal that no one looks at.
class PseudoTerminal {
 public:
  PseudoTerminal() {
    master_ = posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT_EQ(grantpt(master_), 0);
    EXPECT_EQ(unlockpt(master_), 0);
    slave_ = open(ptsname(master_), O_RDWR | O_NOCTTY);
    EXPECT_GE(slave_, 0);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;
  ~PseudoTerminal() {
    close(slave_);
    close(master_);
  }

  int descriptor() const { return slave_; }

  void Resize(unsigned short columns) const {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = columns;
    EXPECT_EQ(ioctl(slave_, TIOCSWINSZ, &size), 0);
  }

 private:
  int master_;
  int slave_;
};

TEST(TerminalTest, AFileIsTheSameOnEveryMachine) {
  const int file = open("/dev/null", O_WRONLY);
  const Terminal terminal = TerminalAt(
      file,
      Variables({{"TERM", "xterm"}, {"COLUMNS", "33"}, {"LANG", "C.UTF-8"}}));
  close(file);
  EXPECT_FALSE(terminal.interactive);
  EXPECT_FALSE(terminal.color);
  EXPECT_EQ(terminal.columns, Terminal().columns);
  EXPECT_TRUE(terminal.unicode);
}

TEST(TerminalTest, TheWidthIsThatOfTheMoment) {
  const PseudoTerminal terminal;
  const auto columns = [&](const std::map<std::string, std::string>& more) {
    return TerminalAt(terminal.descriptor(), Variables(more)).columns;
  };
  EXPECT_EQ(columns({}), 80);
  EXPECT_EQ(columns({{"COLUMNS", "132"}}), 132);
  for (const char* wrong : {"", "0", "-5", "wide"}) {
    EXPECT_EQ(columns({{"COLUMNS", wrong}}), 80) << wrong;
  }
  for (const unsigned short width : {40, 200, 61}) {
    terminal.Resize(width);
    EXPECT_EQ(columns({{"COLUMNS", "132"}}), width);
  }
}

TEST(TerminalTest, ColourAndCursor) {
  const PseudoTerminal pseudo;
  const auto of = [&](const std::map<std::string, std::string>& variables) {
    return TerminalAt(pseudo.descriptor(), Variables(variables));
  };
  EXPECT_TRUE(of({{"TERM", "xterm"}}).interactive);
  EXPECT_TRUE(of({{"TERM", "xterm"}}).color);
  EXPECT_TRUE(of({{"TERM", "xterm"}, {"NO_COLOR", ""}}).color);
  EXPECT_FALSE(of({{"TERM", "xterm"}, {"NO_COLOR", "1"}}).color);
  EXPECT_TRUE(of({{"TERM", "xterm"}, {"NO_COLOR", "1"}}).interactive);
  for (const auto& variables :
       {std::map<std::string, std::string>{{"TERM", "dumb"}}, {}}) {
    EXPECT_FALSE(of(variables).color);
    EXPECT_FALSE(of(variables).interactive);
  }
}

bool Unicode(const std::map<std::string, std::string>& variables) {
  return UnicodeLocale(Variables(variables));
}

TEST(TerminalTest, TheFirstVariableThatIsSetDecides) {
  EXPECT_FALSE(Unicode({}));
  EXPECT_TRUE(Unicode({{"LANG", "C.UTF-8"}}));
  EXPECT_FALSE(Unicode({{"LC_ALL", "C"}, {"LANG", "C.UTF-8"}}));
  EXPECT_FALSE(Unicode({{"LC_CTYPE", "POSIX"}, {"LANG", "C.UTF-8"}}));
  EXPECT_TRUE(Unicode({{"LC_ALL", "C.UTF-8"}, {"LC_CTYPE", "C"}}));
  EXPECT_TRUE(Unicode({{"LC_ALL", ""}, {"LANG", "C.UTF-8"}}));
  EXPECT_FALSE(Unicode({{"LC_MESSAGES", "C.UTF-8"}}));
}

TEST(TerminalTest, TheLocalesNameTellsTheCharacterSet) {
  for (const char* locale :
       {"de_DE.UTF-8", "de_DE.utf8", "de_DE.UTF-8@euro", "UTF-8"}) {
    EXPECT_TRUE(Unicode({{"LANG", locale}})) << locale;
  }
  for (const char* locale :
       {"C", "POSIX", "de_DE", "de_DE@euro", "de_DE.ISO-8859-1", "x.UTF-16"}) {
    EXPECT_FALSE(Unicode({{"LANG", locale}})) << locale;
  }
}

std::string Printed(const char* locale) {
  setenv("LC_ALL", locale, 1);
  std::FILE* file = std::tmpfile();
  PrintFormat(file, "%s ± %d\n", "−1", 2);
  std::string text(static_cast<size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), file), text.size());
  std::fclose(file);
  return text;
}

TEST(TerminalTest, PrintsInTheUsersCharacters) {
  EXPECT_EQ(Printed("C.UTF-8"), "−1 ± 2\n");
  EXPECT_EQ(Printed("C"), "-1 +- 2\n");
}

}  // namespace
}  // namespace repro16
