//===- ParseExprs.cpp - Expressions ---------------------------------------===//
//
// Precedence climbing, loosest first:
//
//   or | and | not | == != < <= > >= | + - | * / % @ | unary - | ** | f(x) as name, x[i]
//
// Comparisons do not chain. `**` groups to the right, the others to the left, as in Python.
//
//===----------------------------------------------------------------------===//
#include "ParserImpl.h"
#include "Words.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace nnc {

using namespace ast;

namespace {
constexpr unsigned notPrecedence = 3;
constexpr unsigned negatePrecedence = 7;

struct Operator {
  std::string_view text;
  BinaryOp op;
  std::string_view meant; ///< what to write where the language has another spelling
};
constexpr Operator operators[] = {{"or", BinaryOp::Or, ""},      {"and", BinaryOp::And, ""},
                                  {"==", BinaryOp::Equal, ""},   {"!=", BinaryOp::NotEqual, ""},
                                  {"<", BinaryOp::Less, ""},     {"<=", BinaryOp::LessEqual, ""},
                                  {">", BinaryOp::Greater, ""},  {">=", BinaryOp::GreaterEqual, ""},
                                  {"+", BinaryOp::Add, ""},      {"-", BinaryOp::Subtract, ""},
                                  {"*", BinaryOp::Multiply, ""}, {"/", BinaryOp::Divide, ""},
                                  {"%", BinaryOp::Modulo, ""},   {"@", BinaryOp::MatMul, ""},
                                  {"**", BinaryOp::Power, ""},   {"^", BinaryOp::Power, "**"},
                                  {"&&", BinaryOp::And, "and"},  {"&", BinaryOp::And, "and"},
                                  {"||", BinaryOp::Or, "or"}};
} // namespace

/// The operator at the current token, a foreign spelling reported.
std::optional<BinaryOp> Parser::binaryOperator() {
  for (const Operator &entry : operators)
    if (current().text == entry.text && current().kind != Kind::String) {
      if (!entry.meant.empty())
        diagnostics
            .error(current().range,
                   fmt::format("expected an operator, found {}", describe(current())))
            .suggest(current().range, std::string(entry.meant));
      return entry.op;
    }
  return std::nullopt;
}

bool Parser::startsExpression() const {
  Kind kind = current().kind;
  return kind == Kind::Identifier || kind == Kind::Integer || kind == Kind::Float ||
         kind == Kind::String || at("(") || at("[") || at("-");
}

ExprPtr Parser::parseExpr(unsigned minimum) {
  Nesting level(*this);
  if (!level.ok)
    return nullptr;
  ExprPtr left = parsePrefix(minimum);
  bool leftCompares = false;
  while (left) {
    size_t opIndex = pos;
    std::optional<BinaryOp> op = binaryOperator();
    if (!op || precedence(*op) < minimum)
      return left;
    if (isComparison(*op) && leftCompares) {
      diagnostics.error(current().range, "expected one comparison, found a chain of them")
          .help("join comparisons by 'and': 'a < b and b < c'");
      return nullptr;
    }
    leftCompares = isComparison(*op);
    bump();
    auto binary = std::make_unique<BinaryExpr>();
    binary->op = *op;
    binary->opRange = tokens[opIndex].range;
    binary->left = std::move(left);
    binary->right = parseExpr(*op == BinaryOp::Power ? negatePrecedence : precedence(*op) + 1);
    if (!binary->right)
      return nullptr;
    SourceRange range = binary->left->range.to(previousRange());
    const Expr *parts[] = {binary->left.get(), binary->right.get()};
    left = finish(std::move(binary), range, {parts[0], parts[1]});
  }
  return nullptr;
}

ExprPtr Parser::parsePrefix(unsigned minimum) {
  size_t first = pos;
  bool negate = at("-"), invert = atWord("not") && minimum <= notPrecedence;
  if (at("!")) {
    diagnostics.error(current().range, "expected an expression, found '!'")
        .suggest(current().range, "not");
    invert = true;
  }
  if (atWord("not") && !invert) {
    expected("an expression").help("'not' binds loosely; put it in parentheses: '(not x)'");
    return nullptr;
  }
  if (!negate && !invert)
    return parsePostfix();
  bump();
  auto unary = std::make_unique<UnaryExpr>();
  unary->op = negate ? UnaryOp::Negate : UnaryOp::Not;
  unary->operand = parseExpr(negate ? negatePrecedence : notPrecedence);
  if (!unary->operand)
    return nullptr;
  const Expr *operand = unary->operand.get();
  return finish(std::move(unary), rangeFrom(first), {operand});
}

