//===- DimTest.cpp - Symbolic dimensions have one canonical form ----------===//
//
// Two expressions are equal exactly when they print alike, whatever the order they were built in.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Dim.h"

#include "gtest/gtest.h"

using nnc::Dim;

static std::string canonical(llvm::StringRef text) {
  std::optional<Dim> dim = Dim::parse(text);
  return dim ? dim->str() : "malformed";
}

TEST(Dim, PrintsConstantsAndSymbols) {
  EXPECT_EQ(canonical("28"), "28");
  EXPECT_EQ(canonical("N"), "N");
  EXPECT_EQ(canonical("-3"), "-3");
}

TEST(Dim, IsCanonicalWhateverTheOrder) {
  EXPECT_EQ(canonical("N + 1 + N"), canonical("1 + 2*N"));
  EXPECT_EQ(canonical("(N + 1) * (M - 1)"), canonical("M*N - N + M - 1"));
  EXPECT_EQ(canonical("N - N"), "0");
}

TEST(Dim, FoldsDivisionsThatAreExact) {
  EXPECT_EQ(canonical("7 / 2"), "3");
  EXPECT_EQ(canonical("(0 - 7) / 2"), "-4");
  EXPECT_EQ(canonical("(2*N) / 2"), "N");
  // A leading minus negates the whole product.
  EXPECT_EQ(canonical("-7 / 2"), "-3");
}

TEST(Dim, RejectsWhatIsNoExpression) {
  EXPECT_EQ(canonical(""), "malformed");
  EXPECT_EQ(canonical("N +"), "malformed");
  EXPECT_EQ(canonical("N ? M"), "malformed");
}

TEST(Dim, SubstitutesValues) {
  Dim expression = *Dim::parse("(N - 5)/2 + M");
  EXPECT_EQ(expression.substitute({{"N", Dim(28)}, {"M", Dim(1)}}).str(), "12");
}
