#include "engine/io/ascii.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace repro16 {
namespace {

struct Replacement {
  std::string_view character;
  std::string_view ascii;
};

// //tools:ascii_test holds the project's printed texts to it.
constexpr Replacement kReplacements[] = {
    // Numbers
    {"±", "+-"},
    {"−", "-"},
    {"×", "x"},
    {"÷", "/"},
    {"·", "."},
    {"≤", "<="},
    {"≥", ">="},
    {"≠", "!="},
    {"≈", "~"},
    {"∞", "inf"},
    {"√", "sqrt"},
    {"∑", "sum"},
    {"°", "deg"},
    {"‰", "per mille"},
    {"½", "1/2"},
    {"¹", "^1"},
    {"²", "^2"},
    {"³", "^3"},
    // Text
    {"–", "-"},
    {"—", "-"},
    {"‑", "-"},
    {"…", "..."},
    {"‘", "'"},
    {"’", "'"},
    {"“", "\""},
    {"”", "\""},
    {"«", "\""},
    {"»", "\""},
    {"•", "*"},
    {"§", "section "},
    {"\u00A0", " "},  // a blank that no line is broken at
    {"\u202F", " "},  // the same, narrow
    // Signs
    {"✓", "+"},
    {"✗", "x"},
    {"○", "o"},
    {"●", "*"},
    {"◆", "*"},
    {"←", "<-"},
    {"→", "->"},
    {"↑", "^"},
    {"↓", "v"},
    {"⇒", "=>"},
    // Lines and blocks
    {"─", "-"},
    {"━", "-"},
    {"═", "="},
    {"│", "|"},
    {"┃", "|"},
    {"║", "|"},
    {"┌", "+"},
    {"┐", "+"},
    {"└", "+"},
    {"┘", "+"},
    {"├", "+"},
    {"┤", "+"},
    {"┬", "+"},
    {"┴", "+"},
    {"┼", "+"},
    {"█", "#"},
    {"▓", "#"},
    {"▒", ":"},
    {"░", "."},
    // Greek
    {"Γ", "Gamma"},
    {"Δ", "Delta"},
    {"Θ", "Theta"},
    {"Λ", "Lambda"},
    {"Π", "Pi"},
    {"Σ", "Sigma"},
    {"Φ", "Phi"},
    {"Ψ", "Psi"},
    {"Ω", "Omega"},
    {"α", "alpha"},
    {"β", "beta"},
    {"γ", "gamma"},
    {"δ", "delta"},
    {"ε", "epsilon"},
    {"ζ", "zeta"},
    {"η", "eta"},
    {"θ", "theta"},
    {"κ", "kappa"},
    {"λ", "lambda"},
    {"μ", "mu"},
    {"µ", "u"},  // "micro", not the letter above
    {"ν", "nu"},
    {"ξ", "xi"},
    {"π", "pi"},
    {"ρ", "rho"},
    {"σ", "sigma"},
    {"τ", "tau"},
    {"φ", "phi"},
    {"χ", "chi"},
    {"ψ", "psi"},
    {"ω", "omega"},
};

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// Bytes of the character at the front of `text`, which begins outside ASCII;
// 1 where it is cut off or none begins there.
size_t CharacterSize(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t size = lead < 0xC0   ? 1
                      : lead < 0xE0 ? 2
                      : lead < 0xF0 ? 3
                      : lead < 0xF8 ? 4
                                    : 1;
  if (size > text.size()) return 1;
  const std::string_view rest = text.substr(1, size - 1);
  const bool whole = std::all_of(rest.begin(), rest.end(),
                                 [](char c) { return (c & 0xC0) == 0x80; });
  return whole ? size : 1;
}

std::string_view AsciiOf(std::string_view character) {
  for (const Replacement& replacement : kReplacements) {
    if (replacement.character == character) return replacement.ascii;
  }
  return "?";
}

}  // namespace

std::string Ascii(std::string_view text) {
  std::string ascii;
  while (!text.empty()) {
    const bool is_ascii = IsAscii(text[0]);
    const size_t size = is_ascii ? 1 : CharacterSize(text);
    const std::string_view character = text.substr(0, size);
    absl::StrAppend(&ascii, is_ascii ? character : AsciiOf(character));
    text.remove_prefix(size);
  }
  return ascii;
}

}  // namespace repro16
