//===- Prelude.cpp - The fragments that ship with nnc ---------------------===//
//
// The text of lib/Syntax/Prelude/*.nn, compiled in.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

#include "nnc/Syntax/Parser.h"

namespace nnc {

namespace {
struct PreludeFile {
  SourceFile source;
  std::unique_ptr<ast::File> tree;
  PreludeFile(const char *name, const char *text) : source(name, text) {
    DiagnosticEngine diagnostics;
    tree = parse(source, diagnostics);
    assert(!diagnostics.hasErrors() && "the prelude parses");
  }
};

struct PreludeText {
  const char *name, *text;
};
const PreludeText texts[] = {
#include "Prelude.inc"
};
} // namespace

std::vector<const ast::File *> getPrelude() {
  static const std::vector<std::unique_ptr<PreludeFile>> files = [] {
    std::vector<std::unique_ptr<PreludeFile>> result;
    for (const PreludeText &entry : texts)
      result.push_back(std::make_unique<PreludeFile>(entry.name, entry.text));
    return result;
  }();
  std::vector<const ast::File *> trees;
  for (const auto &entry : files)
    trees.push_back(entry->tree.get());
  return trees;
}

} // namespace nnc
