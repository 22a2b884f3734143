//===- Calls.cpp - Resolving calls and inlining fragments -----------------===//
//
// A call means, in this order: a fragment of the file or the prelude, an op, one of the few
// built-in forms (grad, tap, shape, dtype, and each dtype as a conversion). Positional arguments
// fill an op's operands, then its attributes; a fragment's parameters in order.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

bool Elaborator::collectArguments(const ast::CallExpr &call, std::vector<Operand> &positional,
                                  std::map<std::string, Operand> &named,
                                  std::vector<SourceRange> &ranges) {
  for (const ast::Item &item : call.args) {
    std::optional<Operand> value = evaluate(*item.value);
    if (!value)
      return false;
    value->range = item.value->range;
    value->nameRange = item.nameRange;
    if (item.name.empty()) {
      positional.push_back(std::move(*value));
      ranges.push_back(item.value->range);
    } else if (!named.emplace(item.name, std::move(*value)).second) {
      error(item.nameRange, fmt::format("argument '{}' is given twice", item.name));
      return false;
    }
  }
  return true;
}

std::optional<Operand> Elaborator::evaluateCall(const ast::CallExpr &call) {
  if (auto fragment = fragments.find(call.callee); fragment != fragments.end())
    return callFragment(*fragment->second, call);
  if (!call.instance.empty()) {
    reportNoInstance(call);
    return std::nullopt;
  }
  bool isBuiltin = false;
  std::optional<Operand> result = callBuiltin(call, isBuiltin);
  if (isBuiltin)
    return result;
  if (const ast::Expr *choice = knownChoice(call))
    return evaluate(*choice);
  if (const OpInfo *op = lookupOp(call.callee); op && op->family != "Control")
    return callOp(*op, call);
  reportUnknownCallee(call);
  return std::nullopt;
}

void Elaborator::reportNoInstance(const ast::CallExpr &call) {
  error(call.instanceRange, fmt::format("expected a layer before 'as', found '{}'", call.callee))
      .help("only a layer or a model has parameters to name");
}

/// `where` with a condition that is known when compiling, such as `training`, is only the branch that
/// the condition chooses: the other one is not evaluated. Null for any other call.
const ast::Expr *Elaborator::knownChoice(const ast::CallExpr &call) {
  bool isPlain = call.callee == "where" && call.args.size() == 3 &&
                 llvm::all_of(call.args, [](const ast::Item &item) { return item.name.empty(); });
  const auto *name = isPlain ? ast::dynCast<ast::NameExpr>(call.args[0].value.get()) : nullptr;
  std::optional<Operand> condition = name ? evaluateName(*name) : std::nullopt;
  if (!condition || condition->kind != Operand::Kind::Bool)
    return nullptr;
  return call.args[condition->truth ? 1 : 2].value.get();
}

