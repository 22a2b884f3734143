//===- LexerTest.cpp - Tokens and comments --------------------------------===//
#include "nnc/Syntax/Lexer.h"

#include <gtest/gtest.h>

using namespace nnc;

namespace {

/// The texts of the tokens, separated by blanks.
std::string texts(const std::string &source) {
  SourceFile file("a.nn", source);
  DiagnosticEngine engine;
  std::string result;
  for (const Token &token : tokenize(file, engine))
    result += std::string(token.text) + (token.kind == Token::Kind::EndOfFile ? "" : " ");
  return result + engine.render();
}

TEST(Lexer, Names) {
  EXPECT_EQ(texts("x _y1 fc1.w blocks.0.w logic.grad"), "x _y1 fc1.w blocks.0.w logic.grad ");
}

TEST(Lexer, Numbers) {
  EXPECT_EQ(texts("0 12 0x1F 1.5 1. .5 1e3 1e-3 1.5E+2"), "0 12 0x1F 1.5 1. .5 1e3 1e-3 1.5E+2 ");
  EXPECT_EQ(texts("x[1...]"), "x [ 1 ... ] ");
  EXPECT_EQ(texts("1:2"), "1 : 2 ");
}

TEST(Lexer, Operators) {
  EXPECT_EQ(texts("a**b*c->d==e=f<=g<h"), "a ** b * c -> d == e = f <= g < h ");
  EXPECT_EQ(texts("--x"), "- - x ");
}

TEST(Lexer, Strings) { EXPECT_EQ(texts(R"("a\"b" "//c")"), R"("a\"b" "//c" )"); }

TEST(Lexer, ByteOrderMark) { EXPECT_EQ(texts("\xEF\xBB\xBFx"), "x "); }

TEST(Lexer, LinesAndComments) {
  SourceFile file("a.nn", "a // one\n//two\n\n// three\n\nb\nc");
  DiagnosticEngine engine;
  std::vector<Token> tokens = tokenize(file, engine);
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_TRUE(tokens[0].startsLine);
  const Token &b = tokens[1];
  ASSERT_EQ(b.comments.size(), 3u);
  EXPECT_EQ(b.comments[0].text, "one");
  EXPECT_TRUE(b.comments[0].trailing);
  EXPECT_EQ(b.comments[1].text, "two");
  EXPECT_FALSE(b.comments[1].trailing);
  EXPECT_FALSE(b.comments[1].blankBefore);
  EXPECT_TRUE(b.comments[2].blankBefore);
  EXPECT_TRUE(b.blankBefore);
  EXPECT_FALSE(tokens[2].blankBefore);
  EXPECT_TRUE(tokens[2].startsLine);
}

TEST(Lexer, BytesThatAreNotText) {
  EXPECT_EQ(texts("a \x01\x02 \xFF b"), "a \x01\x02 \xFF b "
                                        "a.nn:1:3: error: unexpected byte 0x01\n"
                                        "  a ?? ? b\n"
                                        "    ^~\n"
                                        "help: the text of a program is UTF-8\n"
                                        "a.nn:1:6: error: unexpected byte 0xFF\n"
                                        "  a ?? ? b\n"
                                        "       ^\n"
                                        "help: the text of a program is UTF-8\n");
}

} // namespace
