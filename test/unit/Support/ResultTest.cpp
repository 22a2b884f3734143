//===- ResultTest.cpp - How an Error reads --------------------------------===//
//
// The text of a diagnostic from its parts, and the quoting of text of unknown origin.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/Result.h"

#include "gtest/gtest.h"

using namespace nnc;

TEST(Error, NamesFileLineAndColumn) {
  Error error = Error::expectedFound("a number", "'x'").in("a.csv").at(3, 9).help("look again");
  EXPECT_EQ(error.str(), "a.csv:3:9: error: expected a number, found 'x'\nhelp: look again");
  EXPECT_EQ(error.what(), "expected a number, found 'x'");
}

TEST(Error, NamesTheField) {
  Error error = Error::expectedFound("4 bytes", "3").in("w.npz").of("member 'x.npy'");
  EXPECT_EQ(error.str(), "w.npz: error: in member 'x.npy': expected 4 bytes, found 3");
}

TEST(Error, NeedsNoFile) {
  EXPECT_EQ(Error::plain("out of paper").str(), "error: out of paper");
  Error error = Error::expectedFound("2 sheets", "none");
  error.message = "out of paper";
  EXPECT_EQ(error.str(), "error: out of paper: expected 2 sheets, found none");
}

TEST(Error, ShowsControlCharactersOfAFileName) {
  EXPECT_EQ(Error::plain("no").in("a\x1b[2Jb\n").str(), "a\\x1b[2Jb\\x0a: error: no");
}

TEST(Quoted, ShowsWhatDoesNotPrint) {
  EXPECT_EQ(quote("plain"), "'plain'");
  EXPECT_EQ(quote("größe…"), "'größe…'");
  EXPECT_EQ(quote(std::string_view("a\0b\n", 4)), "'a\\x00b\\x0a'");
  EXPECT_EQ(quote("\xff\xc3("), "'\\xff\\xc3('");
  EXPECT_EQ(quote("\xc2\x9b"), "'\\xc2\\x9b'");
}

TEST(Quoted, CutsBetweenCharacters) {
  EXPECT_EQ(quote("0123456789", 4), "'0123…'");
  EXPECT_EQ(quote("ää", 3), "'ä…'");
}

TEST(Result, HoldsAValueOrAnError) {
  Result<int> good = 3, bad = Error::plain("no");
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "no");
  EXPECT_TRUE(Status());
  EXPECT_FALSE(Status(Error::plain("no")));
}
