//===- OpCalls.cpp - Calls of ops --------------------------------------===//
//
// Positional arguments fill an op's operands, then its attributes; operands of different types are
// brought to one.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

/// Reports a string that is none of the words which could have stood in its place; false for any other
/// value. The place is that of the string, not of the op deep in the prelude that finds it.
bool Elaborator::reportWord(const Operand &value, StringRef expected) {
  auto words = comparedWords.find(value.text);
  if (value.kind != Operand::Kind::String || words == comparedWords.end() ||
      !isOwn(value.origin.file))
    return false;
  Diagnostic &diagnostic =
      diagnostics.error(value.origin, fmt::format("expected \"{}\", {}, found {}",
                                                  llvm::join(words->second, "\", \""),
                                                  expected.str(), value.describe()));
  if (std::optional<std::string> closest = closestMatch(value.text, words->second))
    diagnostic.help(fmt::format("did you mean \"{}\"?", *closest));
  return true;
}

std::optional<Attribute> Elaborator::toAttribute(const AttributeInfo &info, const Operand &value,
                                                 SourceRange range, StringRef op) {
  auto mismatch = [&](StringRef expected) -> std::optional<Attribute> {
    if (!reportWord(value, expected))
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
  case AttributeKind::String:
    return value.kind == Operand::Kind::String
               ? std::optional<Attribute>(builder.getStringAttr(value.text))
               : mismatch("a string");
  case AttributeKind::Literal:
    break;
  }
  return mismatch("a literal");
}

/// A string can be no operand: wherever it stands, it is the attribute that takes one, so that
/// `einsum("ij->ji", x)` reads as it does in NumPy.
static void nameStrings(const OpInfo &op, CallArguments &arguments) {
  for (const AttributeInfo &info : op.attributes) {
    auto found = llvm::find_if(arguments.positional, [](const Operand &value) {
      return value.kind == Operand::Kind::String;
    });
    if (info.kind != AttributeKind::String || arguments.named.count(info.name) ||
        found == arguments.positional.end())
      continue;
    arguments.named[info.name] = *found;
    arguments.positional.erase(found);
  }
}

/// The op's operands, from the named and the first of the positional arguments.
std::optional<std::vector<Operand>>
Elaborator::takeOperands(const OpInfo &op, CallArguments &arguments, SourceRange range) {
  std::vector<Operand> operands;
  for (const OperandInfo &operand : op.operands) {
    if (operand.isVariadic) {
      while (arguments.hasPositional() && (arguments.positional[arguments.next].isTensor() ||
                                           arguments.positional[arguments.next].isList()))
        operands.push_back(*arguments.takePositional());
      // concat([a, b]) means concat(a, b), as in NumPy.
      if (operands.size() == 1 && operands[0].isList() && !operands[0].isLiteral()) {
        std::vector<Operand> items = operands[0].items;
        operands = std::move(items);
      }
      break;
    }
    if (std::optional<Operand> named = arguments.takeNamed(operand.name)) {
      operands.push_back(std::move(*named));
    } else if (op.isRandom() && operand.name == "key") {
      operands.push_back(Operand::of(getKey()));
    } else if (std::optional<Operand> positional = arguments.takePositional()) {
      operands.push_back(std::move(*positional));
    } else {
      error(range, fmt::format("'{}' needs an argument '{}'", op.name, operand.name));
      return std::nullopt;
    }
  }
  return operands;
}

/// What an attribute is when the call does not say: null if the op may do without.
std::optional<Attribute> Elaborator::impliedAttribute(const OpInfo &op, const AttributeInfo &info,
                                                      SourceRange range) {
  if (op.isRandom() && info.name == "stream")
    return builder.getI64IntegerAttr(frame->nextStream++);
  if (initialType && info.name == "shape")
    return toAttr(&context, getShape(initialType));
  if (initialType && info.name == "dtype")
    return TypeAttr::get(initialType.getElementType());
  if (info.isOptional)
    return Attribute();
  error(range, fmt::format("'{}' needs an argument '{}'", op.name, info.name));
  return std::nullopt;
}

