#include "engine/io/sha256.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

// Known answers: the examples NIST publishes with FIPS 180-4.
TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(Sha256Hex(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(
      Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(
      Sha256Hex("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

TEST(Sha256Test, AMillionLetters) {
  Sha256 sha;
  const std::string piece(1000, 'a');
  for (int i = 0; i < 1000; ++i) sha.Update(piece);
  EXPECT_EQ(sha.HexDigest(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// From NIST's additional examples: lengths where the padding just fits into
// the block, just does not, and fills one of its own.
TEST(Sha256Test, Padding) {
  EXPECT_EQ(Sha256Hex(std::string(55, '\0')),
            "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7");
  EXPECT_EQ(Sha256Hex(std::string(56, '\0')),
            "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb");
  EXPECT_EQ(Sha256Hex(std::string(64, '\0')),
            "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}

TEST(Sha256Test, PiecesGiveTheDigestOfTheWhole) {
  std::string message;
  for (int i = 0; i < 200; ++i) message.push_back(static_cast<char>(37 * i));
  for (size_t cut = 0; cut <= message.size(); ++cut) {
    Sha256 sha;
    sha.Update(std::string_view(message).substr(0, cut));
    EXPECT_EQ(sha.HexDigest(), Sha256Hex(message.substr(0, cut)));
    sha.Update(std::string_view(message).substr(cut));
    EXPECT_EQ(sha.HexDigest(), Sha256Hex(message)) << "cut at " << cut;
  }
}

}  // namespace
}  // namespace repro16
