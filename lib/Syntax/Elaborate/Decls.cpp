//===- Decls.cpp - From declarations to functions and plans ---------------===//
//
// Models first, since they say what parameters there are; then data, training and tests; then the
// init function of each model, which needs all the states that the others found.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

#include "nnc/Syntax/Printer.h"

using namespace mlir;

namespace nnc {

Elaborator::Elaborator(const ast::File &file, MLIRContext &context, DiagnosticEngine &diagnostics,
                       const ElaborateOptions &options)
    : file(file), context(context), diagnostics(diagnostics), options(options), builder(&context) {
  context.loadDialect<nn::NNDialect, func::FuncDialect>();
}

Diagnostic &Elaborator::error(SourceRange range, std::string message) {
  // Inside the prelude, the place that the reader can change is the call.
  SourceRange place = range;
  size_t depth = callStack.size();
  while (depth > 0 && place.file != file.source)
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
  for (size_t depth = callStack.size(); depth > 0 && range.file != file.source; --depth)
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
      fragments[fragment->name] = fragment;
      if (fragment->fragment == ast::FragmentKind::Model)
        models[fragment->name].decl = fragment;
    } else if (const auto *data = ast::dynCast<ast::DataDecl>(decl.get())) {
      declare(data->name, data->nameRange);
    }
  }
  return ok;
}

std::optional<Program> Elaborator::run() {
  program.module = ModuleOp::create(UnknownLoc::get(&context));
  for (const ast::File *prelude : getPrelude())
    collectDecls(*prelude, /*isPrelude=*/true);
  bool ok = collectDecls(file, /*isPrelude=*/false);
  using Kind = ast::Decl::Kind;
  for (Kind kind : {Kind::Fragment, Kind::Data, Kind::Train, Kind::Test})
    for (const ast::DeclPtr &decl : file.decls)
      if (decl->kind() == kind && !diagnostics.isFull())
        ok &= elaborateDecl(*decl);
  if (!ok || !buildInits())
    return std::nullopt;
  return std::move(program);
}

