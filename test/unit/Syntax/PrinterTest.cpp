//===- PrinterTest.cpp - Canonical text and the round trip ----------------===//
#include "nnc/Syntax/Printer.h"
#include "TestFiles.h"
#include "nnc/Syntax/Parser.h"

#include <gtest/gtest.h>

using namespace nnc;

namespace {

/// The canonical text of `source`; checks on the way that it stands for the same tree and that it
/// is its own canonical text.
std::string format(const std::string &source) {
  SourceFile file("a.nn", source);
  DiagnosticEngine engine;
  std::unique_ptr<ast::File> tree = parse(file, engine);
  EXPECT_EQ(engine.render(), "");
  std::string text = print(*tree);

  SourceFile again("printed.nn", text);
  std::unique_ptr<ast::File> treeAgain = parse(again, engine);
  EXPECT_EQ(engine.render(), "");
  EXPECT_EQ(dump(*tree), dump(*treeAgain));
  EXPECT_EQ(print(*treeAgain), text);
  return text;
}

TEST(Printer, CanonicalTextStays) {
  std::string text = readInput("mnist.nn");
  EXPECT_EQ(format(text), text);
}

TEST(Printer, Stress) {
  EXPECT_EQ(format(readInput("stress.nn")), readInput("stress.expected.nn"));
}

TEST(Printer, WindowsLines) {
  EXPECT_EQ(format("// a\r\nfunc f(x) {\r\n\r\n  y = x\r\n\r\n\r\n  z = y\r\n}\r\n"),
            "// a\nfunc f(x) {\n  y = x\n\n  z = y\n}\n");
}

TEST(Printer, NothingButComments) {
  EXPECT_EQ(format(""), "");
  EXPECT_EQ(format("\n\n\n"), "");
  EXPECT_EQ(format("\n//a\n\n\n//b"), "// a\n\n// b\n");
}

TEST(Printer, CommentsInOddPlaces) {
  EXPECT_EQ(format("func // a\n"
                   "f( // b\n"
                   "x: f32[ // c\n"
                   "N], y // d\n"
                   ", z // e\n"
                   ") // f\n"
                   "-> // g\n"
                   "f32 { // h\n"
                   "  y = // i\n"
                   "    x // j\n"
                   "    + g( // k\n"
                   "      // l\n"
                   "      1, // m\n"
                   "      2 // n\n"
                   "      // o\n"
                   "    )[ // p\n"
                   "    0]; // q\n"
                   "  repeat 2 // r\n"
                   "   { // s\n"
                   "  } // t\n"
                   "} // u\n"
                   "// v"),
            "// a\n"
            "// f\n"
            "// g\n"
            "func f(\n"
            "  // b\n"
            "  // c\n"
            "  x: f32[N],\n"
            "  y,  // d\n"
            "  z  // e\n"
            ") -> f32 {\n"
            "  // h\n"
            "  // i\n"
            "  // j\n"
            "  // o\n"
            "  // p\n"
            "  y = x\n"
            "      + g(\n"
            "        // k\n"
            "        // l\n"
            "        1,  // m\n"
            "        2  // n\n"
            "      )[0]  // q\n"
            "  // r\n"
            "  repeat 2 {\n"
            "    // s\n"
            "  }  // t\n"
            "}  // u\n"
            "// v\n");
}

} // namespace
