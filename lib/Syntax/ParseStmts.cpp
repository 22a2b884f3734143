//===- ParseStmts.cpp - Statements ----------------------------------------===//
//
//   block    := "{" {stmt (end of line | ";")} "}"
//   stmt     := target {"," target} "=" expr {"," expr}
//             | NAME "[" index, … "]" "=" expr
//             | ("param" | "state" | "record" | "collect" | "plot") target ["=" expr]
//             | "return" [expr, …] | "expect" expr
//             | "repeat" expr ["reverse"] ["as" NAME] ["with" binding, …] ["over" binding, …] block
//   target   := NAME [":" type]          binding := target "=" expr
//
// An expression goes on in the next line where that line starts with an operator; nothing else
// does, so that a forgotten bracket or operator is found where it is.
//
//===----------------------------------------------------------------------===//
#include "ParserImpl.h"
#include "Words.h"

#include <algorithm>
#include <iterator>

namespace nnc {

using namespace ast;

bool Parser::parseBlock(Block &block) {
  Nesting level(*this);
  if (!level.ok)
    return false;
  size_t opener = pos;
  if (!expect("{"))
    return false;
  while (!at("}") && !atEnd() && !startsDeclaration(pos))
    parseBlockStatement(block);
  block.dangling = takeComments(/*blankLines=*/true, /*atStart=*/block.stmts.empty());
  if (!at("}")) {
    expectedToken("'}'").note(tokens[opener].range, "'{' is opened here");
    return false;
  }
  bump();
  block.range = rangeFrom(opener);
  return true;
}

void Parser::parseBlockStatement(Block &block) {
  size_t first = pos;
  TriviaScope scope = beginTrivia(/*blankLines=*/true, /*atStart=*/block.stmts.empty());
  StmtPtr stmt = parseStmt();
  if (!stmt || !endStatement()) {
    recoverStatement(first);
    pending = std::move(scope.outer);
    return;
  }
  stmt->range = rangeFrom(first);
  consume(";");
  endTrivia(std::move(scope), stmt->trivia);
  block.stmts.push_back(std::move(stmt));
}

bool Parser::endStatement() {
  if (!sameLine() || at("}") || at(";"))
    return true;
  Diagnostic &diagnostic = expectedToken("the end of the line");
  if (at("="))
    diagnostic.help("equality is written '=='");
  else if (atWord("if"))
    diagnostic.help("a choice between values is written 'where(condition, x, y)'");
  else if (at("?"))
    diagnostic.help("a choice between values is written 'where(condition, x, y)'");
  else if (at("|"))
    diagnostic.help("'|' joins the stages of data; the logical operator is 'or'");
  else if (at(")") || at("]"))
    diagnostic.help("it closes nothing");
  else if (current().kind == Kind::Identifier)
    diagnostic.help("statements stand on lines of their own");
  return false;
}

StmtPtr Parser::parseStmt() {
  if (current().kind != Kind::Identifier)
    return notAStatement();
  if (atWord("return"))
    return parseReturn();
  if (atWord("expect"))
    return parseExpect();
  if (atWord("repeat"))
    return parseRepeat();
  if (ahead(1).kind == Kind::Identifier && !ahead(1).startsLine &&
      !words::isReserved(ahead(1).text)) {
    for (DeclareKind kind : {DeclareKind::Param, DeclareKind::State, DeclareKind::Record,
                             DeclareKind::Collect, DeclareKind::Plot})
      if (atWord(spelling(kind)))
        return parseDeclare(kind);
    return notAStatement();
  }
  return parseAssignOrUpdate();
}

/// Something that begins no statement; says what to write instead where that is known.
StmtPtr Parser::notAStatement() {
  Diagnostic &diagnostic = expectedToken("a statement");
  if (current().kind != Kind::Identifier)
    return nullptr;
  std::string_view word = current().text;
  if (std::string_view advice = words::statementAdvice(word); !advice.empty())
    diagnostic.help(std::string(advice));
  else if (words::isDeclaration(word) || !words::declarationAlias(word).empty())
    diagnostic.help("a declaration stands outside of the braces of others");
  else
    diagnostic.didYouMean(closestMatch(
        word, {"param", "state", "record", "collect", "plot", "return", "expect", "repeat"}));
  return nullptr;
}

StmtPtr Parser::parseAssignOrUpdate() {
  if (words::isReserved(current().text))
    return notAStatement();
  if (ahead(1).is("[") && !ahead(1).startsLine)
    return parseUpdate(tokens[bump()]);
  if (isOtherAssignment(ahead(1)))
    return otherAssignment(current().range.text(), ahead(1));
  bool assigns = ahead(1).is("=") || ahead(1).is(":") || ahead(1).is(",");
  if (!assigns) {
    if (std::string_view advice = words::statementAdvice(current().text); !advice.empty())
      return notAStatement();
    ExprPtr value = parseExpr();
    if (value)
      diagnostics.error(value->range, "expected a statement, found a value that is not used")
          .help("give it a name: 'name = value'");
    return nullptr;
  }
  auto stmt = std::make_unique<AssignStmt>();
  do {
    if (!parseTarget(stmt->targets.emplace_back()))
      return nullptr;
  } while (consume(","));
  return expect("=") && parseValues(stmt->values) ? std::move(stmt) : nullptr;
}

bool Parser::isOtherAssignment(const Token &token) {
  static constexpr std::string_view symbols[] = {"+=", "-=", "*=", "/=", "@=", "%=", "**=", ":="};
  return std::any_of(std::begin(symbols), std::end(symbols),
                     [&](std::string_view symbol) { return token.is(symbol); });
}

StmtPtr Parser::otherAssignment(std::string_view target, const Token &token) {
  Diagnostic &diagnostic =
      diagnostics.error(token.range, fmt::format("expected '=', found '{}'", token.text));
  std::string_view op = token.text.substr(0, token.text.size() - 1);
  if (op == ":")
    diagnostic.suggest(token.range, "=");
  else
    diagnostic.help(fmt::format("write '{0} = {0} {1} ...'", target, op));
  return nullptr;
}

StmtPtr Parser::parseUpdate(const Token &name) {
  auto stmt = std::make_unique<UpdateStmt>();
  stmt->name = name.text;
  stmt->nameRange = name.range;
  size_t opener = bump();
  if (!parseIndices(stmt->indices, opener))
    return nullptr;
  if (isOtherAssignment(current()))
    return otherAssignment(name.range.to(previousRange()).text(), current());
  if (!expect("="))
    return nullptr;
  stmt->value = parseExpr();
  return stmt->value ? std::move(stmt) : nullptr;
}

StmtPtr Parser::parseDeclare(DeclareKind kind) {
  auto stmt = std::make_unique<DeclareStmt>();
  stmt->declares = kind;
  bump();
  if (!parseTarget(stmt->target))
    return nullptr;
  bool needsValue = kind != DeclareKind::Param && kind != DeclareKind::State;
  if (needsValue && !at("=")) {
    expected("'='");
    return nullptr;
  }
  if (consume("=") && !(stmt->value = parseExpr()))
    return nullptr;
  return stmt;
}

StmtPtr Parser::parseReturn() {
  auto stmt = std::make_unique<ReturnStmt>();
  bump();
  if (!sameLine() || at("}") || at(";"))
    return stmt;
  return parseValues(stmt->values) ? std::move(stmt) : nullptr;
}

StmtPtr Parser::parseExpect() {
  auto stmt = std::make_unique<ExpectStmt>();
  bump();
  if (!sameLine()) {
    expected("a condition");
    return nullptr;
  }
  stmt->condition = parseExpr();
  return stmt->condition ? std::move(stmt) : nullptr;
}

bool Parser::parseTarget(Target &target) {
  const Token *name = expectName("a name");
  if (!name)
    return false;
  target.name = name->text;
  target.range = name->range;
  if (!consume(":"))
    return true;
  if (current().kind == Kind::Integer || current().kind == Kind::Float ||
      current().kind == Kind::String) {
    expected("a type such as f32[N, 3]")
        .help(fmt::format("a value follows '=': '{} = {}'", target.name, current().text));
    return false;
  }
  target.type = parseType();
  return target.type != nullptr;
}

bool Parser::parseValues(std::vector<ExprPtr> &values) {
  do {
    ExprPtr value = parseExpr();
    if (!value)
      return false;
    values.push_back(std::move(value));
  } while (consume(","));
  return true;
}

StmtPtr Parser::parseRepeat() {
  auto stmt = std::make_unique<RepeatStmt>();
  bump();
  return parseRepeatHead(*stmt) && parseBlock(stmt->body) ? std::move(stmt) : nullptr;
}

bool Parser::parseRepeatHead(RepeatStmt &stmt) {
  Setting oneLine(onOneLine, true);
  if (!sameLine()) {
    expected("the number of times");
    return false;
  }
  {
    Setting names(callsTakeNames, false);
    stmt.count = parseExpr();
  }
  if (!stmt.count)
    return false;
  stmt.reverse = consumeWord("reverse");
  if (consumeWord("as")) {
    const Token *name = expectName("a name for the index");
    if (!name)
      return false;
    stmt.index.emplace();
    stmt.index->name = name->text;
    stmt.index->range = name->range;
  }
  if (consumeWord("with") && !parseBindings(stmt.carried))
    return false;
  if (consumeWord("over") && !parseBindings(stmt.over))
    return false;
  if (at("{"))
    return true;
  std::string clauses = stmt.over.empty() ? "'over' or '{'" : "'{'";
  if (stmt.carried.empty() && stmt.over.empty())
    clauses = stmt.index ? "'with', 'over' or '{'" : "'reverse', 'as', 'with', 'over' or '{'";
  expected(clauses);
  return false;
}

bool Parser::parseBindings(std::vector<RepeatStmt::Binding> &bindings) {
  do {
    RepeatStmt::Binding &binding = bindings.emplace_back();
    if (!parseTarget(binding.target) || !expect("=") || !(binding.value = parseExpr()))
      return false;
  } while (consume(","));
  return true;
}

} // namespace nnc
