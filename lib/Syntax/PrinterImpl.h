//===- PrinterImpl.h - Laying out a tree -------------------------*- C++ -*-===//
//
// The printer writes an expression on one line if it fits there, and otherwise opens its outermost
// brackets or breaks before its loosest operators, and so on inwards.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_PRINTERIMPL_H
#define NNC_SYNTAX_PRINTERIMPL_H

#include "nnc/Syntax/AST.h"

#include <string>

namespace nnc {

/// Columns of text.
size_t width(std::string_view text);
/// A string as it is written, in quotes, with escapes.
std::string quote(std::string_view value);
/// `expr` on one line, in parentheses if it binds more loosely than `minimum`. In a dimension, `*`
/// and `/` are written without blanks: "2*N + 1".
std::string flat(const ast::Expr &expr, unsigned minimum = 1, bool inDimension = false);
std::string flat(const ast::Item &item);
std::string flat(const ast::Type &type);
/// Whether a comment or the writer's choice within `expr` keeps it from standing on one line.
bool mustBreak(const ast::Expr &expr);

class Printer {
public:
  std::string take() { return std::move(out); }
  void file(const ast::File &node);

private:
  static constexpr size_t columns = 100;
  static constexpr size_t step = 2;
  using Lines = std::vector<std::optional<std::string>>;

  //===--- Writing (PrintExprs.cpp) --------------------------------------===//
  void write(std::string_view text);
  void newLine(size_t indent);
  bool fits(std::string_view text, size_t tail) const {
    return column + width(text) + tail <= columns;
  }

  //===--- Expressions (PrintExprs.cpp) ----------------------------------===//
  /// Writes `expr` from the current column on; what goes on a line of its own is indented by
  /// `indent`, and `tail` columns stay free behind it.
  void layOut(const ast::Expr &expr, unsigned minimum, size_t indent, size_t tail);
  void layOutItems(const std::vector<ast::Item> &items, size_t indent);
  void layOutItem(const ast::Item &item, size_t indent, bool last);
  void fillItems(const std::vector<ast::Item> &items, size_t indent);
  void layOutChain(const ast::BinaryExpr &chain, size_t indent, size_t tail);
  void layOutValues(const std::vector<ast::ExprPtr> &values, size_t indent, size_t tail);

  //===--- Statements and declarations (Printer.cpp) ---------------------===//
  void comments(const Lines &lines, size_t indent, bool atStart);
  void trailing(const ast::Trivia &trivia);
  void block(const ast::Block &node, size_t indent, bool alignAll);
  void stmt(const ast::Stmt &node, size_t indent, size_t equalsColumn);
  void repeat(const ast::RepeatStmt &node, size_t indent);
  void decl(const ast::Decl &node);
  void fragment(const ast::FragmentDecl &node);
  void data(const ast::DataDecl &node);

  std::string out;
  size_t column = 0;
};

} // namespace nnc

#endif // NNC_SYNTAX_PRINTERIMPL_H