void Elaborator::reportUnknownCallee(const ast::CallExpr &call) {
  std::vector<std::string> names = {"grad", "tap", "shape", "dtype"};
  for (const OpInfo &op : getOpTable())
    names.push_back(op.name);
  for (const auto &[name, decl] : fragments)
    names.push_back(name);
  names.insert(names.end(), std::begin(dtypeNames), std::end(dtypeNames));
  error(call.calleeRange, fmt::format("unknown function '{}'", call.callee))
      .didYouMean(closestMatch(call.callee, names));
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

std::optional<Attribute> Elaborator::toAttribute(const AttributeInfo &info, const Operand &value,
                                                 SourceRange range, StringRef op) {
  auto mismatch = [&](StringRef expected) -> std::optional<Attribute> {
    error(range, fmt::format("'{}' expects {} for '{}', found {}", op.str(), expected.str(),
                             info.name, value.describe()));
    return std::nullopt;
  };
  auto dims = [&](const Operand &list, Shape &shape) {
    if (list.kind == Operand::Kind::Dimension)
      shape.push_back(list.dim);
    else
      for (const Operand &item : list.items) {
        if (item.kind != Operand::Kind::Dimension)
          return false;
        shape.push_back(item.dim);
      }
    return list.kind == Operand::Kind::List || list.kind == Operand::Kind::Dimension;
  };
  switch (info.kind) {
  case AttributeKind::Integers: {
    Shape shape;
    SmallVector<int64_t> values;
    if (!dims(value, shape) ||
        !llvm::all_of(shape, [](const Dim &dim) { return dim.isConstant(); }))
      return mismatch("an integer or a list of integers");
    for (const Dim &dim : shape)
      values.push_back(dim.constant());
    return builder.getDenseI64ArrayAttr(values);
  }
  case AttributeKind::Shape: {
    Shape shape;
    if (!dims(value, shape))
      return mismatch("a list of dimensions");
    return toAttr(&context, shape);
  }
  case AttributeKind::Dimension:
    return value.kind == Operand::Kind::Dimension ? std::optional(toAttr(&context, value.dim))
                                                  : mismatch("a dimension");
  case AttributeKind::Float:
    return value.isNumber() ? std::optional<Attribute>(builder.getF64FloatAttr(value.asDouble()))
                            : mismatch("a number known when compiling");
  case AttributeKind::Integer:
    return value.isInteger()
               ? std::optional<Attribute>(builder.getI64IntegerAttr(value.dim.constant()))
               : mismatch("an integer");
  case AttributeKind::Bool:
    return value.kind == Operand::Kind::Bool
               ? std::optional<Attribute>(builder.getBoolAttr(value.truth))
               : mismatch("true or false");
  case AttributeKind::Dtype:
    return value.kind == Operand::Kind::Dtype ? std::optional<Attribute>(TypeAttr::get(value.dtype))
                                              : mismatch("a dtype");
  case AttributeKind::Literal:
    break;
  }
  return mismatch("a literal");
}

/// Whether the op's operands are brought to one element type, the first `skip` of them apart.
static bool promotesOperands(const OpInfo &op, unsigned &skip) {
  skip = op.name == "where" ? 1 : 0;
  if (op.name == "matmul" || op.name == "concat" || op.name == "where")
    return true;
  return op.family == "Elementwise" && op.operands.size() == 2;
}

namespace {
/// The arguments of a call of an op, by what they fill.
struct OpArguments {
  std::vector<Operand> operands;
  std::vector<std::pair<const AttributeInfo *, Operand>> attributes;
};
} // namespace

std::optional<Operand> Elaborator::callOp(const OpInfo &op, const ast::CallExpr &call) {
  std::vector<Operand> positional;
  std::map<std::string, Operand> named;
  std::vector<SourceRange> ranges;
  if (!collectArguments(call, positional, named, ranges))
    return std::nullopt;
  bool isRandom = op.family == "Random",
       isVariadic = !op.operands.empty() && op.operands.back().isVariadic;
  OpArguments arguments;
  size_t next = 0;
  auto takePositional = [&] { return next < positional.size() ? &positional[next++] : nullptr; };
  for (const OperandInfo &operand : op.operands) {
    if (isVariadic) {
      while (next < positional.size() &&
             (positional[next].isTensor() || positional[next].kind == Operand::Kind::List))
        arguments.operands.push_back(positional[next++]);
      break;
    }
    auto byName = named.find(operand.name);
    if (byName != named.end()) {
      arguments.operands.push_back(byName->second);
      named.erase(byName);
    } else if (isRandom && operand.name == "key") {
      arguments.operands.push_back(Operand::of(getKey()));
    } else if (Operand *value = takePositional()) {
      arguments.operands.push_back(*value);
    } else {
      error(call.range, fmt::format("'{}' needs an argument '{}'", op.name, operand.name));
      return std::nullopt;
    }
  }
  SmallVector<NamedAttribute> attributes;
  for (const AttributeInfo &info : op.attributes) {
    const Operand *value = nullptr;
    SourceRange range = call.range;
    if (auto byName = named.find(info.name); byName != named.end()) {
      value = &byName->second;
      range = value->range;
    } else if (next < positional.size()) {
      range = ranges[next];
      value = takePositional();
    }
    if (value && value->kind != Operand::Kind::None) {
      std::optional<Attribute> attribute = toAttribute(info, *value, range, op.name);
      if (!attribute)
        return std::nullopt;
      attributes.push_back(builder.getNamedAttr(info.name, *attribute));
    } else if (isRandom && info.name == "stream") {
      attributes.push_back(
          builder.getNamedAttr("stream", builder.getI64IntegerAttr(frame->nextStream++)));
    } else if (initialType && (info.name == "shape" || info.name == "dtype")) {
      attributes.push_back(builder.getNamedAttr(
          info.name, info.name == "shape" ? Attribute(toAttr(&context, getShape(initialType)))
                                          : TypeAttr::get(initialType.getElementType())));
    } else if (!info.isOptional) {
      error(call.range, fmt::format("'{}' needs an argument '{}'", op.name, info.name));
      return std::nullopt;
    }
    named.erase(info.name);
  }
  if (next < positional.size()) {
    error(ranges[next], fmt::format("'{}' takes {} by position, found {}", op.name,
                                    counted(next, "argument"), positional.size()));
    return std::nullopt;
  }
  if (!named.empty()) {
    std::vector<std::string> names;
    for (const OperandInfo &operand : op.operands)
      names.push_back(operand.name);
    for (const AttributeInfo &info : op.attributes)
      names.push_back(info.name);
    auto item = llvm::find_if(
        call.args, [&](const ast::Item &arg) { return arg.name == named.begin()->first; });
    error(item->nameRange, fmt::format("'{}' has no argument '{}'", op.name, item->name))
        .didYouMean(closestMatch(item->name, names));
    return std::nullopt;
  }
  unsigned skip = 0;
  if (promotesOperands(op, skip)) {
    std::vector<Operand> promoted(arguments.operands.begin() + skip, arguments.operands.end());
    if (!promote(promoted, call.range, /*toFloat=*/op.name == "div"))
      return std::nullopt;
    std::copy(promoted.begin(), promoted.end(), arguments.operands.begin() + skip);
  }
  SmallVector<Value> operands;
  for (const Operand &operand : arguments.operands) {
    std::optional<Value> value = toTensor(operand, call.range);
    if (!value)
      return std::nullopt;
    operands.push_back(*value);
  }
  std::optional<Value> result = createOp(op.name, operands, attributes, call.range);
  return result ? std::optional(Operand::of(*result)) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Built-in forms
//===----------------------------------------------------------------------===//

std::optional<Operand> Elaborator::callBuiltin(const ast::CallExpr &call, bool &isBuiltin) {
  Type dtype = elementTypeFromString(&context, call.callee);
  if (auto found = body->scope.find(call.callee);
      found != body->scope.end() && found->second.kind == Operand::Kind::Dtype)
    dtype = found->second.dtype;
  isBuiltin = dtype || call.callee == "grad" || call.callee == "tap" || call.callee == "shape" ||
              call.callee == "dtype";
  if (!isBuiltin)
    return std::nullopt;
  if (call.callee == "grad")
    return callGrad(call);
  if (call.callee == "tap")
    return callTap(call);
  if (call.args.size() != 1 || !call.args.front().name.empty()) {
    error(call.range,
          fmt::format("'{}' expects one argument, found {}", call.callee, call.args.size()));
    return std::nullopt;
  }
  std::optional<Operand> argument = evaluate(*call.args.front().value);
  if (!argument)
    return std::nullopt;
  SourceRange range = call.args.front().value->range;
  if (dtype) {
    Type literal =
        argument->isLiteral() && !(argument->hasFloat() && !isa<FloatType>(dtype)) ? dtype : Type();
    std::optional<Value> value = toTensor(*argument, range, literal);
    return value ? std::optional(Operand::of(castTo(*value, dtype))) : std::nullopt;
  }
  std::optional<Value> value = toTensor(*argument, range);
  if (!value)
    return std::nullopt;
  if (call.callee == "dtype")
    return Operand::ofDtype(nnc::getElementType(*value));
  std::vector<Operand> dims;
  for (const Dim &dim : nnc::getShape(*value))
    dims.push_back(Operand::of(dim));
  return Operand::ofList(std::move(dims));
}

std::optional<Operand> Elaborator::callGrad(const ast::CallExpr &call) {
  const ast::Expr *lossExpr = nullptr, *wrtExpr = nullptr;
  for (const ast::Item &item : call.args) {
    if (item.name.empty() && !lossExpr)
      lossExpr = item.value.get();
    else if ((item.name.empty() || item.name == "wrt") && !wrtExpr)
      wrtExpr = item.value.get();
    else
      lossExpr = nullptr;
  }
  if (!lossExpr || !wrtExpr) {
    error(call.range,
          "'grad' expects a loss and what to differentiate by: grad(loss, wrt = [a, b])");
    return std::nullopt;
  }
  std::optional<Value> loss = evaluateTensor(*lossExpr);
  if (!loss)
    return std::nullopt;
  auto lossType = cast<RankedTensorType>(loss->getType());
  if (lossType.getRank() != 0 || !isa<FloatType>(lossType.getElementType())) {
    error(lossExpr->range,
          fmt::format("'grad' expects a floating-point scalar to differentiate, found {}",
                      typeToString(lossType)));
    return std::nullopt;
  }
  std::vector<Operand> wrt;
  const auto *name = ast::dynCast<ast::NameExpr>(wrtExpr);
  bool isList = true;
  if (name && name->name == "params" && !body->scope.count("params")) {
    for (const FunctionFrame::Argument &argument : frame->arguments)
      if (argument.role == "param")
        wrt.push_back(Operand::of(argument.value));
  } else {
    std::optional<Operand> value = evaluate(*wrtExpr);
    if (!value)
      return std::nullopt;
    isList = value->kind == Operand::Kind::List;
    wrt = isList ? value->items : std::vector<Operand>{*value};
  }
  SmallVector<Value> values;
  for (const Operand &operand : wrt) {
    if (!operand.isTensor() || !isa<FloatType>(nnc::getElementType(operand.tensor))) {
      error(wrtExpr->range,
            fmt::format("'grad' expects floating-point tensors to differentiate by, found {}",
                        operand.describe()));
      return std::nullopt;
    }
    values.push_back(operand.tensor);
  }
  auto op = nn::GradOp::create(builder, locationOf(call.range), *loss, ValueRange(values));
  std::vector<Operand> results;
  for (Value gradient : op.getResults())
    results.push_back(Operand::of(gradient));
  return isList ? Operand::ofList(std::move(results)) : results.front();
}

std::optional<Operand> Elaborator::callTap(const ast::CallExpr &call) {
  const auto *name =
      call.args.size() == 2 ? ast::dynCast<ast::StringExpr>(call.args[1].value.get()) : nullptr;
  if (!name) {
    error(call.range, "'tap' expects a tensor and a name: tap(x, \"name\")");
    return std::nullopt;
  }
  std::optional<Value> value = evaluateTensor(*call.args[0].value);
  if (!value)
    return std::nullopt;
  tapValue(body->path + name->value, *value);
  return Operand::of(*value);
}

void Elaborator::tapValue(const std::string &name, Value value) {
  if (loops.empty()) {
    addResult(name, "tap", value);
    return;
  }
  loops.back()->collected.push_back({name, value});
  loops.back()->taps.push_back(name);
}

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

/// The path of the instance that a call of a layer makes: "fc1." or, unnamed, "dense.", "dense_2.".
std::string Elaborator::instancePath(const ast::CallExpr &call) {
  if (!call.instance.empty())
    return body->path + call.instance + ".";
  unsigned count = ++body->instanceCounts[call.callee];
  return body->path + call.callee + (count == 1 ? "" : fmt::format("_{}", count)) + ".";
}

/// The model that a function is about has its parameters' own names; another model that it calls
/// is an instance. A test is about the first model that it calls.
std::string Elaborator::modelPath(const ast::FragmentDecl &decl, const ast::CallExpr &call) {
  if (!frame->model)
    frame->model = &models[decl.name];
  if (!call.instance.empty())
    return body->path + call.instance + ".";
  return frame->model->decl == &decl ? "" : body->path + decl.name + ".";
}

std::optional<Operand> Elaborator::callFragment(const ast::FragmentDecl &decl,
                                                const ast::CallExpr &call) {
  if (decl.fragment == ast::FragmentKind::Optimizer) {
    error(call.calleeRange,
          fmt::format("'{}' is an optimizer: it belongs to a training, 'optimizer = {}(…)'",
                      decl.name, decl.name));
    return std::nullopt;
  }
  if (llvm::any_of(callStack, [&](const auto &entry) { return entry.first == &decl; })) {
    error(call.calleeRange, fmt::format("'{}' calls itself", decl.name))
        .help("loops are written with 'repeat'");
    return std::nullopt;
  }
  if (decl.fragment == ast::FragmentKind::Layer && !frame->model) {
    error(call.calleeRange, fmt::format("'{}' is a layer: its parameters belong to a model, and "
                                        "there is none here",
                                        decl.name))
        .help("call it in a model, or in a layer that a model calls");
    return std::nullopt;
  }
  if (!call.instance.empty() && decl.fragment == ast::FragmentKind::Func) {
    reportNoInstance(call);
    return std::nullopt;
  }
  if (!call.instance.empty()) {
    for (const auto &[name, range] : body->instances)
      if (name == call.instance) {
        error(call.instanceRange, fmt::format("instance '{}' is already used", name))
            .note(range, "it is used here");
        return std::nullopt;
      }
    body->instances.push_back({call.instance, call.instanceRange});
  }
  std::vector<Operand> positional;
  std::map<std::string, Operand> named;
  std::vector<SourceRange> ranges;
  if (!collectArguments(call, positional, named, ranges))
    return std::nullopt;
  // A model's parameters have the same names wherever it is called; a func has no instance.
  std::string path = body->path;
  if (decl.fragment == ast::FragmentKind::Layer)
    path = instancePath(call);
  if (decl.fragment == ast::FragmentKind::Model)
    path = modelPath(decl, call);
  std::optional<std::vector<Operand>> results =
      inlineFragment(decl, std::move(positional), std::move(named), std::move(path), call.range);
  if (!results)
    return std::nullopt;
  return results->size() == 1 ? results->front() : Operand::ofList(std::move(*results));
}

/// The names of the arguments that a call gives: an optimizer's first two are not the caller's.
static std::vector<std::string> callerArguments(const ast::FragmentDecl &decl) {
  std::vector<std::string> names;
  size_t skipped = decl.fragment == ast::FragmentKind::Optimizer ? 2 : 0;
  for (size_t index = skipped; index < decl.params.size(); ++index)
    names.push_back(decl.params[index].name);
  return names;
}

/// Whether every named argument is a parameter of the fragment.
bool Elaborator::checkNames(const ast::FragmentDecl &decl,
                            const std::map<std::string, Operand> &named) {
  std::vector<std::string> names;
  for (const ast::Param &param : decl.params)
    names.push_back(param.name);
  for (const auto &[name, value] : named)
    if (!llvm::is_contained(names, name)) {
      Diagnostic &diagnostic =
          error(value.nameRange, fmt::format("'{}' has no argument '{}'", decl.name, name));
      if (std::optional<std::string> meant = closestMatch(name, names))
        diagnostic.didYouMean(meant);
      else
        diagnostic.help("its arguments are " + llvm::join(callerArguments(decl), ", "));
      return false;
    }
  return true;
}

std::optional<std::vector<Operand>> Elaborator::inlineFragment(const ast::FragmentDecl &decl,
                                                               std::vector<Operand> positional,
                                                               std::map<std::string, Operand> named,
                                                               std::string path,
                                                               SourceRange range) {
  if (callStack.size() > 100) {
    error(range, "calls are nested too deeply");
    return std::nullopt;
  }
  Body inner;
  inner.path = std::move(path);
  Body *outer = std::exchange(body, &inner);
  RankedTensorType outerInitial = std::exchange(initialType, RankedTensorType());
  size_t next = 0;
  bool ok = checkNames(decl, named);
  for (const ast::Param &param : decl.params) {
    if (!ok)
      break;
    auto byName = named.find(param.name);
    if (byName != named.end() && next < positional.size() && &param == &decl.params[next]) {
      error(byName->second.range,
            fmt::format("argument '{}' of '{}' is given twice", param.name, decl.name))
          .note(positional[next].range, "by its place, it is this one");
      ok = false;
    }
    if (next < positional.size()) {
      ok = ok && bindParam(param, std::move(positional[next++]), range);
    } else if (byName != named.end()) {
      ok = ok && bindParam(param, byName->second, range);
    } else if (outerInitial && param.name == "shape") {
      std::vector<Operand> dims;
      for (const Dim &dim : getShape(outerInitial))
        dims.push_back(Operand::of(dim));
      inner.scope[param.name] = Operand::ofList(std::move(dims));
    } else if (outerInitial && param.name == "dtype") {
      inner.scope[param.name] = Operand::ofDtype(outerInitial.getElementType());
    } else if (param.defaultValue) {
      std::optional<Operand> value = evaluate(*param.defaultValue);
      ok = ok && value && bindParam(param, std::move(*value), range);
    } else {
      error(range, fmt::format("'{}' needs an argument '{}'", decl.name, param.name))
          .note(param.range, "it is declared here");
      ok = false;
    }
    named.erase(param.name);
  }
  if (ok && next < positional.size()) {
    error(positional[next].range,
          fmt::format("'{}' takes {}, found {}", decl.name, counted(decl.params.size(), "argument"),
                      positional.size()))
        .note(decl.nameRange, "it is declared here");
    ok = false;
  }
  callStack.push_back({&decl, range});
  ok = ok && elaborateBlock(decl.body) && checkResults(decl, inner, range);
  callStack.pop_back();
  body = outer;
  initialType = outerInitial;
  if (!ok)
    return std::nullopt;
  return std::move(inner.returned);
}

/// What each type of an attribute expects, in words.
static const std::map<StringRef, StringRef> attributeTypes = {
    {"int", "an integer"},          {"float", "a number known when compiling"},
    {"bool", "true or false"},      {"string", "a string"},
    {"ints", "a list of integers"}, {"dtype", "a dtype"}};

/// The names of types of attributes, and whether `value` is one.
static bool isAttributeType(StringRef name, const Operand *value = nullptr) {
  using Kind = Operand::Kind;
  bool known = attributeTypes.count(name);
  if (!value || !known)
    return known;
  auto isDimension = [](const Operand &item) { return item.kind == Kind::Dimension; };
  return (name == "int" && value->kind == Kind::Dimension) ||
         (name == "float" && value->isNumber()) || (name == "bool" && value->kind == Kind::Bool) ||
         (name == "string" && value->kind == Kind::String) ||
         (name == "dtype" && value->kind == Kind::Dtype) ||
         (name == "ints" &&
          (value->kind == Kind::Dimension ||
           (value->kind == Kind::List && llvm::all_of(value->items, isDimension))));
}

bool Elaborator::bindParam(const ast::Param &param, Operand value, SourceRange range) {
  std::string what = fmt::format("argument '{}'", param.name);
  if (value.range.isValid())
    range = value.range;
  bool isTensorType =
      param.type &&
      (!isAttributeType(param.type->name) ||
       (param.type->name == "bool" && (value.isTensor() || !param.type->dims.empty())));
  if (param.type && !isTensorType && value.kind != Operand::Kind::None) {
    if (!isAttributeType(param.type->name, &value)) {
      error(range, fmt::format("{} expects {}, found {}", what,
                               attributeTypes.at(param.type->name).str(), value.describe()))
          .note(param.range, "it is declared here");
      return false;
    }
    if (param.type->name == "ints" && value.kind == Operand::Kind::Dimension)
      value = Operand::ofList({value});
  }
  if (isTensorType) {
    std::optional<Value> tensor =
        toTensor(value, range, elementTypeFromString(&context, param.type->name));
    if (!tensor || !unify(*param.type, *tensor, what, range, /*mayDeclare=*/true))
      return false;
    value = Operand::of(*tensor);
  }
  body->scope[param.name] = std::move(value);
  return true;
}

/// Whether a name that is no dtype was meant as one: f23, i16.
static bool looksLikeDtype(StringRef name) {
  return name.size() > 1 && StringRef("fiub").contains(name[0]) &&
         llvm::all_of(name.drop_front(), llvm::isDigit);
}

/// Matches a declared type with a value's: new names in it are bound, known ones must agree.
bool Elaborator::unify(const ast::Type &type, Value value, const std::string &what,
                       SourceRange range, bool mayDeclare) {
  Shape shape = nnc::getShape(value);
  Type elementType = nnc::getElementType(value);
  auto mismatch = [&](const std::string &detail) {
    Diagnostic &diagnostic =
        error(range, fmt::format("{} expects {}, found {}{}", what, std::string(type.range.text()),
                                 typeToString(value.getType()), detail));
    if (range.begin != type.range.begin || range.file != type.range.file)
      diagnostic.note(type.range, "it is declared here");
    return false;
  };
  if (Type declaredType = elementTypeFromString(&context, type.name)) {
    if (declaredType != elementType)
      return mismatch("");
  } else if (looksLikeDtype(type.name) || (!mayDeclare && !body->scope.count(type.name))) {
    reportUnknownDtype(type);
    return false;
  } else {
    auto [found, isNew] = body->scope.emplace(type.name, Operand::ofDtype(elementType));
    if (!isNew && found->second.dtype != elementType)
      return mismatch(fmt::format(", where {} is {}", type.name, found->second.describe()));
  }
  bool anyLeading = !type.dims.empty() && type.dims.front()->kind() == ast::Expr::Kind::Ellipsis;
  ArrayRef<ast::ExprPtr> dims = ArrayRef(type.dims).drop_front(anyLeading ? 1 : 0);
  if (anyLeading ? shape.size() < dims.size() : shape.size() != dims.size())
    return mismatch("");
  ArrayRef<Dim> sizes = ArrayRef(shape).take_back(dims.size());
  for (auto [expr, size] : llvm::zip(dims, sizes)) {
    const auto *name = ast::dynCast<ast::NameExpr>(expr.get());
    if (name && !body->scope.count(name->name)) {
      body->scope[name->name] = Operand::of(size);
      continue;
    }
    std::optional<Dim> dim = resolveDim(*expr, /*declares=*/false);
    if (!dim)
      return false;
    if (*dim != size)
      return mismatch(name ? fmt::format(", where {} is {}", name->name, dim->str()) : "");
  }
  return true;
}

bool Elaborator::checkResults(const ast::FragmentDecl &decl, Body &inner, SourceRange range) {
  if (!inner.hasReturned && !decl.results.empty()) {
    for (const ast::Result &result : decl.results) {
      auto found = inner.scope.find(result.name);
      if (result.name.empty() || found == inner.scope.end()) {
        if (result.name.empty())
          error(decl.nameRange, fmt::format("'{}' has no return", decl.name))
              .help("end it with 'return VALUE'");
        else
          error(result.range,
                fmt::format("result '{}' of '{}' is never given a value", result.name, decl.name))
              .didYouMean(closestMatch(result.name, namesIn(inner.scope)));
        return false;
      }
      inner.returned.push_back(found->second);
      inner.returnedRanges.push_back(result.range);
    }
  }
  if (inner.returned.empty()) {
    error(decl.nameRange, fmt::format("'{}' has no return", decl.name))
        .help("end it with 'return VALUE'");
    return false;
  }
  if (!decl.results.empty() && decl.results.size() != inner.returned.size()) {
    error(inner.returnedRanges.front().to(inner.returnedRanges.back()),
          fmt::format("'{}' expects {}, found {}", decl.name,
                      counted(decl.results.size(), "result"), inner.returned.size()))
        .note(decl.results.front().type ? decl.results.front().type->range : decl.nameRange,
              "it is declared here");
    return false;
  }
  for (size_t index = 0; index < decl.results.size(); ++index) {
    if (!decl.results[index].type)
      continue;
    const ast::Type &type = *decl.results[index].type;
    SourceRange place = inner.returnedRanges[index];
    std::string what =
        decl.results[index].name.empty()
            ? decl.results.size() == 1 ? fmt::format("the result of '{}'", decl.name)
                                       : fmt::format("result {} of '{}'", index + 1, decl.name)
            : fmt::format("result '{}' of '{}'", decl.results[index].name, decl.name);
    std::optional<Value> value =
        toTensor(inner.returned[index], place, elementTypeFromString(&context, type.name));
    if (!value || !unify(type, *value, what, place))
      return false;
    inner.returned[index] = Operand::of(*value);
  }
  return true;
}

} // namespace nnc
