//===- Token.h - The words of the .nn language -------------------*- C++ -*-===//
//
// What the lexer hands to the parser. Words such as `model` or `over` are identifiers here: the
// parser gives them meaning by their place, so that a tensor may be called `data` or `reverse`.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_TOKEN_H
#define NNC_SYNTAX_TOKEN_H

#include "nnc/Support/Source.h"

#include <string>
#include <vector>

namespace nnc {

/// A `//` comment without its slashes and surrounding blanks.
struct Comment {
  std::string text;
  /// Stands behind something on its line, rather than on a line of its own.
  bool trailing;
  /// An empty line stands before it.
  bool blankBefore;
};

struct Token {
  enum class Kind {
    EndOfFile,
    Identifier, ///< also qualified: fc1.w, logic.grad
    Integer,
    Float,
    String,
    Symbol, ///< an operator or bracket; `text` says which
    Error,  ///< already reported by the lexer
  };

  Kind kind = Kind::EndOfFile;
  SourceRange range;
  /// As written in the source; empty at the end of the file.
  std::string_view text;
  /// First on its line.
  bool startsLine = false;
  /// An empty line stands between this token and what is before it (a token or a comment).
  bool blankBefore = false;
  /// The comments between the token before and this one.
  std::vector<Comment> comments;

  bool is(std::string_view symbol) const { return kind == Kind::Symbol && text == symbol; }
  bool isWord(std::string_view word) const { return kind == Kind::Identifier && text == word; }
};

} // namespace nnc

#endif // NNC_SYNTAX_TOKEN_H
