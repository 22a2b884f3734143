//===- Calls.cpp - Resolving calls and inlining fragments -----------------===//
//
// A call means, in this order: a fragment of the file or the prelude, an op, one of the few
// built-in forms (grad, tap, shape, dtype, len, bytes, and each dtype as a conversion). Positional arguments
// fill an op's operands, then its attributes; a fragment's parameters in order.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

/// The forms that are neither ops nor fragments, dtypes apart.
static constexpr StringRef builtinNames[] = {"grad", "tap", "shape", "dtype", "len", "bytes"};

bool Elaborator::isBuiltinName(StringRef name) {
  return llvm::is_contained(builtinNames, name) || elementTypeFromString(&context, name.str());
}

/// The function that `x.tanh` means to those who know methods; empty if there is none of that name.
std::string methodOf(StringRef name, const std::vector<std::string> &functions) {
  StringRef last = name.contains('.') ? name.rsplit('.').second : "";
  return llvm::is_contained(functions, last) ? last.str() : "";
}

std::optional<CallArguments> Elaborator::collectArguments(const ast::CallExpr &call,
                                                          StringRef skipped) {
  CallArguments arguments;
  for (const ast::Item &item : call.args) {
    if (!skipped.empty() && item.name == skipped)
      continue;
    std::optional<Operand> value = evaluate(*item.value);
    if (!value)
      return std::nullopt;
    value->range = item.value->range;
    value->nameRange = item.nameRange;
    if (item.name.empty()) {
      arguments.positional.push_back(std::move(*value));
    } else if (!arguments.named.emplace(item.name, std::move(*value)).second) {
      error(item.nameRange, fmt::format("argument '{}' is given twice", item.name));
      return std::nullopt;
    }
  }
  return arguments;
}

std::optional<Operand> Elaborator::evaluateCall(const ast::CallExpr &call) {
  const auto &fragments = fragmentsAt(call.calleeRange);
  if (auto fragment = fragments.find(call.callee); fragment != fragments.end())
    return callFragment(*fragment->second, call);
  if (!call.instance.empty()) {
    bool isFunction = lookupOp(call.callee) || isBuiltinName(call.callee);
    isFunction ? reportNoInstance(call) : reportUnknownCallee(call);
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
  std::vector<std::string> names(std::begin(builtinNames), std::end(builtinNames));
  for (const OpInfo &op : getOpTable())
    names.push_back(op.name);
  for (const auto &[name, decl] : fragmentsAt(call.calleeRange))
    names.push_back(name);
  names.insert(names.end(), std::begin(dtypeNames), std::end(dtypeNames));
  Diagnostic &diagnostic =
      error(call.calleeRange, fmt::format("unknown function '{}'", call.callee));
  if (call.callee == "text")
    diagnostic.help("in a test, 'record NAME = text(x)' shows integers as text; a source of data "
                    "stands in 'data NAME = text(…)'");
  else if (std::string method = methodOf(call.callee, names); !method.empty())
    diagnostic.help(fmt::format("there are no methods; write a call: '{}(x)'", method));
  else
    diagnostic.didYouMean(closestMatch(call.callee, names));
}

//===----------------------------------------------------------------------===//
// Built-in forms
//===----------------------------------------------------------------------===//

std::optional<Operand> Elaborator::callBuiltin(const ast::CallExpr &call, bool &isBuiltin) {
  Type dtype = elementTypeFromString(&context, call.callee);
  if (auto found = body->scope.find(call.callee);
      found != body->scope.end() && found->second.kind == Operand::Kind::Dtype)
    dtype = found->second.dtype;
  isBuiltin = dtype || llvm::is_contained(builtinNames, call.callee);
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
  if (call.callee == "bytes")
    return toBytes(*argument, range);
  if (call.callee == "len") {
    if (argument->isList())
      return Operand::of(Dim(int64_t(argument->items.size())));
    error(range, fmt::format("'len' expects a list, found {}", argument->describe()))
        .help("'shape(x)[0]' is the size of a tensor's first axis");
    return std::nullopt;
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

/// The bytes of a string, a list of integers.
std::optional<Operand> Elaborator::toBytes(const Operand &text, SourceRange range) {
  if (text.kind != Operand::Kind::String) {
    error(range, fmt::format("'bytes' expects a string, found {}", text.describe()));
    return std::nullopt;
  }
  std::vector<Operand> bytes;
  for (char byte : text.text)
    bytes.push_back(Operand::of(Dim(int64_t(uint8_t(byte)))));
  return Operand::ofList(std::move(bytes));
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

} // namespace nnc
