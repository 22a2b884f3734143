//===- ParserImpl.h - The recursive descent parser ---------------*- C++ -*-===//
//
// One method per rule of the grammar. A method that fails has reported and returns null or false;
// its callers return at once, up to the statement or declaration, which skips to the next one.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_PARSERIMPL_H
#define NNC_SYNTAX_PARSERIMPL_H

#include "nnc/Support/Diagnostics.h"
#include "nnc/Syntax/AST.h"
#include "nnc/Syntax/Lexer.h"

#include <fmt/format.h>

#include <initializer_list>

namespace nnc {

class Parser {
public:
  Parser(const SourceFile &file, DiagnosticEngine &engine);

  std::unique_ptr<ast::File> parseFile();
  /// The whole input as one expression.
  ast::ExprPtr parseWholeExpression();

private:
  using Kind = Token::Kind;
  static constexpr size_t none = SIZE_MAX;

  //===--- Tokens (Parser.cpp) -------------------------------------------===//
  const Token &current() const { return tokens[pos]; }
  const Token &ahead(size_t count) const {
    return tokens[std::min(pos + count, tokens.size() - 1)];
  }
  bool at(std::string_view symbol) const { return current().is(symbol); }
  bool atWord(std::string_view word) const { return current().isWord(word); }
  bool atEnd() const { return current().kind == Kind::EndOfFile; }
  /// Whether the current token continues the line rather than starting one.
  bool sameLine() const { return !current().startsLine && !atEnd(); }
  /// The range of the token before the current one.
  SourceRange previousRange() const;
  /// From token `first` to the token before the current one.
  SourceRange rangeFrom(size_t first) const;
  /// Steps over the current token; returns its index.
  size_t bump();
  bool consume(std::string_view symbol);
  bool consumeWord(std::string_view word);
  void matchBrackets();
  bool startsDeclaration(size_t index) const;

  //===--- Reporting (Parser.cpp) ----------------------------------------===//
  /// An error about the current token; silent where the lexer has reported that token.
  Diagnostic &errorAt(SourceRange range, std::string message);
  /// "expected WHAT, found the current token", or the end of the line in front of it.
  Diagnostic &expected(std::string_view what);
  Diagnostic &expectedToken(std::string_view what);
  static std::string describe(const Token &token);
  bool expect(std::string_view symbol);
  /// Closes the bracket opened by token `opener`, or says which bracket is open.
  bool expectClosing(size_t opener, std::string_view closer, bool inList);
  /// A name being declared or referred to; null after an error.
  const Token *expectName(std::string_view what);
  /// Skips to the next line outside the brackets that the statement from `first` on has opened.
  void recoverStatement(size_t first);
  void recoverDeclaration(size_t first);
  Diagnostic &tooDeep(SourceRange range);

  //===--- Comments (Parser.cpp) -----------------------------------------===//
  using Lines = std::vector<std::optional<std::string>>;
  /// The comments of one node while it is being read: those in front of it, and those within it
  /// that belong to none of its parts.
  struct TriviaScope {
    ast::Trivia trivia;
    std::vector<Comment> outer;
  };
  /// `blankLines` keeps empty lines between and behind the comments; `atStart` drops the first.
  TriviaScope beginTrivia(bool blankLines, bool atStart);
  void endTrivia(TriviaScope scope, ast::Trivia &result);
  void takeTrailing(ast::Trivia &trivia);
  Lines takeComments(bool blankLines, bool atStart);

  //===--- Declarations (ParseDecls.cpp) ---------------------------------===//
  ast::DeclPtr parseDecl();
  std::optional<std::string> declarationKeyword();
  ast::DeclPtr parseFragment(ast::FragmentKind kind);
  ast::DeclPtr parseImport();
  ast::DeclPtr parseData();
  ast::DeclPtr parseTrain();
  ast::DeclPtr parseTest();
  bool parseParams(std::vector<ast::Param> &params);
  bool parseParam(ast::Param &param);
  bool parseResults(std::vector<ast::Result> &results);
  bool parseResult(ast::Result &result);
  bool parseDataUse(std::optional<ast::DataUse> &use);
  bool parseStages(std::vector<ast::Item> &stages);
  bool parseStage(ast::Item &stage);
  ast::TypePtr parseType();

