#include "engine/create_backend.h"

#include <gtest/gtest.h>

namespace repro16 {
namespace {

TEST(CreateBackendTest, TheDefaultIsTheCpu) {
  for (const char* name : {"", "cpu"}) {
    const auto backend = CreateBackend(name, {/*threads=*/1});
    ASSERT_TRUE(backend.ok()) << backend.status();
    EXPECT_NE((*backend)->device().find("1 thread"), std::string::npos);
  }
}

TEST(CreateBackendTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(CreateBackend("gpu").status().message(),
            "unknown backend 'gpu'; use \"cpu\" or \"cuda\", or leave it out");
  EXPECT_FALSE(CreateBackend("cpu", {/*threads=*/-1}).ok());
  EXPECT_FALSE(CreateBackend("cpu", {/*threads=*/1, "SSE9"}).ok());
  EXPECT_EQ(CreateBackend("cuda", {/*threads=*/0, "AVX2"}).status().message(),
            "backend \"cuda\" has no variant 'AVX2'; leave it out");
}

}  // namespace
}  // namespace repro16
