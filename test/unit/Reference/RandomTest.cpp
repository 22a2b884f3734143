//===- RandomTest.cpp - Known values of the random numbers ----------------===//
//
// Philox against the vectors of its authors' Random123 (kat_vectors), the quantile against tables.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/Random.h"

#include "gtest/gtest.h"

using namespace nnc;

TEST(Random, philoxKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (PhiloxWords{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (PhiloxWords{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxWords{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, normalQuantile) {
  EXPECT_EQ(normalQuantile(0.5), 0);
  EXPECT_NEAR(normalQuantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(normalQuantile(0.25), -0.674489750196082, 1e-14);
  EXPECT_NEAR(normalQuantile(0.001), -3.090232306167813, 1e-14);
  EXPECT_NEAR(normalQuantile(1e-20), -9.262340089798408, 1e-13);
}
