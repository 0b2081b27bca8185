#include "engine/io/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "engine/io/ascii.h"

namespace repro16 {
namespace {

constexpr int kUsualColumns = 80;

// The variable's value; "" where it is not set.
std::string_view ValueOf(const Environment& environment, const char* name) {
  const char* value = environment(name);
  return value == nullptr ? "" : value;
}

int ColumnsOf(int descriptor, const Environment& environment) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  int columns;
  const bool told =
      absl::SimpleAtoi(ValueOf(environment, "COLUMNS"), &columns) &&
      columns > 0;
  return told ? columns : kUsualColumns;
}

}  // namespace

Terminal TerminalAt(int descriptor, const Environment& environment) {
  Terminal terminal;
  terminal.unicode = UnicodeLocale(environment);
  if (isatty(descriptor) == 0) return terminal;
  const std::string_view kind = ValueOf(environment, "TERM");
  terminal.interactive = !kind.empty() && kind != "dumb";
  terminal.columns = ColumnsOf(descriptor, environment);
  terminal.color =
      terminal.interactive && ValueOf(environment, "NO_COLOR").empty();
  return terminal;
}

bool UnicodeLocale(const Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = ValueOf(environment, name);
    if (locale.empty()) continue;
    // language_TERRITORY.charset@modifier; macOS knows the charset alone.
    const size_t dot = locale.find('.');
    std::string_view charset =
        dot == std::string_view::npos ? locale : locale.substr(dot + 1);
    charset = charset.substr(0, charset.find('@'));
    return absl::StrReplaceAll(absl::AsciiStrToLower(charset), {{"-", ""}}) ==
           "utf8";
  }
  return false;
}

void PrintText(std::FILE* stream, std::string_view text) {
  const std::string printed = UnicodeLocale() ? std::string(text) : Ascii(text);
  std::fwrite(printed.data(), 1, printed.size(), stream);
}

}  // namespace repro16
