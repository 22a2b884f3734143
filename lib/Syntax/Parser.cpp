//===- Parser.cpp - Tokens, comments and recovery -------------------------===//
//
// What every rule of the grammar uses: stepping over tokens, "expected … found …", keeping comments
// with the node they are about, and finding a place to go on after a mistake.
//
//===----------------------------------------------------------------------===//
#include "nnc/Syntax/Parser.h"

#include "ParserImpl.h"
#include "Words.h"

#include <algorithm>

namespace nnc {

std::unique_ptr<ast::File> parse(const SourceFile &file, DiagnosticEngine &diagnostics) {
  return Parser(file, diagnostics).parseFile();
}

ast::ExprPtr parseExpression(const SourceFile &text, DiagnosticEngine &diagnostics) {
  return Parser(text, diagnostics).parseWholeExpression();
}

Parser::Parser(const SourceFile &inFile, DiagnosticEngine &engine)
    : file(inFile), diagnostics(engine), tokens(tokenize(inFile, engine)) {
  matchBrackets();
}

ast::ExprPtr Parser::parseWholeExpression() {
  ast::ExprPtr expr = parseExpr();
  if (expr && !atEnd()) {
    expected("the end of the value");
    return nullptr;
  }
  return expr;
}

std::unique_ptr<ast::File> Parser::parseFile() {
  auto result = std::make_unique<ast::File>();
  result->source = &file;
  while (!atEnd()) {
    size_t first = pos;
    TriviaScope scope = beginTrivia(/*blankLines=*/true, /*atStart=*/result->decls.empty());
    ast::DeclPtr decl = parseDecl();
    if (!decl) {
      recoverDeclaration(first);
      pending = std::move(scope.outer);
      continue;
    }
    decl->range = rangeFrom(first);
    endTrivia(std::move(scope), decl->trivia);
    result->decls.push_back(std::move(decl));
  }
  result->dangling = takeComments(/*blankLines=*/true, /*atStart=*/result->decls.empty());
  return result;
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

SourceRange Parser::previousRange() const {
  return pos == 0 ? SourceRange(&file, 0, 0) : tokens[pos - 1].range;
}

SourceRange Parser::rangeFrom(size_t first) const {
  return tokens[first].range.to(pos > first ? previousRange() : tokens[first].range);
}

size_t Parser::bump() {
  for (Comment &comment : tokens[pos].comments)
    pending.push_back(std::move(comment));
  tokens[pos].comments.clear();
  return atEnd() ? pos : pos++;
}

bool Parser::consume(std::string_view symbol) {
  bool found = at(symbol);
  if (found)
    bump();
  return found;
}

bool Parser::consumeWord(std::string_view word) {
  bool found = atWord(word);
  if (found)
    bump();
  return found;
}

bool Parser::startsDeclaration(size_t index) const {
  // An import ends with its line; in a body it is a mistake of its own, not a sign of a missing brace.
  const Token &token = tokens[index];
  return token.startsLine && token.kind == Kind::Identifier && words::isDeclaration(token.text) &&
         token.text != "import" && index + 1 < tokens.size() &&
         tokens[index + 1].kind == Kind::Identifier;
}

/// Finds the closing bracket of each opening one. A bracket that is never closed does not take
/// those around it along: a `}` closes the nearest `{`, and a declaration starts afresh.
void Parser::matchBrackets() {
  closers.assign(tokens.size(), none);
  std::vector<size_t> open;
  auto opens = [&](size_t index, std::string_view symbol) { return tokens[index].is(symbol); };
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token &token = tokens[i];
    if (startsDeclaration(i))
      open.clear();
    if (token.is("(") || token.is("[") || token.is("{"))
      open.push_back(i);
    bool closesBrace = token.is("}");
    if (!closesBrace && !token.is(")") && !token.is("]"))
      continue;
    std::string_view opener = closesBrace ? "{" : token.is(")") ? "(" : "[";
    // Nothing nests deeper than this, and text that is all brackets must not take quadratic time.
    size_t depth = open.size(), lowest = depth > ast::maxNesting ? depth - ast::maxNesting : 0;
    while (depth > lowest && !opens(open[depth - 1], opener) &&
           (closesBrace || !opens(open[depth - 1], "{")))
      --depth;
    if (depth == lowest || !opens(open[depth - 1], opener))
      continue;
    closers[open[depth - 1]] = i;
    open.resize(depth - 1);
  }
}

//===----------------------------------------------------------------------===//
// Reporting
//===----------------------------------------------------------------------===//

std::string Parser::describe(const Token &token) {
  constexpr size_t longest = 40;
  if (token.kind == Kind::EndOfFile)
    return "the end of the file";
  std::string_view text = token.text;
  if (text.size() <= longest)
    return fmt::format("'{}'", text);
  size_t cut = longest;
  while (cut > 0 && (uint8_t(text[cut]) & 0xC0) == 0x80)
    --cut;
  return fmt::format("'{}...'", text.substr(0, cut));
}

Diagnostic &Parser::errorAt(SourceRange range, std::string message) {
  if (current().kind != Kind::Error)
    return diagnostics.error(range, std::move(message));
  alreadyReported = {Severity::Error, range, std::move(message), {}, {}, {}};
  return alreadyReported;
}

Diagnostic &Parser::expected(std::string_view what) {
  if (pos > 0 && !atEnd() && current().startsLine)
    return errorAt(previousRange().after(),
                   fmt::format("expected {}, found the end of the line", what));
  return expectedToken(what);
}

Diagnostic &Parser::expectedToken(std::string_view what) {
  SourceRange range = atEnd() ? previousRange().after() : current().range;
  return errorAt(range, fmt::format("expected {}, found {}", what, describe(current())));
}

bool Parser::expect(std::string_view symbol) {
  if (consume(symbol))
    return true;
  expected(fmt::format("'{}'", symbol));
  return false;
}

bool Parser::expectClosing(size_t opener, std::string_view closer, bool inList) {
  if (consume(closer))
    return true;
  const Token &open = tokens[opener];
  if (closers[opener] == none) {
    expected(fmt::format("'{}'", closer))
        .note(open.range, fmt::format("'{}' is opened here", open.text));
    return false;
  }
  // The bracket is closed further on, so what is here does not belong.
  std::string what = inList ? fmt::format("',' or '{}'", closer) : fmt::format("'{}'", closer);
  Diagnostic &diagnostic = expectedToken(what);
  if (inList && startsExpression())
    diagnostic.help("a comma may be missing in front of it");
  if (inList && at("="))
    diagnostic.help("equality is written '=='");
  return false;
}

const Token *Parser::expectName(std::string_view what) {
  if (current().kind != Kind::Identifier) {
    expected(what);
    return nullptr;
  }
  if (words::isReserved(current().text)) {
    expected(what).help(fmt::format("'{}' is a word of the language", current().text));
    return nullptr;
  }
  return &tokens[bump()];
}

Diagnostic &Parser::tooDeep(SourceRange range) {
  return diagnostics
      .error(range, fmt::format("expected at most {} levels of nesting", ast::maxNesting))
      .help("give a part of it a name of its own");
}

void Parser::recoverStatement(size_t first) {
  for (size_t i = first; i < pos; ++i)
    if (closers[i] != none && closers[i] >= pos)
      pos = closers[i] + 1;
  while (!atEnd() && !at("}") && !at(";") && !(current().startsLine && pos > first))
    pos = closers[pos] != none ? closers[pos] + 1 : pos + 1;
  if (at(";"))
    ++pos;
}

void Parser::recoverDeclaration(size_t first) {
  pos = std::max(pos, first + 1);
  while (!atEnd() && !startsDeclaration(pos))
    ++pos;
}

//===----------------------------------------------------------------------===//
// Comments
//===----------------------------------------------------------------------===//

Parser::Lines Parser::takeComments(bool blankLines, bool atStart) {
  Lines lines;
  for (Comment &comment : tokens[pos].comments) {
    if (blankLines && comment.blankBefore && !(atStart && lines.empty()))
      lines.push_back(std::nullopt);
    lines.push_back(std::move(comment.text));
  }
  tokens[pos].comments.clear();
  return lines;
}

Parser::TriviaScope Parser::beginTrivia(bool blankLines, bool atStart) {
  TriviaScope scope;
  if (!onOneLine)
    scope.trivia.leading = takeComments(blankLines, atStart);
  if (blankLines && current().blankBefore && !(atStart && scope.trivia.leading.empty()))
    scope.trivia.leading.push_back(std::nullopt);
  scope.outer = std::move(pending);
  pending.clear();
  return scope;
}

void Parser::endTrivia(TriviaScope scope, ast::Trivia &result) {
  if (onOneLine) {
    scope.outer.insert(scope.outer.end(), pending.begin(), pending.end());
    pending = std::move(scope.outer);
    return;
  }
  for (Comment &comment : pending)
    scope.trivia.leading.push_back(std::move(comment.text));
  pending = std::move(scope.outer);
  takeTrailing(scope.trivia);
  result = std::move(scope.trivia);
}

void Parser::takeTrailing(ast::Trivia &trivia) {
  std::vector<Comment> &comments = tokens[pos].comments;
  if (onOneLine || comments.empty() || !comments.front().trailing)
    return;
  if (trivia.trailing)
    trivia.leading.push_back(std::move(trivia.trailing));
  trivia.trailing = std::move(comments.front().text);
  comments.erase(comments.begin());
}

} // namespace nnc
