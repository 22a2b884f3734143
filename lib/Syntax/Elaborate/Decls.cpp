//===- Decls.cpp - From declarations to functions and plans ---------------===//
//
// Models first, since they say what parameters there are; then data, training and tests; then the
// init function of each model, which needs all the states that the others found.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

#include "nnc/Syntax/Imports.h"

using namespace mlir;

namespace nnc {

Elaborator::Elaborator(const ast::File &file, MLIRContext &context, DiagnosticEngine &diagnostics,
                       const ElaborateOptions &options)
    : file(file), context(context), diagnostics(diagnostics), options(options), builder(&context),
      files(filesOf(file)) {
  context.loadDialect<nn::NNDialect, func::FuncDialect>();
}

Diagnostic &Elaborator::error(SourceRange range, std::string message) {
  // Inside the prelude, the place that the reader can change is the call.
  SourceRange place = range;
  size_t depth = callStack.size();
  while (depth > 0 && !isOwn(place.file))
    place = callStack[--depth].second;
  Diagnostic &diagnostic = diagnostics.error(place, std::move(message));
  while (depth > 0) {
    const auto &[decl, call] = callStack[--depth];
    diagnostic.note(call, fmt::format("in this call of '{}'", decl->name));
  }
  return diagnostic;
}

Location Elaborator::locationOf(SourceRange range) {
  if (!range.file || range.isWholeFile())
    return UnknownLoc::get(&context);
  // What a fragment of the prelude does is done by whoever calls it.
  for (size_t depth = callStack.size(); depth > 0 && !isOwn(range.file); --depth)
    range = callStack[depth - 1].second;
  SourceFile::LineColumn begin = range.file->lineColumn(range.begin),
                         end = range.file->lineColumn(range.end);
  return FileLineColRange::get(builder.getStringAttr(range.file->path()), begin.line, begin.column,
                               end.line, end.column);
}

bool Elaborator::checkParams(const ast::FragmentDecl &decl) {
  bool ok = true;
  std::map<std::string, SourceRange> known;
  for (const ast::Param &param : decl.params) {
    auto [first, isNew] = known.emplace(param.name, param.range);
    if (!isNew)
      error(param.range, fmt::format("'{}' is already a parameter of '{}'", param.name, decl.name))
          .note(first->second, "it is declared here");
    ok &= isNew;
  }
  return ok;
}

bool Elaborator::collectDecls(const ast::File &source, bool isPrelude) {
  bool ok = true;
  auto declare = [&](const std::string &name, SourceRange range) {
    auto [known, isNew] = declared.emplace(name, range);
    if (isNew)
      return true;
    error(range, fmt::format("'{}' is already declared", name))
        .note(known->second, "it is declared here");
    return ok = false;
  };
  for (const ast::DeclPtr &decl : source.decls) {
    if (const auto *fragment = ast::dynCast<ast::FragmentDecl>(decl.get())) {
      if (!isPrelude && !declare(fragment->name, fragment->nameRange))
        continue;
      ok &= checkParams(*fragment);
      (isPrelude ? preludeFragments : visible[source.source])[fragment->name] = fragment;
      if (fragment->fragment == ast::FragmentKind::Model)
        models[fragment->name].decl = fragment;
    } else if (const auto *data = ast::dynCast<ast::DataDecl>(decl.get())) {
      declare(data->name, data->nameRange);
    }
  }
  return ok;
}

/// A file sees what it imports, which may be called as something in the prelude is.
void Elaborator::collectImports(const ast::File &source) {
  auto &fragments = visible[source.source];
  fragments = preludeFragments;
  for (const ast::File *imported : filesOf(source))
    for (const ast::DeclPtr &decl : imported->decls)
      if (const auto *fragment = ast::dynCast<ast::FragmentDecl>(decl.get()))
        fragments[fragment->name] = fragment;
}

const std::map<std::string, const ast::FragmentDecl *> &
Elaborator::fragmentsAt(SourceRange range) const {
  // The prelude means its own functions, whatever a file calls its.
  auto own = visible.find(range.file);
  return own == visible.end() ? preludeFragments : own->second;
}

std::optional<Program> Elaborator::run() {
  program.module = ModuleOp::create(UnknownLoc::get(&context));
  for (const ast::File *prelude : getPrelude())
    collectDecls(*prelude, /*isPrelude=*/true);
  for (const ast::File *each : files)
    collectImports(*each);
  bool ok = true;
  for (const ast::File *each : files)
    ok &= collectDecls(*each, /*isPrelude=*/false);
  using Kind = ast::Decl::Kind;
  for (Kind kind : {Kind::Fragment, Kind::Data, Kind::Train, Kind::Test})
    for (const ast::File *each : files)
      for (const ast::DeclPtr &decl : each->decls)
        if (decl->kind() == kind && !diagnostics.isFull() && isElaborated(*decl))
          ok &= elaborateDecl(*decl);
  if (!ok || !buildInits())
    return std::nullopt;
  return std::move(program);
}

/// Whether the program has the declaration, rather than only what calls it. An imported file gives its
/// models and data; its trainings and tests are of no concern here.
bool Elaborator::isElaborated(const ast::Decl &decl) const {
  const auto *fragment = ast::dynCast<ast::FragmentDecl>(&decl);
  return decl.range.file == file.source || decl.kind() == ast::Decl::Kind::Data ||
         (fragment && fragment->fragment == ast::FragmentKind::Model);
}

bool Elaborator::elaborateDecl(const ast::Decl &decl) {
  callStack.clear();
  loops.clear();
  Body top;
  body = &top;
  bool ok = false;
  switch (decl.kind()) {
  case ast::Decl::Kind::Import:
    return true;
  case ast::Decl::Kind::Fragment:
    ok = elaborateFragment(static_cast<const ast::FragmentDecl &>(decl));
    break;
  case ast::Decl::Kind::Data:
    ok = elaborateData(static_cast<const ast::DataDecl &>(decl));
    break;
  case ast::Decl::Kind::Train:
    ok = elaborateTrain(static_cast<const ast::TrainDecl &>(decl));
    break;
  case ast::Decl::Kind::Test:
    ok = elaborateTest(static_cast<const ast::TestDecl &>(decl));
    break;
  }
  body = nullptr;
  if (!ok)
    markBroken(decl);
  return ok;
}

/// What a declaration with errors would have given is not missed again elsewhere.
void Elaborator::markBroken(const ast::Decl &decl) {
  if (const auto *data = ast::dynCast<ast::DataDecl>(&decl))
    brokenData.push_back(data->name);
  const auto *fragment = ast::dynCast<ast::FragmentDecl>(&decl);
  if (fragment && fragment->fragment == ast::FragmentKind::Model)
    models[fragment->name].isBroken = true;
}

//===----------------------------------------------------------------------===//
// Models and funcs
//===----------------------------------------------------------------------===//

/// Whether every parameter has a concrete type or a default, so that the fragment stands alone.
bool Elaborator::canBeEntry(const ast::FragmentDecl &decl) {
  if (decl.fragment != ast::FragmentKind::Func && decl.fragment != ast::FragmentKind::Model)
    return false;
  return llvm::all_of(decl.params, [](const ast::Param &param) {
    if (param.defaultValue)
      return true;
    static const std::vector<StringRef> dtypes = {"f64", "f32", "f16", "bf16",
                                                  "i64", "i32", "i8",  "u8"};
    bool isTensor = param.type && (llvm::is_contained(dtypes, param.type->name) ||
                                   (param.type->name == "bool" && !param.type->dims.empty()));
    return isTensor && (param.type->dims.empty() ||
                        param.type->dims.front()->kind() != ast::Expr::Kind::Ellipsis);
  });
}

bool Elaborator::declareArguments(const ast::FragmentDecl &decl) {
  for (const ast::Param &param : decl.params) {
    if (param.defaultValue) {
      std::optional<Operand> value = evaluate(*param.defaultValue);
      if (!value || !bindParam(param, std::move(*value), param.range))
        return false;
      continue;
    }
    RankedTensorType type = resolveType(*param.type, /*declares=*/true);
    if (!type)
      return false;
    body->scope[param.name] =
        Operand::of(addArgument(param.name, param.role.empty() ? "input" : param.role, type));
  }
  return true;
}

std::vector<std::string> returnedNames(const ast::Block &block) {
  std::vector<std::string> names;
  for (const ast::StmtPtr &stmt : block.stmts)
    if (const auto *returned = ast::dynCast<ast::ReturnStmt>(stmt.get()))
      for (const ast::ExprPtr &value : returned->values) {
        const auto *name = ast::dynCast<ast::NameExpr>(value.get());
        names.push_back(name ? name->name : "");
      }
  return names;
}

bool Elaborator::elaborateFragment(const ast::FragmentDecl &decl) {
  bool isModel = decl.fragment == ast::FragmentKind::Model;
  ModelPlan plan{decl.name, "", decl.name + ".init", decl.nameRange};
  if (!canBeEntry(decl)) {
    if (isModel)
      program.models.push_back(plan);
    return true;
  }
  beginFunction(decl.name, isModel ? "forward" : "func", decl.nameRange,
                isModel ? &models[decl.name] : nullptr);
  for (const ast::Result &result : decl.results)
    for (const ast::ExprPtr &dim : result.type->dims)
      if (const auto *symbol = ast::dynCast<ast::NameExpr>(dim.get()))
        body->freeSymbols.insert(symbol->name);
  if (!declareArguments(decl) || !elaborateBlock(decl.body) || !checkResults(decl, *body))
    return false;
  std::vector<std::string> names = returnedNames(decl.body);
  std::vector<FunctionFrame::Result> taps = std::move(frame->results);
  frame->results.clear();
  for (size_t index = 0; index < body->returned.size(); ++index) {
    std::optional<Value> value = toTensor(body->returned[index], decl.nameRange);
    if (!value)
      return false;
    std::string name = index < decl.results.size() ? decl.results[index].name : "";
    std::string role = index < decl.results.size() ? decl.results[index].role : "";
    if (name.empty() && index < names.size())
      name = names[index];
    // A result that hands an argument on keeps apart from it by name.
    bool isArgument = llvm::any_of(frame->arguments, [&](const FunctionFrame::Argument &argument) {
      return argument.name == name;
    });
    if (name.empty() || (isArgument && role.empty()))
      name = "output";
    addResult(name, role.empty() ? "output" : role, *value);
  }
  for (const FunctionFrame::Result &tap : taps)
    addResult(tap.name, tap.role, tap.value);
  plan.forward = decl.name;
  if (isModel)
    program.models.push_back(plan);
  endFunction();
  return true;
}

bool Elaborator::buildInits() {
  bool ok = true;
  for (const ModelPlan &plan : program.models)
    ok &= buildInit(models[plan.name], plan.init);
  return ok;
}

std::optional<Program> elaborate(const ast::File &file, MLIRContext &context,
                                 DiagnosticEngine &diagnostics, const ElaborateOptions &options) {
  return Elaborator(file, context, diagnostics, options).run();
}

} // namespace nnc
