//===- DiagnosticsTest.cpp - Carets, order and nearest names --------------===//
#include "nnc/Support/Diagnostics.h"

#include <gtest/gtest.h>

using namespace nnc;

namespace {

SourceRange rangeOf(const SourceFile &file, std::string_view what) {
  size_t begin = file.text().find(what);
  return {&file, uint32_t(begin), uint32_t(begin + what.size())};
}

std::string renderOne(const SourceFile &file, std::string_view what) {
  DiagnosticEngine engine;
  engine.error(rangeOf(file, what), "message");
  return engine.render();
}

TEST(Source, LinesAndColumns) {
  SourceFile file("a.nn", "ab\r\ncd\n\nlast");
  EXPECT_EQ(file.line(1), "ab");
  EXPECT_EQ(file.line(2), "cd");
  EXPECT_EQ(file.line(3), "");
  EXPECT_EQ(file.line(4), "last");
  EXPECT_EQ(file.lineColumn(5).line, 2u);
  EXPECT_EQ(file.lineColumn(5).column, 2u);
  EXPECT_EQ(file.lineColumn(1000).line, 4u);
  EXPECT_EQ(file.lineColumn(1000).column, 5u);
}

TEST(Source, ColumnsCountCharacters) {
  SourceFile file("a.nn", "\xCE\xB8\xCE\xB8 = x");
  EXPECT_EQ(file.lineColumn(uint32_t(file.text().find('='))).column, 4u);
}

TEST(Source, MissingFile) {
  std::string error;
  EXPECT_EQ(SourceFile::open("/nowhere/x.nn", error), nullptr);
  EXPECT_EQ(error, "cannot read '/nowhere/x.nn': no such file or directory");
}

TEST(Source, Folder) {
  std::string error;
  EXPECT_EQ(SourceFile::open("/", error), nullptr);
  EXPECT_EQ(error, "cannot read '/': is a directory");
}

TEST(Diagnostics, CaretAndUnderline) {
  SourceFile file("a.nn", "first\n  return x @ wieght + b\n");
  DiagnosticEngine engine;
  engine.error(rangeOf(file, "wieght"), "unknown name 'wieght'")
      .note(rangeOf(file, "first"), "the first line")
      .didYouMean(std::string("weight"));
  EXPECT_EQ(engine.render(), "a.nn:2:14: error: unknown name 'wieght'\n"
                             "    return x @ wieght + b\n"
                             "               ^~~~~~\n"
                             "a.nn:1:1: note: the first line\n"
                             "  first\n"
                             "  ^~~~~\n"
                             "help: did you mean 'weight'?\n");
}

TEST(Diagnostics, TabsAndWideCharacters) {
  SourceFile tabs("a.nn", "\tab\tcd");
  EXPECT_EQ(renderOne(tabs, "cd"), "a.nn:1:5: error: message\n"
                                   "      ab  cd\n"
                                   "          ^~\n");
  SourceFile wide("a.nn", "\"\xE6\x97\xA5\xE6\x9C\xAC\" x");
  EXPECT_EQ(renderOne(wide, "x"), "a.nn:1:6: error: message\n"
                                  "  \"\xE6\x97\xA5\xE6\x9C\xAC\" x\n"
                                  "         ^\n");
}

TEST(Diagnostics, BytesThatAreNotText) {
  SourceFile file("a.nn", "a\xFF\x01\x1B[2J b");
  EXPECT_EQ(renderOne(file, "b"), "a.nn:1:9: error: message\n"
                                  "  a???[2J b\n"
                                  "          ^\n");
}

TEST(Diagnostics, EndsOfLinesAndFiles) {
  SourceFile file("a.nn", "ab\ncd");
  DiagnosticEngine engine;
  engine.error(rangeOf(file, "ab").after(), "behind the line");
  engine.error(rangeOf(file, "cd").after(), "behind the file");
  EXPECT_EQ(engine.render(), "a.nn:1:3: error: behind the line\n"
                             "  ab\n"
                             "    ^\n"
                             "a.nn:2:3: error: behind the file\n"
                             "  cd\n"
                             "    ^\n");
  SourceFile empty("b.nn", "");
  EXPECT_EQ(render({Severity::Error, {&empty, 0, 0}, "nothing here", {}, {}, {}}),
            "b.nn:1:1: error: nothing here\n  \n  ^\n");
}

TEST(Diagnostics, LongLinesAreCutAroundTheCaret) {
  SourceFile file("a.nn", std::string(300, 'a') + " here " + std::string(300, 'b'));
  EXPECT_EQ(renderOne(file, "here"), "a.nn:1:302: error: message\n"
                                     "  ..." +
                                         std::string(39, 'a') + " here " + std::string(75, 'b') +
                                         "...\n" + "  " + std::string(43, ' ') + "^~~~\n");
}

TEST(Diagnostics, SeveralLinesAreMarkedOnTheFirst) {
  SourceFile file("a.nn", "f(a,\n  b)\n");
  EXPECT_EQ(renderOne(file, "(a,\n  b)"), "a.nn:1:2: error: message\n"
                                          "  f(a,\n"
                                          "   ^~~\n");
}

TEST(Diagnostics, WithoutALine) {
  SourceFile file("a.csv", "");
  DiagnosticEngine engine;
  engine.error("expected a flag");
  engine.error(SourceRange::whole(file), "expected 3 columns, found 2");
  EXPECT_EQ(engine.render(), "error: expected a flag\n"
                             "a.csv: error: expected 3 columns, found 2\n");
}

TEST(Diagnostics, OrderRepeatsAndTooMany) {
  SourceFile file("a.nn", "abcdefgh");
  DiagnosticEngine engine(2);
  engine.warning({&file, 5, 6}, "third");
  engine.error({&file, 3, 4}, "second");
  engine.error({&file, 3, 4}, "second");
  engine.error({&file, 1, 2}, "first");
  EXPECT_TRUE(engine.isFull());
  engine.error({&file, 0, 1}, "dropped").help("and this");
  EXPECT_EQ(engine.numErrors(), 3u);
  EXPECT_EQ(engine.render(), "a.nn:1:2: error: first\n"
                             "  abcdefgh\n"
                             "   ^\n"
                             "a.nn:1:4: error: second\n"
                             "  abcdefgh\n"
                             "     ^\n"
                             "a.nn:1:6: warning: third\n"
                             "  abcdefgh\n"
                             "       ^\n"
                             "error: too many errors: 1 more not shown\n");
}

TEST(ClosestMatch, NearNames) {
  std::vector<std::string> names = {"matmul", "sigmoid", "softmax", "max", "w1", "w2"};
  EXPECT_EQ(closestMatch("sigmiod", names), "sigmoid");
  EXPECT_EQ(closestMatch("Softmax", names), "softmax");
  EXPECT_EQ(closestMatch("MATMUL", names), std::nullopt);
  EXPECT_EQ(closestMatch("mxa", names), "max");
  EXPECT_EQ(closestMatch("w3", names), "w1");
  EXPECT_EQ(closestMatch("convolution", names), std::nullopt);
  EXPECT_EQ(closestMatch("q", names), std::nullopt);
  EXPECT_EQ(closestMatch("X", {"a", "x"}), "x");
  EXPECT_EQ(closestMatch("", names), std::nullopt);
}

} // namespace