ExprPtr Parser::parsePostfix() {
  ExprPtr expr = parsePrimary();
  while (expr && sameLine()) {
    if (at("(")) {
      expr = parseCall(std::move(expr));
    } else if (at("[")) {
      expr = parseSubscript(std::move(expr));
    } else if (at(".")) {
      Diagnostic &diagnostic = expectedToken("an operator");
      if (ahead(1).kind == Kind::Identifier)
        diagnostic.help(fmt::format("there are no methods; write a call: '{}(x)'", ahead(1).text));
      return nullptr;
    } else {
      break;
    }
  }
  return expr;
}

ExprPtr Parser::parsePrimary() {
  const Token &token = current();
  // `x = a +` at the end of a line: do not read the next statement's name as the operand.
  bool nextStatement = token.startsLine && token.kind == Kind::Identifier && ahead(1).is("=");
  if (nextStatement && pos > 0 && !tokens[pos - 1].is("(")) {
    expected("an expression");
    return nullptr;
  }
  switch (token.kind) {
  case Kind::Identifier:
    return parseWord();
  case Kind::Integer:
  case Kind::Float:
    return parseNumber();
  case Kind::String:
    return parseString();
  default:
    break;
  }
  if (at("("))
    return parseParenthesized();
  if (at("["))
    return parseList();
  if (at("..."))
    return finish(std::make_unique<EllipsisExpr>(), tokens[bump()].range, {});
  Diagnostic &diagnostic = expected("an expression");
  if (at("="))
    diagnostic.help("equality is written '=='");
  if (at("{") && pos > 0 && tokens[pos - 1].is("="))
    diagnostic.help("lists are written in brackets: '[1, 2]'");
  return nullptr;
}

ExprPtr Parser::parseParenthesized() {
  size_t opener = bump();
  Setting names(callsTakeNames, true);
  ExprPtr inner = parseExpr();
  if (!inner)
    return nullptr;
  if (at(",")) {
    expected("')'").help("several values are written without parentheses: 'a, b'");
    return nullptr;
  }
  if (!expectClosing(opener, ")", /*inList=*/false))
    return nullptr;
  inner->range = rangeFrom(opener);
  return inner;
}

/// A name, or one of the words that stand for a value.
ExprPtr Parser::parseWord() {
  std::string_view word = current().text;
  SourceRange range = current().range;
  auto boolean = [&](bool value) {
    auto expr = std::make_unique<BoolExpr>();
    expr->value = value;
    bump();
    return finish(std::move(expr), range, {});
  };
  if (word == "True" || word == "False")
    diagnostics.error(range, fmt::format("expected a value, found '{}'", word))
        .suggest(range, word == "True" ? "true" : "false");
  if (word == "true" || word == "True")
    return boolean(true);
  if (word == "false" || word == "False")
    return boolean(false);
  if (word == "None") {
    bump();
    return finish(std::make_unique<NoneExpr>(), range, {});
  }
  if (word == "inf" || word == "nan") {
    auto number = std::make_unique<NumberExpr>();
    number->spelling = word;
    number->value = word == "inf" ? std::numeric_limits<double>::infinity()
                                  : std::numeric_limits<double>::quiet_NaN();
    bump();
    return finish(std::move(number), range, {});
  }
  if (words::isReserved(word)) {
    expected("an expression");
    return nullptr;
  }
  auto name = std::make_unique<NameExpr>();
  name->name = word;
  bump();
  return finish(std::move(name), range, {});
}

ExprPtr Parser::parseNumber() {
  const Token &token = current();
  auto number = std::make_unique<NumberExpr>();
  number->spelling = token.text;
  number->isInteger = token.kind == Kind::Integer;
  number->value = std::strtod(number->spelling.c_str(), nullptr);
  if (number->isInteger) {
    constexpr uint64_t limit = uint64_t(1) << 63;
    bool hex = token.text.size() > 1 && (token.text[1] == 'x' || token.text[1] == 'X');
    errno = 0;
    number->integer = std::strtoull(number->spelling.c_str(), nullptr, hex ? 16 : 10);
    // The one integer that has no positive counterpart may stand behind a minus.
    bool negated = pos > 0 && tokens[pos - 1].is("-") && !ahead(1).is("**");
    if (errno == ERANGE || number->integer > limit || (number->integer == limit && !negated)) {
      diagnostics.error(token.range,
                        "expected an integer that fits in i64 (at most 9223372036854775807)");
      return nullptr;
    }
  } else if (std::isinf(number->value)) {
    diagnostics.error(token.range, "expected a number that fits in f64 (at most about 1.8e308)");
    return nullptr;
  }
  SourceRange range = token.range;
  bump();
  return finish(std::move(number), range, {});
}

