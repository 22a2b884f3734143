//===- ParseDecls.cpp - Declarations --------------------------------------===//
//
//   decl     := "import" STRING
//             | ("func" | "layer" | "model" | "optimizer") NAME "(" params ")" ["->" results] block
//             | "data" NAME ("=" stage {"|" stage} | block)
//             | "train" NAME ["on" use] block | "test" NAME ["on" use] block
//   param    := [role] NAME [":" type] ["=" expr]
//   results  := type | "(" [role] [NAME ":"] type, … ")"
//   use      := NAME ["(" NAME [":" type], … ")"]
//   type     := NAME ["[" (expr | "..."), … "]"]
//
//===----------------------------------------------------------------------===//
#include "ParserImpl.h"
#include "Words.h"

namespace nnc {

using namespace ast;

/// The keyword that the current word is or stands for: "func" also for a reported "def" or "fnuc".
std::optional<std::string> Parser::declarationKeyword() {
  const Token &token = current();
  if (token.kind == Kind::Identifier && words::isDeclaration(token.text))
    return std::string(token.text);
  constexpr std::string_view what = "func, layer, model, optimizer, data, train, test or import";
  if (token.kind == Kind::Identifier && ahead(1).kind == Kind::String) {
    // Nothing else has a string behind its first word: use "layers.nn".
    expectedToken(what).suggest(token.range, "import");
    return "import";
  }
  if (token.kind != Kind::Identifier || ahead(1).kind != Kind::Identifier) {
    bool statement = token.kind == Kind::Identifier && (ahead(1).is("=") || ahead(1).is(":"));
    Diagnostic &diagnostic = expectedToken(what);
    if (statement)
      diagnostic.help("a statement belongs inside the braces of one of these");
    return std::nullopt;
  }
  std::optional<std::string> meant;
  if (std::string_view alias = words::declarationAlias(token.text); !alias.empty())
    meant = std::string(alias);
  else
    meant = closestMatch(
        token.text, {"func", "layer", "model", "optimizer", "data", "train", "test", "import"});
  Diagnostic &diagnostic = expectedToken(what);
  if (meant)
    diagnostic.suggest(token.range, *meant);
  return meant;
}

DeclPtr Parser::parseDecl() {
  std::optional<std::string> keyword = declarationKeyword();
  if (!keyword)
    return nullptr;
  bump();
  if (*keyword == "import")
    return parseImport();
  if (*keyword == "func")
    return parseFragment(FragmentKind::Func);
  if (*keyword == "layer")
    return parseFragment(FragmentKind::Layer);
  if (*keyword == "model")
    return parseFragment(FragmentKind::Model);
  if (*keyword == "optimizer")
    return parseFragment(FragmentKind::Optimizer);
  if (*keyword == "data")
    return parseData();
  return *keyword == "train" ? parseTrain() : parseTest();
}

DeclPtr Parser::parseImport() {
  if (current().kind != Kind::String) {
    expected("the path of a file such as \"layers.nn\"")
        .help("the standard layers are always there; nothing needs importing");
    return nullptr;
  }
  auto decl = std::make_unique<ImportDecl>();
  decl->pathRange = current().range;
  ExprPtr path = parseString();
  if (!path)
    return nullptr;
  decl->path = static_cast<StringExpr &>(*path).value;
  return decl;
}

DeclPtr Parser::parseFragment(FragmentKind kind) {
  auto decl = std::make_unique<FragmentDecl>();
  decl->fragment = kind;
  const Token *name = expectName(fmt::format("the name of the {}", spelling(kind)));
  if (!name)
    return nullptr;
  decl->name = name->text;
  decl->nameRange = name->range;
  if (!parseParams(decl->params))
    return nullptr;
  if (consume("->") && !parseResults(decl->results))
    return nullptr;
  if (at(":") || at("=>")) {
    bool body = at(":") && ahead(1).startsLine;
    expected("'{'").help(body ? "a body is written in braces: '{ ... }'"
                              : "the type of the result follows '->'");
    return nullptr;
  }
  return parseBlock(decl->body) ? std::move(decl) : nullptr;
}

bool Parser::parseParams(std::vector<Param> &params) {
  size_t opener = pos;
  if (!expect("("))
    return false;
  while (!at(")")) {
    TriviaScope scope = beginTrivia(/*blankLines=*/false, false);
    Param &param = params.emplace_back();
    if (!parseParam(param))
      return false;
    takeTrailing(scope.trivia);
    bool more = consume(",");
    endTrivia(std::move(scope), param.trivia);
    if (!more)
      break;
  }
  return expectClosing(opener, ")", /*inList=*/true);
}

bool Parser::parseParam(Param &param) {
  if (current().kind == Kind::Identifier && ahead(1).kind == Kind::Identifier &&
      !ahead(1).startsLine) {
    if (!words::isParamRole(current().text)) {
      diagnostics
          .error(ahead(1).range, fmt::format("expected ',' or ')', found {}", describe(ahead(1))))
          .help(fmt::format("the type follows the name: '{}: {}'", ahead(1).text, current().text));
      return false;
    }
    param.roleRange = current().range;
    param.role = current().text;
    bump();
  }
  const Token *name = expectName("the name of an argument");
  if (!name)
    return false;
  param.name = name->text;
  param.range = name->range;
  if (consume(":") && !(param.type = parseType()))
    return false;
  Setting oneLine(onOneLine, true);
  return !consume("=") || (param.defaultValue = parseExpr());
}

bool Parser::parseResults(std::vector<Result> &results) {
  if (!at("(")) {
    Result &result = results.emplace_back();
    result.range = current().range;
    return (result.type = parseType()) != nullptr;
  }
  size_t opener = bump();
  while (!at(")")) {
    TriviaScope scope = beginTrivia(/*blankLines=*/false, false);
    Result &result = results.emplace_back();
    if (!parseResult(result))
      return false;
    takeTrailing(scope.trivia);
    bool more = consume(",");
    endTrivia(std::move(scope), result.trivia);
    if (!more)
      break;
  }
  return expectClosing(opener, ")", /*inList=*/true);
}

bool Parser::parseResult(Result &result) {
  if (words::isResultRole(current().text) && ahead(1).kind == Kind::Identifier) {
    result.roleRange = current().range;
    result.role = current().text;
    bump();
  }
  result.range = current().range;
  if (current().kind == Kind::Identifier && ahead(1).is(":")) {
    const Token *name = expectName("the name of a result");
    if (!name)
      return false;
    result.name = name->text;
    bump();
  }
  return (result.type = parseType()) != nullptr;
}

TypePtr Parser::parseType() {
  Setting oneLine(onOneLine, true);
  size_t first = pos;
  if (current().kind == Kind::Identifier)
    if (std::string_view alias = words::typeAlias(current().text); !alias.empty()) {
      diagnostics
          .error(current().range, fmt::format("expected a type, found {}", describe(current())))
          .suggest(current().range, std::string(alias));
    }
  const Token *name = expectName("a type such as f32[N, 3]");
  if (!name)
    return nullptr;
  auto type = std::make_unique<Type>();
  type->name = name->text;
  type->nameRange = name->range;
  if (at("[") && sameLine()) {
    size_t opener = bump();
    while (!at("]")) {
      ExprPtr dim = parseExpr();
      if (!dim)
        return nullptr;
      type->dims.push_back(std::move(dim));
      if (!consume(","))
        break;
    }
    if (!expectClosing(opener, "]", /*inList=*/true))
      return nullptr;
  }
  type->range = rangeFrom(first);
  return type;
}

//===----------------------------------------------------------------------===//
// data, train, test
//===----------------------------------------------------------------------===//

DeclPtr Parser::parseData() {
  auto decl = std::make_unique<DataDecl>();
  const Token *name = expectName("the name of the data");
  if (!name)
    return nullptr;
  decl->name = name->text;
  decl->nameRange = name->range;
  bool read = false;
  if (consume("="))
    read = parseStages(decl->stages);
  else if (at("{"))
    read = parseBlock(decl->body);
  else
    expected("'=' or '{'");
  return read ? std::move(decl) : nullptr;
}

bool Parser::parseStages(std::vector<Item> &stages) {
  if (!parseStage(stages.emplace_back()))
    return false;
  while (at("|")) {
    takeTrailing(stages.back().trivia);
    TriviaScope scope = beginTrivia(/*blankLines=*/false, false);
    bump();
    Item &stage = stages.emplace_back();
    if (!parseStage(stage))
      return false;
    pending.swap(scope.outer);
    for (Comment &comment : scope.outer)
      scope.trivia.leading.push_back(std::move(comment.text));
    stage.trivia = std::move(scope.trivia);
  }
  if (sameLine() && !startsDeclaration(pos)) {
    expected("'|' or the end of the line");
    return false;
  }
  return true;
}

bool Parser::parseStage(Item &stage) {
  bool first = !at("(") && tokens[pos == 0 ? 0 : pos - 1].is("=");
  std::string_view what =
      first ? "a source such as csv(\"file.csv\")" : "a stage such as batch(32)";
  if (current().kind != Kind::Identifier) {
    expected(what);
    return false;
  }
  SourceRange start = current().range;
  if (!(stage.value = parsePostfix()))
    return false;
  bool isName = NameExpr::classof(stage.value.get());
  if (!CallExpr::classof(stage.value.get()) && !(first && isName)) {
    Diagnostic &diagnostic =
        diagnostics.error(stage.value->range.isValid() ? stage.value->range : start,
                          fmt::format("expected {}, found '{}'", what, stage.value->range.text()));
    if (isName)
      diagnostic.suggest(stage.value->range, fmt::format("{}()", stage.value->range.text()));
    return false;
  }
  return true;
}

bool Parser::parseDataUse(std::optional<DataUse> &use) {
  if (!consumeWord("on"))
    return true;
  const Token *name = expectName("the name of the data");
  if (!name)
    return false;
  use.emplace();
  use->name = name->text;
  use->range = name->range;
  if (!at("("))
    return true;
  size_t opener = bump();
  use->hasFields = true;
  while (!at(")")) {
    if (!parseTarget(use->fields.emplace_back()))
      return false;
    if (!consume(","))
      break;
  }
  return expectClosing(opener, ")", /*inList=*/true);
}

DeclPtr Parser::parseTrain() {
  auto decl = std::make_unique<TrainDecl>();
  const Token *name = expectName("the name of the model");
  if (!name)
    return nullptr;
  decl->model = name->text;
  decl->modelRange = name->range;
  return parseDataUse(decl->data) && parseBlock(decl->body) ? std::move(decl) : nullptr;
}

DeclPtr Parser::parseTest() {
  auto decl = std::make_unique<TestDecl>();
  const Token *name = expectName("the name of the test");
  if (!name)
    return nullptr;
  decl->name = name->text;
  decl->nameRange = name->range;
  return parseDataUse(decl->data) && parseBlock(decl->body) ? std::move(decl) : nullptr;
}

} // namespace nnc
