//===- Data.cpp - Data declarations and the fields of their uses -------===//
//
// A source and its stages become a DataPlan, formulas a function of their own. What is on DATA(a, b)
// has the fields as arguments, with the number of rows as the symbol N.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

const ast::DataDecl *Elaborator::findData(const std::string &name) const {
  for (const ast::File *each : files)
    for (const ast::DeclPtr &decl : each->decls)
      if (const auto *data = ast::dynCast<ast::DataDecl>(decl.get()); data && data->name == name)
        return data;
  return nullptr;
}

/// Whether the declaration is free of itself: `data a = b | …` with `data b = a | …` is not.
bool Elaborator::checkSource(const ast::DataDecl &decl) {
  const ast::DataDecl *current = &decl;
  // More steps than there is data: a circle that does not lead back here, and is reported there.
  for (size_t steps = 0; current && steps <= declared.size(); ++steps) {
    const auto *source = current->stages.empty()
                             ? nullptr
                             : ast::dynCast<ast::NameExpr>(current->stages.front().value.get());
    if (!source)
      return true;
    current = findData(source->name);
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
    // Other data may be named: standardize(of = training).
    if (const auto *name = ast::dynCast<ast::NameExpr>(valueExpr); name && findData(name->name)) {
      argument.value = name->name;
      stage.arguments.push_back(std::move(argument));
      continue;
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
        argument.name == "skip" || argument.name == "help")
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

/// The types of CIFAR's fields, which every file has.
static std::vector<RankedTensorType> cifarTypes(const PipelineStage &stage, MLIRContext &context) {
  RankedTensorType label =
      makeTensorType({Dim::symbol("N")}, elementTypeFromString(&context, "i64"));
  std::vector<RankedTensorType> types = {
      makeTensorType({Dim::symbol("N"), Dim(3), Dim(32), Dim(32)},
                     elementTypeFromString(&context, "f32")),
      label};
  if (stage.name == "cifar100")
    types.push_back(label);
  return types;
}

/// The types of a text's windows and of what comes next, if the window is given.
static std::optional<std::vector<RankedTensorType>> textTypes(const PipelineStage &stage,
                                                              MLIRContext &context) {
  size_t position = 0;
  for (const StageArgument &argument : stage.arguments) {
    bool isWindow = argument.name.empty() ? ++position == 2 : argument.name == "window";
    const auto *window = isWindow ? std::get_if<int64_t>(&argument.value) : nullptr;
    if (window && *window > 0)
      return std::vector<RankedTensorType>(
          2,
          makeTensorType({Dim::symbol("N"), Dim(*window)}, elementTypeFromString(&context, "i64")));
  }
  return std::nullopt;
}

std::optional<std::vector<RankedTensorType>> Elaborator::sourceTypes(const DataPlan &plan) {
  const PipelineStage &source = plan.stages.front();
  std::optional<std::vector<RankedTensorType>> types;
  if (source.name == "csv")
    types = csvTypes(source, context);
  else if (source.name == "cifar10" || source.name == "cifar100")
    types = cifarTypes(source, context);
  else if (source.name == "text")
    types = textTypes(source, context);
  else if (llvm::any_of(program.data,
                        [&](const DataPlan &other) { return other.name == source.name; }))
    types = fieldTypes(source.name, source.range);
  bool mayChange = llvm::any_of(plan.stages, [](const PipelineStage &stage) {
    return llvm::is_contained({"cast", "one_hot", "reshape", "random_crop"}, stage.name);
  });
  if ((!types || mayChange) && options.fieldTypes)
    types = options.fieldTypes(plan, program.data);
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
bool Elaborator::addFields(const std::string &data, SourceRange range, ArrayRef<ast::Target> fields,
                           std::vector<std::string> &names) {
  bool allTyped = !fields.empty() &&
                  llvm::all_of(fields, [](const ast::Target &field) { return bool(field.type); });
  std::optional<std::vector<RankedTensorType>> types;
  if (!allTyped) {
    types = fieldTypes(data, range);
    if (!types)
      return false;
    if (types->size() < fields.size()) {
      error(fields[types->size()].range,
            fmt::format("data '{}' has {}, found {}", data, counted(types->size(), "field"),
                        counted(fields.size(), "name")));
      return false;
    }
  } else if (!llvm::any_of(program.data, [&](const DataPlan &plan) { return plan.name == data; })) {
    return fieldTypes(data, range).has_value();
  }
  for (size_t index = 0; index < fields.size(); ++index) {
    const ast::Target &field = fields[index];
    RankedTensorType type;
    if (field.type) {
      type = resolveType(*field.type, /*declares=*/true);
      if (!type || !checkField(data, index, type, field.type->range))
        return false;
    } else {
      Shape shape = getShape((*types)[index]);
      shape.front() = Dim::symbol("N");
      body->scope.emplace("N", Operand::of(shape.front()));
      type = makeTensorType(shape, (*types)[index].getElementType());
    }
    names.push_back(field.name);
    body->scope[field.name] = Operand::of(addArgument(field.name, "input", type));
  }
  return true;
}

} // namespace nnc
