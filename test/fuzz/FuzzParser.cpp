//===- ParserFuzzer.cpp - Any bytes as a program --------------------------===//
//
// Reads the input as a .nn file. What parses is printed; the printed text must parse to the same
// tree and print as itself.
//
//===----------------------------------------------------------------------===//
#include "nnc/Syntax/Parser.h"
#include "nnc/Syntax/Printer.h"

#include <cstdio>
#include <cstdlib>

using namespace nnc;

static void check(bool condition, const char *what, const std::string &text) {
  if (condition)
    return;
  std::fprintf(stderr, "%s:\n%s\n", what, text.c_str());
  std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  SourceFile file("input.nn", std::string(reinterpret_cast<const char *>(data), size));
  DiagnosticEngine diagnostics;
  std::unique_ptr<ast::File> tree = parse(file, diagnostics);
  if (diagnostics.hasErrors()) {
    diagnostics.render();
    return 0;
  }
  std::string text = print(*tree);
  SourceFile again("printed.nn", text);
  std::unique_ptr<ast::File> treeAgain = parse(again, diagnostics);
  check(!diagnostics.hasErrors(), "printed text does not parse", diagnostics.render());
  check(dump(*tree) == dump(*treeAgain), "printed text is another program", text);
  check(print(*treeAgain) == text, "printed text is not canonical", text);
  return 0;
}
