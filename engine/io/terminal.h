// What the reader of a stream can be shown. Every program asks here before it
// prints, so that none is wider than the terminal, coloured against a wish, or
// in characters that are not there.
#ifndef REPRO16_ENGINE_IO_TERMINAL_H_
#define REPRO16_ENGINE_IO_TERMINAL_H_

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"

namespace repro16 {

// The value of an environment variable, or null; as std::getenv.
using Environment = std::function<const char*(const char* name)>;

// By default what suits a file: the same on every machine.
struct Terminal {
  // A line can be drawn over: a terminal, and TERM names a kind that is not
  // "dumb".
  bool interactive = false;
  // Of a terminal those that it has now, or where it does not tell, COLUMNS or
  // 80.
  int columns = 120;
  // Interactive, and NO_COLOR is not set (https://no-color.org).
  bool color = false;
  // Of a terminal and of a file alike: UnicodeLocale.
  bool unicode = true;
};

// What the open file `descriptor` is. Cheap enough to ask before each line.
Terminal TerminalAt(int descriptor,
                    const Environment& environment = std::getenv);

// Whether text is UTF-8 to the user: by LC_ALL, else LC_CTYPE, else LANG, the
// first that is not empty (POSIX.1-2017, 8.2); without any the locale is "C",
// which is ASCII. The character set is what the name says, as in "C.UTF-8" or
// "de_DE.utf8@euro", whether or not the machine has that locale.
bool UnicodeLocale(const Environment& environment = std::getenv);

// Writes `text`, which is UTF-8, or its Ascii without a UnicodeLocale.
void PrintText(std::FILE* stream, std::string_view text);

// The same of a text by its format, see absl::StrFormat.
template <typename... Args>
void PrintFormat(std::FILE* stream, const absl::FormatSpec<Args...>& format,
                 const Args&... args) {
  PrintText(stream, absl::StrFormat(format, args...));
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_IO_TERMINAL_H_
