//===- Imports.h - The files that a file imports -----------------*- C++ -*-===//
//
// `import "layers.nn"` makes visible what another file declares, and what that file imports. Each
// file is read once, whoever imports it.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_IMPORTS_H
#define NNC_SYNTAX_IMPORTS_H

#include "nnc/Support/Diagnostics.h"
#include "nnc/Syntax/AST.h"

#include <vector>

namespace nnc {

/// Reads and parses all files that `file` imports, directly or through others, and gives each import
/// its tree. The texts belong to `diagnostics`; what cannot be read is an error there.
void resolveImports(ast::File &file, DiagnosticEngine &diagnostics);

/// `file` and all that it imports, each once, those that are imported before those that import them.
std::vector<const ast::File *> filesOf(const ast::File &file);

} // namespace nnc

#endif // NNC_SYNTAX_IMPORTS_H
