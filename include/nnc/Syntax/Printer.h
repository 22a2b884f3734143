//===- Printer.h - Tree to canonical text ------------------------*- C++ -*-===//
//
// What `nnc fmt` and every stage that prints `.nn` writes: one layout for one tree, at most 100
// columns where that is possible, comments kept. Parsing the text gives the tree back, and printing
// that gives the same text.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_PRINTER_H
#define NNC_SYNTAX_PRINTER_H

#include "nnc/Syntax/AST.h"

#include <string>

namespace nnc {

std::string print(const ast::File &file);
/// One expression or type, on one line.
std::string print(const ast::Expr &expr);
std::string print(const ast::Type &type);

} // namespace nnc

#endif // NNC_SYNTAX_PRINTER_H