bool Elaborator::elaborateDecl(const ast::Decl &decl) {
  callStack.clear();
  loops.clear();
  Body top;
  body = &top;
  bool ok = false;
  switch (decl.kind()) {
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

/// The names that a body returns, where it returns names.
static std::vector<std::string> returnedNames(const ast::Block &block) {
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
  if (!declareArguments(decl) || !elaborateBlock(decl.body) ||
      !checkResults(decl, *body, decl.nameRange))
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

//===----------------------------------------------------------------------===//
// Data
//===----------------------------------------------------------------------===//

/// Whether the declaration is free of itself: `data a = b | …` with `data b = a | …` is not.
bool Elaborator::checkSource(const ast::DataDecl &decl) {
  const ast::DataDecl *current = &decl;
  for (size_t steps = 0; current && steps <= file.decls.size(); ++steps) {
    const auto *source = current->stages.empty()
                             ? nullptr
                             : ast::dynCast<ast::NameExpr>(current->stages.front().value.get());
    if (!source)
      return true;
    current = nullptr;
    for (const ast::DeclPtr &other : file.decls)
      if (const auto *data = ast::dynCast<ast::DataDecl>(other.get()))
        if (data->name == source->name)
          current = data;
    if (current == &decl) {
      error(decl.stages.front().value->range,
            fmt::format("data '{}' is made from itself", decl.name));
      return false;
    }
  }
  return true;
}

bool Elaborator::elaborateData(const ast::DataDecl &decl) {
  if (!checkSource(decl))
    return false;
  DataPlan plan{decl.name, "", {}, decl.nameRange};
  for (const ast::Item &item : decl.stages) {
    std::optional<PipelineStage> stage = elaborateStage(*item.value);
    if (!stage)
      return false;
    plan.stages.push_back(std::move(*stage));
  }
  if (!decl.stages.empty()) {
    program.data.push_back(std::move(plan));
    return true;
  }
  plan.function = decl.name;
  beginFunction(decl.name, "data", decl.nameRange, nullptr);
  if (!elaborateBlock(decl.body))
    return false;
  if (body->returned.empty()) {
    error(decl.nameRange, fmt::format("data '{}' has no return", decl.name))
        .help("end it with 'return x, y'");
    return false;
  }
  std::vector<std::string> names = returnedNames(decl.body);
  std::vector<RankedTensorType> types;
  for (size_t index = 0; index < body->returned.size(); ++index) {
    SourceRange place = body->returnedRanges[index];
    std::optional<Value> value = toTensor(body->returned[index], place);
    if (!value)
      return false;
    auto type = cast<RankedTensorType>(value->getType());
    if (type.getRank() == 0 ||
        (!types.empty() && getShape(type).front() != getShape(types.front()).front())) {
      std::string rows = types.empty() ? "rows" : getShape(types.front()).front().str() + " rows";
      error(place,
            fmt::format("a field of data expects {} along its first axis{}, found {}", rows,
                        types.empty() ? "" : ", as the field before it has", typeToString(type)));
      return false;
    }
    types.push_back(type);
    addResult(names[index].empty() ? fmt::format("field{}", index) : names[index], "output",
              *value);
  }
  endFunction();
  dataTypes[decl.name] = types;
  program.data.push_back(std::move(plan));
  return true;
}

/// The value of an argument of a stage; `csv("f", x = 0:4, y = i64(4))`.
static std::optional<StageArgument::Value> toStageValue(const Operand &operand) {
  using Kind = Operand::Kind;
  if (operand.isInteger())
    return operand.dim.constant();
  if (operand.kind == Kind::Float)
    return operand.number;
  if (operand.kind == Kind::Bool)
    return operand.truth;
  if (operand.kind == Kind::String)
    return operand.text;
  if (operand.kind == Kind::Dtype)
    return elementTypeToString(operand.dtype);
  if (operand.kind == Kind::Range && operand.items[2].kind == Kind::None &&
      (operand.items[0].kind == Kind::None || operand.items[0].isInteger()) &&
      (operand.items[1].kind == Kind::None || operand.items[1].isInteger())) {
    StageArgument::Range range{
        operand.items[0].kind == Kind::None ? 0 : operand.items[0].dim.constant(), std::nullopt};
    if (operand.items[1].isInteger())
      range.stop = operand.items[1].dim.constant();
    return range;
  }
  if (operand.kind == Kind::List &&
      llvm::all_of(operand.items, [](const Operand &item) { return item.isNumber(); })) {
    std::vector<double> numbers;
    for (const Operand &item : operand.items)
      numbers.push_back(item.asDouble());
    return numbers;
  }
  return std::nullopt;
}

std::optional<PipelineStage> Elaborator::elaborateStage(const ast::Expr &expr) {
  PipelineStage stage;
  stage.range = expr.range;
  if (const auto *name = ast::dynCast<ast::NameExpr>(&expr)) {
    stage.name = name->name;
    return stage;
  }
  const auto *call = ast::dynCast<ast::CallExpr>(&expr);
  if (!call) {
    error(expr.range, "expected a source or a stage such as 'batch(64)'");
    return std::nullopt;
  }
  stage.name = call->callee;
  for (const ast::Item &item : call->args) {
    StageArgument argument;
    argument.name = item.name;
    argument.range = item.value->range;
    const ast::Expr *valueExpr = item.value.get();
    const auto *conversion = ast::dynCast<ast::CallExpr>(valueExpr);
    if (conversion && elementTypeFromString(&context, conversion->callee) &&
        conversion->args.size() == 1) {
      argument.dtype = conversion->callee;
      valueExpr = conversion->args.front().value.get();
    }
    std::optional<Operand> operand = evaluate(*valueExpr);
    if (!operand)
      return std::nullopt;
    std::optional<StageArgument::Value> value = toStageValue(*operand);
    if (!value) {
      error(item.value->range,
            fmt::format("expected a number, a string or a range of columns, found {}",
                        operand->describe()));
      return std::nullopt;
    }
    argument.value = std::move(*value);
    stage.arguments.push_back(std::move(argument));
  }
  return stage;
}

/// The types of the columns that `csv` is asked for, where the arguments tell them.
static std::optional<std::vector<RankedTensorType>> csvTypes(const PipelineStage &stage,
                                                             MLIRContext &context) {
  std::vector<RankedTensorType> types;
  for (const StageArgument &argument : stage.arguments) {
    if (argument.name.empty() || argument.name == "header" || argument.name == "delimiter" ||
        argument.name == "skip")
      continue;
    Type elementType =
        elementTypeFromString(&context, argument.dtype.empty() ? "f32" : argument.dtype);
    Shape shape{Dim::symbol("N")};
    if (const auto *range = std::get_if<StageArgument::Range>(&argument.value)) {
      if (!range->stop || range->start < 0 || *range->stop < range->start)
        return std::nullopt;
      shape.push_back(Dim(*range->stop - range->start));
    } else if (!std::holds_alternative<int64_t>(argument.value) &&
               !std::holds_alternative<std::string>(argument.value)) {
      return std::nullopt;
    }
    types.push_back(makeTensorType(shape, elementType));
  }
  return types.empty() ? std::nullopt : std::optional(types);
}

std::optional<std::vector<RankedTensorType>> Elaborator::sourceTypes(const DataPlan &plan) {
  const PipelineStage &source = plan.stages.front();
  std::optional<std::vector<RankedTensorType>> types;
  if (source.name == "csv")
    types = csvTypes(source, context);
  else if (llvm::any_of(program.data,
                        [&](const DataPlan &other) { return other.name == source.name; }))
    types = fieldTypes(source.name, source.range);
  bool mayChange =
      llvm::any_of(plan.stages, [](const PipelineStage &stage) { return stage.name == "cast"; });
  if ((!types || mayChange) && options.fieldTypes)
    types = options.fieldTypes(plan);
  return types;
}

std::optional<std::vector<RankedTensorType>> Elaborator::fieldTypes(const std::string &data,
                                                                    SourceRange range) {
  if (auto known = dataTypes.find(data); known != dataTypes.end())
    return known->second;
  std::vector<std::string> names;
  for (const DataPlan &plan : program.data) {
    names.push_back(plan.name);
    if (plan.name != data || plan.stages.empty() || plan.stages.front().name == data)
      continue;
    std::optional<std::vector<RankedTensorType>> types = sourceTypes(plan);
    if (types)
      dataTypes[data] = *types;
    else if (!diagnostics.hasErrors())
      error(range, fmt::format("cannot know the types of the fields of '{}'", data))
          .help("write them: on " + data + "(x: f32[N, 4], y: i64[N])");
    return types;
  }
  if (!llvm::is_contained(brokenData, data))
    error(range, fmt::format("unknown data '{}'", data)).didYouMean(closestMatch(data, names));
  return std::nullopt;
}

/// Whether a declared type is that of the field, as far as it is known now.
bool Elaborator::checkField(const std::string &data, size_t index, RankedTensorType fieldType,
                            SourceRange range) {
  auto known = dataTypes.find(data);
  if (known == dataTypes.end() || index >= known->second.size())
    return true;
  RankedTensorType actual = known->second[index];
  Shape expected = getShape(fieldType), found = getShape(actual);
  bool fits = fieldType.getElementType() == actual.getElementType() &&
              expected.size() == found.size() && !expected.empty();
  for (size_t axis = 1; fits && axis < expected.size(); ++axis)
    fits = !expected[axis].isConstant() || expected[axis] == found[axis];
  if (!fits)
    error(range, fmt::format("expected the type of field {} of data '{}', which is {}, found {}",
                             index + 1, data, typeToString(actual), typeToString(fieldType)));
  return fits;
}

/// Makes the fields arguments of the function being built; the number of rows is the symbol N.
bool Elaborator::addFields(const ast::DataUse &use, std::vector<std::string> &names) {
  bool allTyped = !use.fields.empty() && llvm::all_of(use.fields, [](const ast::Target &field) {
    return bool(field.type);
  });
  std::optional<std::vector<RankedTensorType>> types;
  if (!allTyped) {
    types = fieldTypes(use.name, use.range);
    if (!types)
      return false;
    if (types->size() < use.fields.size()) {
      error(use.fields[types->size()].range,
            fmt::format("data '{}' has {}, found {}", use.name, counted(types->size(), "field"),
                        counted(use.fields.size(), "name")));
      return false;
    }
  } else if (!llvm::any_of(program.data,
                           [&](const DataPlan &plan) { return plan.name == use.name; })) {
    return fieldTypes(use.name, use.range).has_value();
  }
  for (size_t index = 0; index < use.fields.size(); ++index) {
    const ast::Target &field = use.fields[index];
    RankedTensorType type;
    if (field.type) {
      type = resolveType(*field.type, /*declares=*/true);
      if (!type || !checkField(use.name, index, type, field.type->range))
        return false;
    } else {
      Shape shape = getShape((*types)[index]);
      shape.front() = Dim::symbol("N");
      type = makeTensorType(shape, (*types)[index].getElementType());
    }
    names.push_back(field.name);
    body->scope[field.name] = Operand::of(addArgument(field.name, "input", type));
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Training
//===----------------------------------------------------------------------===//

struct Elaborator::TrainState {
  TrainPlan plan;
  const ast::CallExpr *optimizer = nullptr;
  std::optional<Value> loss;
  /// Where each setting is given.
  std::map<std::string, SourceRange> settings;
};

bool Elaborator::recordValue(const ast::DeclareStmt &stmt) {
  std::optional<Value> value = stmt.value ? evaluateTensor(*stmt.value) : std::nullopt;
  if (!value)
    return false;
  bindName(stmt.target.name, Operand::of(*value));
  addResult(stmt.target.name, "record", *value);
  return true;
}

bool Elaborator::applySetting(const ast::AssignStmt &stmt, TrainState &train) {
  const std::string &name = stmt.targets.front().name;
  const ast::Expr &expr = *stmt.values.front();
  auto [first, isNew] = train.settings.emplace(name, stmt.targets.front().range);
  auto rival = train.settings.find(name == "steps" ? "epochs" : name == "epochs" ? "steps" : "");
  if (!isNew || rival != train.settings.end()) {
    error(stmt.targets.front().range, isNew ? "expected 'epochs' or 'steps', found both"
                                            : fmt::format("'{}' is already given", name))
        .note(isNew ? rival->second : first->second, "it is given here");
    return false;
  }
  if (name == "optimizer") {
    train.optimizer = ast::dynCast<ast::CallExpr>(&expr);
    if (!train.optimizer)
      error(expr.range, fmt::format("expected an optimizer such as 'sgd(lr = 0.01)', found '{}'",
                                    std::string(expr.range.text())));
    return train.optimizer && findOptimizer(*train.optimizer);
  }
  if (name == "metrics") {
    for (const ast::ExprPtr &metric : stmt.values) {
      std::optional<Value> value = evaluateTensor(*metric);
      if (!value)
        return false;
      const auto *call = ast::dynCast<ast::CallExpr>(metric.get());
      addResult(call ? call->callee : "metric", "record", *value);
    }
    return true;
  }
  if (name == "loss") {
    train.loss = evaluateTensor(expr);
    if (!train.loss)
      return false;
    auto type = cast<RankedTensorType>(train.loss->getType());
    if (type.getRank() != 0 || !isa<FloatType>(type.getElementType())) {
      error(expr.range,
            fmt::format("the loss expects a floating-point scalar, found {}", typeToString(type)))
          .help("reduce it, for example with 'mean'");
      return false;
    }
    bindName("loss", Operand::of(*train.loss));
    return true;
  }
  std::optional<Operand> value = evaluate(expr);
  if (!value)
    return false;
  int64_t least = name == "report_every" ? 1 : 0;
  if (!value->isInteger() || value->dim.constant() < least) {
    error(expr.range, fmt::format("'{}' expects an integer of {} or more, found {}", name,
                                  least == 1 ? "one" : "zero", value->describe()));
    return false;
  }
  int64_t number = value->dim.constant();
  if (name == "seed")
    train.plan.seed = number;
  else
    (name == "epochs"  ? train.plan.epochs
     : name == "steps" ? train.plan.steps
                       : train.plan.reportEvery) = number;
  return true;
}

/// Whether a name is given a number, which nothing but a setting would be, and is near that of one.
static bool isMisspelt(const ast::AssignStmt &stmt, const std::vector<std::string> &settings) {
  return stmt.targets.size() == 1 && ast::NumberExpr::classof(stmt.values.front().get()) &&
         closestMatch(stmt.targets.front().name, settings);
}

bool Elaborator::reportMisspelt(const ast::Target &target,
                                const std::vector<std::string> &settings) {
  error(target.range, fmt::format("unknown setting '{}'", target.name))
      .didYouMean(closestMatch(target.name, settings));
  return false;
}

bool Elaborator::elaborateTrainStmt(const ast::Stmt &stmt, TrainState &train) {
  static const std::vector<std::string> settings = {"loss",  "optimizer",    "metrics", "epochs",
                                                    "steps", "report_every", "seed"};
  const auto *assign = ast::dynCast<ast::AssignStmt>(&stmt);
  if (assign && assign->targets.size() == 1) {
    if (llvm::is_contained(settings, assign->targets.front().name))
      return applySetting(*assign, train);
    if (isMisspelt(*assign, settings))
      return reportMisspelt(assign->targets.front(), settings);
  }
  if (stmt.kind() == ast::Stmt::Kind::Return) {
    error(stmt.range, "'return' has no meaning in a training")
        .help("a training says what its loss is: loss = mse(…)");
    return false;
  }
  const auto *declare = ast::dynCast<ast::DeclareStmt>(&stmt);
  if (declare && declare->declares == ast::DeclareKind::Record)
    return recordValue(*declare);
  return elaborateStmt(stmt);
}

const ast::FragmentDecl *Elaborator::findOptimizer(const ast::CallExpr &call) {
  std::vector<std::string> names;
  for (const auto &[name, decl] : fragments) {
    if (decl->fragment != ast::FragmentKind::Optimizer)
      continue;
    if (name == call.callee)
      return decl;
    names.push_back(name);
  }
  Diagnostic &diagnostic =
      error(call.calleeRange, fmt::format("unknown optimizer '{}'", call.callee));
  if (std::optional<std::string> meant = closestMatch(call.callee, names))
    diagnostic.didYouMean(meant);
  else
    diagnostic.help(fmt::format("the optimizers are {}", fmt::join(names, ", ")));
  return nullptr;
}

bool Elaborator::applyOptimizer(const ast::CallExpr &call, Value loss) {
  const ast::FragmentDecl *optimizer = findOptimizer(call);
  if (!optimizer)
    return false;
  std::vector<Operand> positional;
  std::map<std::string, Operand> named;
  std::vector<SourceRange> ranges;
  if (!collectArguments(call, positional, named, ranges))
    return false;
  std::vector<FunctionFrame::Argument> parameters;
  SmallVector<Value> values;
  for (const FunctionFrame::Argument &argument : frame->arguments)
    if (argument.role == "param") {
      parameters.push_back(argument);
      values.push_back(argument.value);
    }
  if (values.empty()) {
    error(call.range, "nothing to train: the loss depends on no parameter");
    return false;
  }
  auto gradients = nn::GradOp::create(builder, locationOf(call.range), loss, ValueRange(values));
  for (auto [parameter, gradient] : llvm::zip(parameters, gradients.getResults())) {
    std::vector<Operand> arguments = {Operand::of(parameter.value), Operand::of(gradient)};
    arguments.insert(arguments.end(), positional.begin(), positional.end());
    std::optional<std::vector<Operand>> updated =
        inlineFragment(*optimizer, std::move(arguments), named, parameter.name + ".", call.range);
    if (!updated)
      return false;
    std::optional<Value> value = toTensor(updated->front(), call.range);
    if (!value)
      return false;
    if (value->getType() != parameter.value.getType()) {
      error(call.range,
            fmt::format("the optimizer expects to keep {} as {}, found {}", parameter.name,
                        typeToString(parameter.value.getType()), typeToString(value->getType())));
      return false;
    }
    frame->stateUpdates[parameter.name] = *value;
  }
  return true;
}

/// Puts the results of a step in order: parameters, states, loss, records, taps.
void Elaborator::finishStep(Value loss) {
  std::vector<FunctionFrame::Result> others = std::move(frame->results);
  frame->results.clear();
  for (StringRef role : {"param", "state"})
    for (const FunctionFrame::Argument &argument : frame->arguments)
      if (argument.role == role && frame->stateUpdates.count(argument.name))
        addResult(argument.name, argument.role, frame->stateUpdates[argument.name]);
  addResult("loss", "loss", loss);
  for (const FunctionFrame::Result &other : others)
    addResult(other.name, other.role, other.value);
}

bool Elaborator::elaborateTrain(const ast::TrainDecl &decl) {
  auto model = models.find(decl.model);
  if (model == models.end()) {
    std::vector<std::string> names;
    for (const auto &[name, info] : models)
      names.push_back(name);
    if (auto other = fragments.find(decl.model); other != fragments.end())
      error(decl.modelRange,
            fmt::format("expected a model to train, found the {} '{}'",
                        std::string(spelling(other->second->fragment)), decl.model))
          .help("only a model has parameters of its own");
    else
      error(decl.modelRange, fmt::format("unknown model '{}'", decl.model))
          .didYouMean(closestMatch(decl.model, names));
    return false;
  }
  TrainState train;
  if (!decl.data) {
    error(decl.modelRange, fmt::format("'train {}' needs data", decl.model))
        .help(fmt::format("write 'train {} on DATA(x, y)'", decl.model));
    return false;
  }
  std::string step = decl.model + ".step";
  for (unsigned count = 2; program.module->lookupSymbol(step); ++count)
    step = fmt::format("{}.step_{}", decl.model, count);
  train.plan = {decl.model, decl.data->name, step, {}, {}, {}, {}, 0, decl.modelRange};
  beginFunction(step, "step", decl.modelRange, &model->second);
  frame->isTraining = true;
  if (!addFields(*decl.data, train.plan.fields))
    return false;
  bool ok = true;
  for (const ast::StmtPtr &stmt : decl.body.stmts)
    if (!elaborateTrainStmt(*stmt, train)) {
      forget(*stmt);
      ok = false;
    }
  if (!ok)
    return false;
  if (!train.loss || !train.optimizer) {
    error(decl.modelRange,
          fmt::format("'train {}' needs {}", decl.model, train.loss ? "an optimizer" : "a loss"))
        .help(train.loss ? "for example 'optimizer = sgd(lr = 0.01)'"
                         : fmt::format("for example 'loss = mse({}(x), y)'", decl.model));
    return false;
  }
  if (!applyOptimizer(*train.optimizer, *train.loss))
    return false;
  finishStep(*train.loss);
  endFunction();
  program.trains.push_back(std::move(train.plan));
  return true;
}

//===----------------------------------------------------------------------===//
// Tests
//===----------------------------------------------------------------------===//

bool Elaborator::elaborateExpect(const ast::ExpectStmt &stmt, TestPlan &plan) {
  std::string name = fmt::format("expect.{}", plan.expectations.size());
  const auto *comparison = ast::dynCast<ast::BinaryExpr>(stmt.condition.get());
  std::optional<Operand> condition;
  if (comparison && ast::isComparison(comparison->op)) {
    std::optional<Operand> left = evaluate(*comparison->left), right = evaluate(*comparison->right);
    if (!left || !right)
      return false;
    condition = combine(comparison->op, *left, *right, comparison->range);
    for (auto [side, operand] : {std::pair(".left", &*left), std::pair(".right", &*right)})
      if (condition && (operand->isTensor() || operand->isLiteral())) {
        std::optional<Value> value = toTensor(*operand, comparison->range);
        if (!value)
          return false;
        addResult(name + side, "expect", *value);
      }
  } else {
    condition = evaluate(*stmt.condition);
  }
  if (!condition)
    return false;
  std::optional<Value> value = toTensor(*condition, stmt.condition->range);
  if (!value)
    return false;
  if (!nnc::getElementType(*value).isInteger(1)) {
    error(stmt.condition->range,
          fmt::format("'expect' expects a condition, found {}", typeToString(value->getType())));
    return false;
  }
  if (!getShape(*value).empty())
    value = createOp("all", *value, {}, stmt.range);
  plan.expectations.push_back({print(*stmt.condition), stmt.range});
  addResult(name, "expect", *value);
  return true;
}

/// The names of a plot's positional arguments, and how many of them it needs.
struct PlotKind {
  std::vector<std::string> arguments;
  size_t numRequired;
};
static const std::map<std::string, PlotKind> plotKinds = {
    {"scatter", {{"x", "y", "class"}, 2}},
    {"line", {{"y"}, 1}},
    {"compare", {{"truth", "prediction", "at"}, 2}},
};

bool Elaborator::elaboratePlot(const ast::DeclareStmt &stmt, TestPlan &plan) {
  const auto *call = stmt.value ? ast::dynCast<ast::CallExpr>(stmt.value.get()) : nullptr;
  auto kind = call ? plotKinds.find(call->callee) : plotKinds.end();
  if (kind == plotKinds.end()) {
    error(stmt.value ? stmt.value->range : stmt.range,
          "expected a plot: scatter(x, y, class = c), line(y) or compare(truth, prediction)");
    return false;
  }
  PlotPlan plot{stmt.target.name, call->callee, {}, stmt.range};
  for (auto [index, item] : llvm::enumerate(call->args)) {
    std::string name = item.name;
    if (name.empty() && index < kind->second.arguments.size())
      name = kind->second.arguments[index];
    if (name.empty() ||
        (plot.kind != "line" && !llvm::is_contained(kind->second.arguments, name))) {
      error(item.name.empty() ? item.value->range : item.nameRange,
            fmt::format("'{}' expects {}", plot.kind, llvm::join(kind->second.arguments, ", ")));
      return false;
    }
    std::optional<Value> value = evaluateTensor(*item.value);
    if (!value)
      return false;
    plot.arguments.push_back(name);
    addResult(fmt::format("plot.{}.{}", plot.name, name), "plot", *value);
  }
  for (const std::string &name :
       ArrayRef(kind->second.arguments).take_front(kind->second.numRequired))
    if (!llvm::is_contained(plot.arguments, name)) {
      error(call->range, fmt::format("'{}' needs an argument '{}'", plot.kind, name));
      return false;
    }
  plan.plots.push_back(std::move(plot));
  return true;
}

bool Elaborator::elaborateTestStmt(const ast::Stmt &stmt, TestPlan &plan) {
  if (const auto *expect = ast::dynCast<ast::ExpectStmt>(&stmt))
    return elaborateExpect(*expect, plan);
  if (stmt.kind() == ast::Stmt::Kind::Return) {
    error(stmt.range, "'return' has no meaning in a test")
        .help("a test says what it expects: expect x == 1");
    return false;
  }
  const auto *declare = ast::dynCast<ast::DeclareStmt>(&stmt);
  if (declare && declare->declares == ast::DeclareKind::Record)
    return recordValue(*declare);
  if (declare && declare->declares == ast::DeclareKind::Plot)
    return elaboratePlot(*declare, plan);
  return elaborateStmt(stmt);
}

bool Elaborator::elaborateTest(const ast::TestDecl &decl) {
  TestPlan plan;
  plan.name = decl.name;
  plan.function = "test." + decl.name;
  plan.range = decl.nameRange;
  if (program.module->lookupSymbol(plan.function)) {
    auto first =
        llvm::find_if(program.tests, [&](const TestPlan &test) { return test.name == decl.name; });
    Diagnostic &diagnostic =
        error(decl.nameRange, fmt::format("test '{}' is already declared", decl.name));
    if (first != program.tests.end())
      diagnostic.note(first->range, "it is declared here");
    return false;
  }
  beginFunction(plan.function, "test", decl.nameRange, nullptr);
  if (decl.data) {
    plan.data = decl.data->name;
    if (!addFields(*decl.data, plan.fields))
      return false;
  }
  bool ok = true;
  for (const ast::StmtPtr &stmt : decl.body.stmts)
    if (!elaborateTestStmt(*stmt, plan)) {
      forget(*stmt);
      ok = false;
    }
  if (!ok)
    return false;
  if (frame->model)
    plan.model = frame->model->decl->name;
  endFunction();
  program.tests.push_back(std::move(plan));
  return true;
}

std::optional<Program> elaborate(const ast::File &file, MLIRContext &context,
                                 DiagnosticEngine &diagnostics, const ElaborateOptions &options) {
  return Elaborator(file, context, diagnostics, options).run();
}

} // namespace nnc
