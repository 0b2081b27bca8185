#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/types/span.h"
#include "engine/data/dataset.h"
#include "engine/data/loaders.h"
#include "engine/numerics/random_stream.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the bytes of a word are those of memory");

namespace repro16 {
namespace {

// The made-up data are one data set: every run sees the same.
constexpr uint64_t kSeed = 16;

// Each example has a stream of its own. Its first words choose the scene, the
// bytes of those that follow, the lowest first, are the noise of the pixels.
constexpr uint64_t kSceneWords = 16;

// Noise is uniform over -kNoise ... kNoise - 1.
constexpr int kNoise = 64;

// Takes whole numbers from a stream, one word each.
class Draws {
 public:
  explicit Draws(const RandomStream& stream) : stream_(stream) {}

  // Uniform over low ... high.
  int Between(int low, int high) {
    const uint64_t word = stream_.UniformU32(next_++);
    return low + static_cast<int>(word * (high - low + 1) >> 32);
  }

 private:
  const RandomStream& stream_;
  uint64_t next_ = 0;
};

enum class Outline { kDisc, kSquare, kDiamond, kRing, kCross };

// One example, before the noise. Lengths are in half pixels.
struct Scene {
  Outline outline;
  bool striped;
  int x;  // of the centre
  int y;
  int radius;
  int phase;  // of the stripes
  int colour[3];
  int background[3];
};

Scene DrawScene(const DatasetForm& form, int label, Draws draws) {
  Scene scene;
  scene.outline = static_cast<Outline>(label / 2);
  scene.striped = label % 2 == 1;
  const int size = static_cast<int>(form.width);
  const int shift = size / 8;
  scene.x = draws.Between(size - 1 - shift, size - 1 + shift);
  scene.y = draws.Between(size - 1 - shift, size - 1 + shift);
  scene.radius = draws.Between(size / 2, size * 3 / 4);
  scene.phase = draws.Between(0, 7);
  for (int64_t c = 0; c < form.channels; ++c) {
    scene.colour[c] = draws.Between(128, 223);
    scene.background[c] = draws.Between(32, 96);
  }
  return scene;
}

bool Covers(const Scene& scene, int x, int y) {
  const int dx = std::abs(x - scene.x);
  const int dy = std::abs(y - scene.y);
  const int r = scene.radius;
  switch (scene.outline) {
    case Outline::kDisc:
      return dx * dx + dy * dy <= r * r;
    case Outline::kSquare:
      return std::max(dx, dy) <= r * 7 / 8;
    case Outline::kDiamond:
      return dx + dy <= r * 5 / 4;
    case Outline::kRing:
      return dx * dx + dy * dy <= r * r && 4 * (dx * dx + dy * dy) >= r * r;
    case Outline::kCross:
      return std::max(dx, dy) <= r && 3 * std::min(dx, dy) <= r;
  }
  return false;
}

// Stripes run along the falling diagonal, two pixels wide.
bool InGap(const Scene& scene, int x, int y) {
  return scene.striped && (x + y + scene.phase) / 4 % 2 == 1;
}

void Render(const DatasetForm& form, const Scene& scene,
            absl::Span<const uint8_t> noise, absl::Span<uint8_t> image) {
  size_t i = 0;
  for (int64_t row = 0; row < form.height; ++row) {
    for (int64_t column = 0; column < form.width; ++column) {
      const int x = static_cast<int>(2 * column);
      const int y = static_cast<int>(2 * row);
      const bool lit = Covers(scene, x, y) && !InGap(scene, x, y);
      for (int64_t c = 0; c < form.channels; ++c, ++i) {
        const int base = lit ? scene.colour[c] : scene.background[c];
        const int value = base + noise[i] * kNoise / 128 - kNoise;
        image[i] = static_cast<uint8_t>(std::clamp(value, 0, 255));
      }
    }
  }
}

}  // namespace

Split MakeSyntheticSplit(const DatasetForm& form, SplitKind kind,
                         int64_t count) {
  const int64_t pixels = form.height * form.width * form.channels;
  Split split;
  split.count = count;
  split.images.resize(count * pixels);
  split.labels.resize(count);
  std::vector<uint32_t> words((pixels + 3) / 4);
  const absl::Span<const uint8_t> noise(
      reinterpret_cast<const uint8_t*>(words.data()), 4 * words.size());
  // Splits and forms differ in their part of the stream.
  const uint32_t part =
      2 * static_cast<uint32_t>(form.channels) + static_cast<uint32_t>(kind);
  for (int64_t n = 0; n < count; ++n) {
    const RandomStream stream(kSeed, RandomPurpose::kSynthetic,
                              static_cast<uint32_t>(n), part);
    const int label = static_cast<int>(n % kClasses);
    split.labels[n] = static_cast<uint8_t>(label);
    stream.FillUniformU32(kSceneWords, absl::MakeSpan(words));
    Render(form, DrawScene(form, label, Draws(stream)), noise,
           absl::MakeSpan(split.images).subspan(n * pixels, pixels));
  }
  return split;
}

}  // namespace repro16
