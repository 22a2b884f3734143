//===- SyntaxErrorTest.cpp - Wrong programs and what is said about them ---===//
//
// Inputs/errors.txt holds programs, each followed by everything that is reported for it:
//
//   ==== name
//   program
//   ----
//   diagnostics
//
// NNC_UPDATE=1 in the environment rewrites the file with what is reported now, for review.
//
//===----------------------------------------------------------------------===//
#include "TestFiles.h"
#include "nnc/Syntax/Parser.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace nnc;

namespace {

struct Case {
  std::string name, program, expected;
};

std::vector<Case> readCases() {
  std::vector<Case> cases;
  std::istringstream lines(readInput("errors.txt"));
  std::string line;
  std::string *part = nullptr;
  while (std::getline(lines, line)) {
    if (line.rfind("==== ", 0) == 0) {
      cases.push_back({line.substr(5), "", ""});
      part = &cases.back().program;
    } else if (line == "----") {
      part = &cases.back().expected;
    } else {
      *part += line + "\n";
    }
  }
  return cases;
}

std::string diagnose(const std::string &program) {
  SourceFile file("a.nn", program);
  DiagnosticEngine engine;
  parse(file, engine);
  return engine.render();
}

TEST(SyntaxErrors, WholeMessages) {
  std::vector<Case> cases = readCases();
  EXPECT_GT(cases.size(), 30u);
  for (const Case &each : cases)
    EXPECT_EQ(diagnose(each.program), each.expected) << "in " << each.name;
  if (!std::getenv("NNC_UPDATE"))
    return;
  std::ofstream file(NNC_SOURCE_DIR "/test/unit/Syntax/Inputs/errors.txt", std::ios::binary);
  for (const Case &each : cases)
    file << "==== " << each.name << "\n" << each.program << "----\n" << diagnose(each.program);
}

/// Every prefix of a program, and the program without each of its bytes, is read to an end.
TEST(SyntaxErrors, DamagedPrograms) {
  std::string text = readInput("stress.nn");
  for (size_t i = 0; i < text.size(); ++i) {
    diagnose(text.substr(0, i));
    std::string without = text;
    diagnose(without.erase(i, 1));
  }
}

} // namespace
