//===- Parameters.cpp - Parameters, states and their initial values -------===//
//
// A `param` or `state` is an argument of every function that reaches it, under one name. Its
// initial value is elaborated once more, in the model's init function.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

StateEntry *ModelInfo::find(StringRef name) {
  auto found = llvm::find_if(entries, [&](const StateEntry &entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

bool Elaborator::declareState(const ast::DeclareStmt &stmt, const std::string &role) {
  const std::string &localName = stmt.target.name;
  if (!frame->model) {
    error(stmt.range, fmt::format("'{}' belongs in a layer or a model", role));
    return false;
  }
  // What a loop calls has its parameters once, for all iterations.
  if (!loops.empty() && (role == "state" || loops.back()->body == body)) {
    error(stmt.range, fmt::format("'{}' cannot be declared in a 'repeat'", role));
    return false;
  }
  if (!stmt.value) {
    error(stmt.range, fmt::format("{} '{}' needs an initial value", role, localName))
        .help("for example '= zeros()'");
    return false;
  }
  auto [first, isNew] = body->stateRanges.emplace(localName, stmt.target.range);
  if (!isNew) {
    error(stmt.target.range, fmt::format("'{}' is already declared", localName))
        .note(first->second, "it is declared here");
    return false;
  }
  RankedTensorType type;
  if (stmt.target.type) {
    type = resolveType(*stmt.target.type, /*declares=*/false);
    if (!type)
      return false;
    if (!type.hasStaticShape()) {
      error(stmt.target.type->range, fmt::format("{} '{}' expects a shape of known sizes, found {}",
                                                 role, localName, typeToString(type)))
          .help("write the sizes in the type of the input: x: f32[N, 4]");
      return false;
    }
  } else {
    // Without a type, the initial value gives it: literals, zeros_like(x).
    std::optional<Value> value = evaluateTensor(*stmt.value);
    if (!value)
      return false;
    type = cast<RankedTensorType>(value->getType());
  }
  std::string name = body->path + localName;
  if (StateEntry *known = frame->model->find(name); !known) {
    frame->model->entries.push_back({name, role, type, stmt.value.get(), stmt.range, {}, {}, {}});
    keepScope(frame->model->entries.back());
  } else if (known->type != type) {
    error(stmt.range, fmt::format("{} '{}' expects {}, found {}", role, name,
                                  typeToString(known->type), typeToString(type)))
        .note(known->range, "it is declared here first");
    return false;
  }
  // A frozen parameter has no average.
  bool isAveraged = useAverages && role == "param" && frame->model->find(name + ".average");
  Value value =
      isAveraged ? addArgument(name + ".average", "state", type) : addArgument(name, role, type);
  if (auto updated = frame->stateUpdates.find(name); updated != frame->stateUpdates.end())
    value = updated->second;
  if (role == "state")
    body->states[localName] = name;
  body->scope[localName] = Operand::of(value);
  return true;
}

/// The model whose parameter `name` is, as in `line.theta`: in a training or a test of that model.
ModelInfo *Elaborator::modelOf(StringRef name) {
  auto [modelName, parameter] = name.split('.');
  auto model = models.find(modelName.str());
  if (parameter.empty() || !callStack.empty() || model == models.end())
    return nullptr;
  return !frame->model || frame->model == &model->second ? &model->second : nullptr;
}

/// `line.theta`: the parameter or state as it is before the step.
std::optional<Operand> Elaborator::evaluateParameter(ModelInfo &model, const ast::NameExpr &expr) {
  std::string parameter = StringRef(expr.name).split('.').second.str();
  if (StateEntry *entry = model.find(parameter)) {
    frame->model = &model;
    return Operand::of(addArgument(entry->name, entry->role, entry->type));
  }
  if (model.isBroken)
    return std::nullopt;
  std::vector<std::string> names;
  for (const StateEntry &entry : model.entries)
    names.push_back(model.decl->name + "." + entry.name);
  error(expr.range, fmt::format("model '{}' has no parameter '{}'", model.decl->name, parameter))
      .didYouMean(closestMatch(expr.name, names));
  return std::nullopt;
}

/// A number for the random ops of an initial value that depends on its name alone, so that adding a
/// layer leaves the others' initial values as they were (FNV-1a).
static int64_t streamOf(StringRef name) {
  uint64_t hash = 14695981039346656037ull;
  for (unsigned char c : name)
    hash = (hash ^ c) * 1099511628211ull;
  return int64_t((hash >> 33) & 0x3fffff) << 8;
}

/// Keeps what an initial value may use of the scope it is written in: what is known now, and other
/// parameters and states, but no tensor that this function computes.
void Elaborator::keepScope(StateEntry &entry) {
  for (const auto &[name, operand] : body->scope) {
    if (!operand.isTensor()) {
      entry.scope[name] = operand;
      continue;
    }
    bool isState = false;
    for (const FunctionFrame::Argument &argument : frame->arguments)
      if (argument.value == operand.tensor && frame->model->find(argument.name)) {
        entry.stateNames[name] = argument.name;
        isState = true;
      }
    if (!isState)
      entry.computedNames.push_back(name);
  }
}

bool Elaborator::buildInit(ModelInfo &model, const std::string &name) {
  beginFunction(name, "init", model.decl->nameRange, nullptr);
  bool ok = true;
  for (const StateEntry &entry : model.entries) {
    Body initBody;
    initBody.scope = entry.scope;
    initBody.computedNames = entry.computedNames;
    for (const auto &[local, stateName] : entry.stateNames)
      for (const FunctionFrame::Result &earlier : frame->results)
        if (earlier.name == stateName)
          initBody.scope[local] = Operand::of(earlier.value);
    body = &initBody;
    frame->nextStream = streamOf(entry.name);
    initialType = entry.type;
    std::optional<Operand> operand = evaluate(*entry.initial);
    initialType = RankedTensorType();
    std::optional<Value> value =
        operand ? toTensor(*operand, entry.initial->range, entry.type.getElementType())
                : std::nullopt;
    if (value && value->getType() != entry.type) {
      std::optional<Value> fitted;
      if (nnc::getElementType(*value) == entry.type.getElementType() &&
          nnc::getShape(*value).empty())
        fitted =
            createOp("broadcast_to", *value,
                     builder.getNamedAttr("shape", toAttr(&context, nnc::getShape(entry.type))),
                     entry.range);
      if (!fitted)
        error(entry.initial->range,
              fmt::format("the initial value of '{}' expects {}, found {}", entry.name,
                          typeToString(entry.type), typeToString(value->getType())));
      value = fitted;
    }
    body = nullptr;
    ok = ok && value;
    if (value)
      addResult(entry.name, entry.role, *value);
  }
  endFunction();
  return ok;
}

} // namespace nnc
