#include "engine/io/ascii.h"

#include <string>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

TEST(AsciiTest, WritesOutWhatReportsUse) {
  EXPECT_EQ(Ascii("75.83 ± 0.31 (0.800×), −0.2 … “δ ≥ Γ”"),
            "75.83 +- 0.31 (0.800x), -0.2 ... \"delta >= Gamma\"");
  EXPECT_EQ(Ascii("✓ match, ✗ differ, – · ──"), "+ match, x differ, - . --");
}

TEST(AsciiTest, LeavesAsciiAlone) {
  std::string all;
  for (char c = 0; c >= 0 && c < 0x7F; ++c) all += c;
  EXPECT_EQ(Ascii(all), all);
  EXPECT_EQ(Ascii(""), "");
}

TEST(AsciiTest, WhatIsUnknownIsOneQuestionMark) {
  EXPECT_EQ(Ascii("é"), "?");
  EXPECT_EQ(Ascii("中a"), "?a");
  EXPECT_EQ(Ascii("😀!"), "?!");
}

TEST(AsciiTest, WhatIsNoUtf8IsAQuestionMarkAByte) {
  EXPECT_EQ(Ascii("\xE2\x88"), "??");          // cut off at the end
  EXPECT_EQ(Ascii("\xE2 \x88"), "? ?");        // cut off within
  EXPECT_EQ(Ascii("a\xB1z\xFF"), "a?z?");      // Latin-1; never a byte of UTF-8
  EXPECT_EQ(Ascii("\xC2\xE2\x88\x92"), "?-");  // a stray one before "−"
}

}  // namespace
}  // namespace repro16
