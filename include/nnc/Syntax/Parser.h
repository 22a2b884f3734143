//===- Parser.h - Text to tree -----------------------------------*- C++ -*-===//
//
// Reads a whole .nn file. Mistakes are reported and skipped, a statement or a declaration at a
// time, so that one run shows several; the tree then holds what could be read.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_PARSER_H
#define NNC_SYNTAX_PARSER_H

#include "nnc/Support/Diagnostics.h"
#include "nnc/Syntax/AST.h"

#include <memory>

namespace nnc {

/// The tree of `file`, never null; it is whole if `diagnostics` has got no new errors. The tree
/// points into `file`.
std::unique_ptr<ast::File> parse(const SourceFile &file, DiagnosticEngine &diagnostics);

/// Reads `text` as one expression, as in `--input x=[[1, 2]]`. Null after an error.
ast::ExprPtr parseExpression(const SourceFile &text, DiagnosticEngine &diagnostics);

} // namespace nnc

#endif // NNC_SYNTAX_PARSER_H