  //===--- Statements (ParseStmts.cpp) -----------------------------------===//
  bool parseBlock(ast::Block &block);
  void parseBlockStatement(ast::Block &block);
  ast::StmtPtr parseStmt();
  ast::StmtPtr parseAssignOrUpdate();
  /// Whether `token` is `+=` or the like, which the language lacks.
  static bool isOtherAssignment(const Token &token);
  ast::StmtPtr otherAssignment(std::string_view target, const Token &token);
  ast::StmtPtr parseUpdate(const Token &name);
  ast::StmtPtr parseDeclare(ast::DeclareKind kind);
  ast::StmtPtr parseReturn();
  ast::StmtPtr parseExpect();
  ast::StmtPtr parseRepeat();
  bool parseRepeatHead(ast::RepeatStmt &stmt);
  bool parseBindings(std::vector<ast::RepeatStmt::Binding> &bindings);
  bool parseTarget(ast::Target &target);
  bool parseValues(std::vector<ast::ExprPtr> &values);
  ast::StmtPtr notAStatement();
  bool endStatement();

  //===--- Expressions (ParseExprs.cpp) ----------------------------------===//
  ast::ExprPtr parseExpr(unsigned minimum = 1);
  ast::ExprPtr parsePrefix(unsigned minimum);
  ast::ExprPtr parsePostfix();
  ast::ExprPtr parsePrimary();
  ast::ExprPtr parseParenthesized();
  ast::ExprPtr parseNumber();
  ast::ExprPtr parseString();
  ast::ExprPtr parseWord();
  ast::ExprPtr parseList();
  ast::ExprPtr parseCall(ast::ExprPtr callee);
  ast::ExprPtr parseSubscript(ast::ExprPtr base);
  bool parseIndices(std::vector<ast::ExprPtr> &indices, size_t opener);
  /// An expression or a range `a:b:c`.
  ast::ExprPtr parseIndex();
  bool parseItems(std::vector<ast::Item> &items, size_t opener, std::string_view closer,
                  bool named);
  bool parseItem(ast::Item &item, bool named);
  std::optional<ast::BinaryOp> binaryOperator();
  bool startsExpression() const;

  /// Gives a node its range and its depth from its parts; null if that is too deep.
  template <typename Node>
  ast::ExprPtr finish(std::unique_ptr<Node> node, SourceRange range,
                      std::initializer_list<const ast::Expr *> parts) {
    node->range = range;
    for (const ast::Expr *part : parts)
      if (part)
        node->depth = std::max(node->depth, part->depth + 1);
    if (node->depth > ast::maxNesting)
      return tooDeep(range), nullptr;
    return node;
  }
  static void deepen(ast::Expr &node, const ast::Expr &part) {
    node.depth = std::max(node.depth, part.depth + 1);
  }

  /// Sets a flag of the parser for the length of a scope.
  struct Setting {
    Setting(bool &inFlag, bool value) : flag(inFlag), before(inFlag) { flag = value; }
    ~Setting() { flag = before; }
    bool &flag;
    bool before;
  };

  /// Counts how deep the parser itself is; `ok` is false where it must not go further.
  struct Nesting {
    explicit Nesting(Parser &inParser)
        : parser(inParser), ok(++inParser.nesting <= ast::maxNesting) {
      if (!ok)
        parser.tooDeep(parser.current().range);
    }
    ~Nesting() { --parser.nesting; }
    Parser &parser;
    bool ok;
  };

  const SourceFile &file;
  DiagnosticEngine &diagnostics;
  std::vector<Token> tokens;
  /// For the index of an opening bracket, the index of its closing one, or `none`.
  std::vector<size_t> closers;
  /// Comments passed within the node being read.
  std::vector<Comment> pending;
  size_t pos = 0;
  unsigned nesting = 0;
  /// `f(x) as i` does not name the call here: in `repeat f(x) as i`.
  bool callsTakeNames = true;
  /// The printer keeps what is being read on one line: comments within go to the statement.
  bool onOneLine = false;
  /// Takes what is said about a token that the lexer has reported.
  Diagnostic alreadyReported;
};

} // namespace nnc

#endif // NNC_SYNTAX_PARSERIMPL_H
