//===- PrintExprs.cpp - Expressions to text -------------------------------===//
//
// flat writes an expression on one line with the fewest parentheses; layOut breaks it where that
// line would be too long or holds a comment.
//
//===----------------------------------------------------------------------===//
#include "PrinterImpl.h"
#include "nnc/Syntax/Printer.h"

#include <fmt/format.h>

#include <algorithm>

namespace nnc {

using namespace ast;

std::string quote(std::string_view value) {
  std::string text = "\"";
  for (char c : value) {
    static constexpr std::string_view values = std::string_view("\n\t\r\0\"\\", 6),
                                      escapes = "ntr0\"\\";
    if (size_t escape = values.find(c); escape != std::string_view::npos)
      text += {'\\', escapes[escape]};
    else
      text += c;
  }
  return text + "\"";
}

namespace {
constexpr unsigned negatePrecedence = 7, notPrecedence = 3, postfixPrecedence = 10;

std::string joinFlat(const std::vector<Item> &items) {
  std::string text;
  for (const Item &item : items)
    text += (text.empty() ? "" : ", ") + flat(item);
  return text;
}

std::string joinFlat(const std::vector<ExprPtr> &exprs, bool inDimension = false) {
  std::string text;
  for (const ExprPtr &expr : exprs)
    text += (text.empty() ? "" : ", ") + flat(*expr, 1, inDimension);
  return text;
}

/// The tightest context that an expression may stand in without parentheses.
unsigned bindingOf(const Expr &expr) {
  if (auto *binary = dynCast<BinaryExpr>(&expr))
    return precedence(binary->op);
  if (auto *unary = dynCast<UnaryExpr>(&expr))
    return unary->op == UnaryOp::Not ? notPrecedence : negatePrecedence;
  auto *call = dynCast<CallExpr>(&expr);
  return call && !call->instance.empty() ? postfixPrecedence - 1 : postfixPrecedence;
}

/// What the operands of a binary operator must bind at least as tightly as.
std::pair<unsigned, unsigned> operandMinima(BinaryOp op) {
  unsigned own = precedence(op);
  if (op == BinaryOp::Power)
    return {own + 1, negatePrecedence};
  return {isComparison(op) ? own + 1 : own, own + 1};
}

std::string flatBinary(const BinaryExpr &binary, bool inDimension) {
  auto [left, right] = operandMinima(binary.op);
  bool tight = inDimension && precedence(binary.op) == precedence(BinaryOp::Multiply);
  return fmt::format(fmt::runtime(tight ? "{}{}{}" : "{} {} {}"),
                     flat(*binary.left, left, inDimension), spelling(binary.op),
                     flat(*binary.right, right, inDimension));
}

std::string flatRange(const RangeExpr &range) {
  std::string text = range.start ? flat(*range.start) : "";
  text += ":";
  if (range.stop)
    text += flat(*range.stop);
  if (range.step)
    text += ":" + flat(*range.step);
  return text;
}

std::string suffix(const CallExpr &call) {
  return call.instance.empty() ? ")" : fmt::format(") as {}", call.instance);
}

std::string flatBare(const Expr &expr, bool inDimension) {
  switch (expr.kind()) {
  case Expr::Kind::Number:
    return dynCast<NumberExpr>(&expr)->spelling;
  case Expr::Kind::Bool:
    return dynCast<BoolExpr>(&expr)->value ? "true" : "false";
  case Expr::Kind::None:
    return "None";
  case Expr::Kind::String:
    return quote(dynCast<StringExpr>(&expr)->value);
  case Expr::Kind::Name:
    return dynCast<NameExpr>(&expr)->name;
  case Expr::Kind::List:
    return fmt::format("[{}]", joinFlat(dynCast<ListExpr>(&expr)->items));
  case Expr::Kind::Range:
    return flatRange(*dynCast<RangeExpr>(&expr));
  case Expr::Kind::Ellipsis:
    return "...";
  case Expr::Kind::Call: {
    auto *call = dynCast<CallExpr>(&expr);
    return fmt::format("{}({}{}", call->callee, joinFlat(call->args), suffix(*call));
  }
  case Expr::Kind::Subscript: {
    auto *subscript = dynCast<SubscriptExpr>(&expr);
    return fmt::format("{}[{}]", flat(*subscript->base, postfixPrecedence, inDimension),
                       joinFlat(subscript->indices));
  }
  case Expr::Kind::Unary: {
    auto *unary = dynCast<UnaryExpr>(&expr);
    bool negate = unary->op == UnaryOp::Negate;
    return (negate ? "-" : "not ") +
           flat(*unary->operand, negate ? negatePrecedence : notPrecedence, inDimension);
  }
  case Expr::Kind::Binary:
    return flatBinary(*dynCast<BinaryExpr>(&expr), inDimension);
  }
  return {};
}

bool mustBreak(const std::vector<Item> &items) {
  return std::any_of(items.begin(), items.end(), [](const Item &item) {
    return !item.trivia.empty() || nnc::mustBreak(*item.value);
  });
}

/// A number, perhaps negative, or another short literal: many of them stand on one line.
bool isScalarLiteral(const Expr &expr) {
  if (auto *unary = dynCast<UnaryExpr>(&expr))
    return unary->op == UnaryOp::Negate && NumberExpr::classof(unary->operand.get());
  return NumberExpr::classof(&expr) || BoolExpr::classof(&expr);
}

} // namespace

size_t width(std::string_view text) {
  return size_t(
      std::count_if(text.begin(), text.end(), [](char c) { return (uint8_t(c) & 0xC0) != 0x80; }));
}

std::string flat(const Expr &expr, unsigned minimum, bool inDimension) {
  std::string text = flatBare(expr, inDimension);
  return bindingOf(expr) < minimum ? fmt::format("({})", text) : text;
}

std::string flat(const Item &item) {
  return item.name.empty() ? flat(*item.value)
                           : fmt::format("{} = {}", item.name, flat(*item.value));
}

std::string flat(const Type &type) {
  return type.dims.empty()
             ? type.name
             : fmt::format("{}[{}]", type.name, joinFlat(type.dims, /*inDimension=*/true));
}

bool mustBreak(const Expr &expr) {
  if (auto *list = dynCast<ListExpr>(&expr))
    return list->broken || mustBreak(list->items);
  if (auto *call = dynCast<CallExpr>(&expr))
    return mustBreak(call->args);
  if (auto *subscript = dynCast<SubscriptExpr>(&expr))
    return mustBreak(*subscript->base);
  if (auto *unary = dynCast<UnaryExpr>(&expr))
    return mustBreak(*unary->operand);
  if (auto *binary = dynCast<BinaryExpr>(&expr))
    return mustBreak(*binary->left) || mustBreak(*binary->right);
  if (auto *range = dynCast<RangeExpr>(&expr))
    return (range->start && mustBreak(*range->start)) || (range->stop && mustBreak(*range->stop)) ||
           (range->step && mustBreak(*range->step));
  return false;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

void Printer::write(std::string_view text) {
  out += text;
  column += width(text);
}

void Printer::newLine(size_t indent) {
  out += '\n';
  out.append(indent, ' ');
  column = indent;
}

void Printer::layOut(const Expr &expr, unsigned minimum, size_t indent, size_t tail) {
  bool forced = mustBreak(expr);
  if (std::string text = forced ? "" : flat(expr, minimum); !forced && fits(text, tail))
    return write(text);
  bool parentheses = bindingOf(expr) < minimum;
  if (parentheses)
    write("(");
  tail += parentheses;
  if (auto *call = dynCast<CallExpr>(&expr); call && !call->args.empty()) {
    write(call->callee + "(");
    layOutItems(call->args, indent);
    write(suffix(*call));
  } else if (auto *list = dynCast<ListExpr>(&expr); list && !list->items.empty()) {
    write("[");
    layOutItems(list->items, indent);
    write("]");
  } else if (auto *subscript = dynCast<SubscriptExpr>(&expr)) {
    std::string indices = fmt::format("[{}]", joinFlat(subscript->indices));
    layOut(*subscript->base, postfixPrecedence, indent, tail + width(indices));
    write(indices);
  } else if (auto *unary = dynCast<UnaryExpr>(&expr)) {
    bool negate = unary->op == UnaryOp::Negate;
    write(negate ? "-" : "not ");
    layOut(*unary->operand, negate ? negatePrecedence : notPrecedence, indent, tail);
  } else if (auto *binary = dynCast<BinaryExpr>(&expr)) {
    layOutChain(*binary, indent, tail);
  } else if (auto *range = dynCast<RangeExpr>(&expr)) {
    if (range->start)
      layOut(*range->start, 1, indent, tail);
    write(":");
    if (range->stop)
      layOut(*range->stop, 1, indent, tail);
    if (range->step) {
      write(":");
      layOut(*range->step, 1, indent, tail);
    }
  } else {
    write(flatBare(expr, /*inDimension=*/false));
  }
  if (parentheses)
    write(")");
}

void Printer::layOutItems(const std::vector<Item> &items, size_t indent) {
  bool fill = std::all_of(items.begin(), items.end(), [](const Item &item) {
    return item.trivia.empty() && item.name.empty() && isScalarLiteral(*item.value);
  });
  if (fill)
    fillItems(items, indent + step);
  else
    for (const Item &item : items)
      layOutItem(item, indent + step, &item == &items.back());
  newLine(indent);
}

void Printer::layOutItem(const Item &item, size_t indent, bool last) {
  for (const std::optional<std::string> &comment : item.trivia.leading)
    comments({comment}, indent, /*atStart=*/false);
  newLine(indent);
  if (!item.name.empty())
    write(item.name + " = ");
  layOut(*item.value, 1, indent, !last);
  write(last ? "" : ",");
  trailing(item.trivia);
}

void Printer::fillItems(const std::vector<Item> &items, size_t indent) {
  newLine(indent);
  for (const Item &item : items) {
    bool last = &item == &items.back(), first = &item == &items.front();
    std::string text = flat(item) + (last ? "" : ",");
    if (!first && !fits(text, 1))
      newLine(indent);
    else if (!first)
      write(" ");
    write(text);
  }
}

/// `a + b - c`: the first operand, then a line for each operator of this level.
void Printer::layOutChain(const BinaryExpr &chain, size_t indent, size_t tail) {
  std::vector<const BinaryExpr *> links = {&chain};
  bool grouping = chain.op != BinaryOp::Power && !isComparison(chain.op);
  while (grouping) {
    auto *left = dynCast<BinaryExpr>(links.back()->left.get());
    if (!left || precedence(left->op) != precedence(chain.op))
      break;
    links.push_back(left);
  }
  std::reverse(links.begin(), links.end());
  layOut(*links.front()->left, operandMinima(links.front()->op).first, indent, 0);
  for (const BinaryExpr *link : links) {
    newLine(indent + 2 * step);
    write(fmt::format("{} ", spelling(link->op)));
    layOut(*link->right, operandMinima(link->op).second, indent + 2 * step, tail);
  }
}

void Printer::layOutValues(const std::vector<ExprPtr> &values, size_t indent, size_t tail) {
  for (const ExprPtr &value : values) {
    bool last = &value == &values.back(), first = &value == &values.front();
    if (!first && (mustBreak(*value) || !fits(" " + flat(*value), last ? tail : 1)))
      newLine(indent + 2 * step);
    else if (!first)
      write(" ");
    layOut(*value, 1, indent, last ? tail : 1);
    write(last ? "" : ",");
  }
}

std::string print(const Expr &expr) { return flat(expr); }
std::string print(const Type &type) { return flat(type); }

} // namespace nnc