/// The op's attributes, from what the operands left.
std::optional<SmallVector<NamedAttribute>>
Elaborator::takeAttributes(const OpInfo &op, CallArguments &arguments, SourceRange range) {
  SmallVector<NamedAttribute> attributes;
  for (const AttributeInfo &info : op.attributes) {
    std::optional<Operand> value = arguments.takeNamed(info.name);
    if (!value)
      value = arguments.takePositional();
    std::optional<Attribute> attribute = value && value->kind != Operand::Kind::None
                                             ? toAttribute(info, *value, value->range, op.name)
                                             : impliedAttribute(op, info, range);
    if (!attribute)
      return std::nullopt;
    if (*attribute)
      attributes.push_back(builder.getNamedAttr(info.name, *attribute));
  }
  return attributes;
}

/// Whether every argument found its place.
bool Elaborator::checkAllTaken(const OpInfo &op, const CallArguments &arguments) {
  if (arguments.hasPositional()) {
    error(arguments.positional[arguments.next].range,
          fmt::format("'{}' takes {} by position, found {}", op.name,
                      counted(arguments.next, "argument"), arguments.positional.size()));
    return false;
  }
  if (arguments.named.empty())
    return true;
  std::vector<std::string> names;
  for (const OperandInfo &operand : op.operands)
    names.push_back(operand.name);
  for (const AttributeInfo &info : op.attributes)
    names.push_back(info.name);
  const auto &[name, value] = *llvm::min_element(arguments.named, [](auto &left, auto &right) {
    return left.second.nameRange.begin < right.second.nameRange.begin;
  });
  error(value.nameRange, fmt::format("'{}' has no argument '{}'", op.name, name))
      .didYouMean(closestMatch(name, names));
  return false;
}

/// Brings the operands of an op to one element type, a condition apart.
bool Elaborator::promoteOperands(const OpInfo &op, std::vector<Operand> &operands,
                                 SourceRange range) {
  if (!op.promotesOperands)
    return true;
  size_t skipped = op.operands.front().name == "condition";
  std::vector<Operand> promoted(operands.begin() + skipped, operands.end());
  if (!promote(promoted, range, /*toFloat=*/op.name == "div"))
    return false;
  llvm::copy(promoted, operands.begin() + skipped);
  return true;
}

/// Floor division of two integers that are known, which the operators have only in types.
static std::optional<Operand> knownQuotient(const OpInfo &op, const CallArguments &arguments) {
  ArrayRef<Operand> values = arguments.positional;
  bool isKnown = op.name == "floor_divide" && values.size() == 2 && arguments.named.empty() &&
                 llvm::all_of(values, [](const Operand &value) { return value.isInteger(); }) &&
                 values[1].dim.constant() > 0;
  return isKnown ? std::optional(Operand::of(values[0].dim.floorDiv(values[1].dim))) : std::nullopt;
}

std::optional<Operand> Elaborator::callOp(const OpInfo &op, const ast::CallExpr &call) {
  std::optional<CallArguments> arguments = collectArguments(call);
  if (!arguments)
    return std::nullopt;
  if (std::optional<Operand> quotient = knownQuotient(op, *arguments))
    return quotient;
  nameStrings(op, *arguments);
  std::optional<std::vector<Operand>> operands = takeOperands(op, *arguments, call.range);
  if (!operands)
    return std::nullopt;
  std::optional<SmallVector<NamedAttribute>> attributes =
      takeAttributes(op, *arguments, call.range);
  if (!attributes || !checkAllTaken(op, *arguments) || !promoteOperands(op, *operands, call.range))
    return std::nullopt;
  SmallVector<Value> values;
  for (const Operand &operand : *operands) {
    std::optional<Value> value = toTensor(operand, call.range);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  std::optional<Value> result = createOp(op.name, values, *attributes, call.range);
  return result ? std::optional(Operand::of(*result)) : std::nullopt;
}

} // namespace nnc
