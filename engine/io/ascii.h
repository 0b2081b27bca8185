// Text for a reader who has no Unicode.
#ifndef REPRO16_ENGINE_IO_ASCII_H_
#define REPRO16_ENGINE_IO_ASCII_H_

#include <string>
#include <string_view>

namespace repro16 {

// The UTF-8 text `text` in ASCII, by the table in ascii.cc: "75.8 ± 0.3" gives
// "75.8 +- 0.3". A character that is not in the table, and a byte that is no
// part of one, becomes '?'. Some characters become several: text is turned
// before it is laid out in columns. ASCII stays as it is.
std::string Ascii(std::string_view text);

}  // namespace repro16

#endif  // REPRO16_ENGINE_IO_ASCII_H_