ExprPtr Parser::parseString() {
  size_t index = bump();
  std::string_view text = tokens[index].text;
  auto string = std::make_unique<StringExpr>();
  // Other quotes have been reported.
  std::string_view body = text.substr(1);
  if (!body.empty() && body.back() == text.front())
    body.remove_suffix(1);
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\' || i + 1 == body.size()) {
      string->value += body[i];
      continue;
    }
    static constexpr std::string_view escapes = "ntr0\"'\\",
                                      values = std::string_view("\n\t\r\0\"'\\", 7);
    size_t escape = escapes.find(body[++i]);
    if (escape == std::string_view::npos) {
      uint32_t at = tokens[index].range.begin + uint32_t(i);
      diagnostics
          .error(SourceRange(&file, at, at + 2), fmt::format("unknown escape '\\{}'", body[i]))
          .help("the escapes are \\n, \\t, \\r, \\0, \\\" and \\\\");
      return nullptr;
    }
    string->value += values[escape];
  }
  return finish(std::move(string), tokens[index].range, {});
}

ExprPtr Parser::parseList() {
  auto list = std::make_unique<ListExpr>();
  size_t opener = bump();
  list->broken = !onOneLine && current().startsLine && !at("]");
  if (!parseItems(list->items, opener, "]", /*named=*/false))
    return nullptr;
  for (const Item &item : list->items)
    deepen(*list, *item.value);
  return finish(std::move(list), rangeFrom(opener), {});
}

ExprPtr Parser::parseCall(ExprPtr callee) {
  const NameExpr *name = dynCast<NameExpr>(callee.get());
  if (!name) {
    diagnostics.error(current().range, "expected an operator, found '('")
        .help("only a name can be called; a product is written 'a * b'");
    return nullptr;
  }
  auto call = std::make_unique<CallExpr>();
  call->callee = name->name;
  call->calleeRange = name->range;
  size_t opener = bump();
  if (!parseItems(call->args, opener, ")", /*named=*/true))
    return nullptr;
  for (const Item &arg : call->args)
    deepen(*call, *arg.value);
  if (callsTakeNames && consumeWord("as")) {
    const Token *instance = expectName("a name for the layer");
    if (!instance)
      return nullptr;
    call->instance = instance->text;
    call->instanceRange = instance->range;
  }
  SourceRange range = call->calleeRange.to(previousRange());
  return finish(std::move(call), range, {});
}

bool Parser::parseItems(std::vector<Item> &items, size_t opener, std::string_view closer,
                        bool named) {
  Setting names(callsTakeNames, true);
  while (!at(closer)) {
    TriviaScope scope = beginTrivia(/*blankLines=*/false, false);
    Item &item = items.emplace_back();
    if (!parseItem(item, named))
      return false;
    takeTrailing(scope.trivia);
    bool more = consume(",");
    endTrivia(std::move(scope), item.trivia);
    if (!more)
      break;
  }
  return expectClosing(opener, closer, /*inList=*/true);
}

bool Parser::parseItem(Item &item, bool named) {
  if (named && current().kind == Kind::Identifier && ahead(1).is("=")) {
    item.name = current().text;
    item.nameRange = current().range;
    bump();
    bump();
  }
  return (item.value = parseIndex()) != nullptr;
}

ExprPtr Parser::parseIndex() {
  size_t first = pos;
  ExprPtr start;
  if (!at(":") && !(start = parseExpr()))
    return nullptr;
  if (!at(":"))
    return start;
  auto range = std::make_unique<RangeExpr>();
  range->start = std::move(start);
  bump();
  auto endsPart = [&] { return at(":") || at(",") || at("]") || at(")"); };
  if (!endsPart() && !(range->stop = parseExpr()))
    return nullptr;
  if (consume(":") && !endsPart() && !(range->step = parseExpr()))
    return nullptr;
  const Expr *parts[] = {range->start.get(), range->stop.get(), range->step.get()};
  return finish(std::move(range), rangeFrom(first), {parts[0], parts[1], parts[2]});
}

ExprPtr Parser::parseSubscript(ExprPtr base) {
  auto subscript = std::make_unique<SubscriptExpr>();
  size_t opener = bump();
  if (!parseIndices(subscript->indices, opener))
    return nullptr;
  for (const ExprPtr &index : subscript->indices)
    deepen(*subscript, *index);
  SourceRange range = base->range.to(previousRange());
  subscript->base = std::move(base);
  const Expr *part = subscript->base.get();
  return finish(std::move(subscript), range, {part});
}

bool Parser::parseIndices(std::vector<ExprPtr> &indices, size_t opener) {
  Setting names(callsTakeNames, true), oneLine(onOneLine, true);
  if (at("]")) {
    expected("an index");
    return false;
  }
  while (!at("]")) {
    ExprPtr index = parseIndex();
    if (!index)
      return false;
    indices.push_back(std::move(index));
    if (!consume(","))
      break;
  }
  return expectClosing(opener, "]", /*inList=*/true);
}

} // namespace nnc
