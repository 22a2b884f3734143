//===- Lexer.h - Text to tokens ----------------------------------*- C++ -*-===//
//
// Splits a file into tokens, all at once. What is not a token is reported and skipped; comments are
// kept beside the token that follows them.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_LEXER_H
#define NNC_SYNTAX_LEXER_H

#include "nnc/Support/Diagnostics.h"
#include "nnc/Syntax/Token.h"

#include <vector>

namespace nnc {

/// The tokens of `file`; the last one, and only that, is EndOfFile.
std::vector<Token> tokenize(const SourceFile &file, DiagnosticEngine &diagnostics);

} // namespace nnc

#endif // NNC_SYNTAX_LEXER_H
