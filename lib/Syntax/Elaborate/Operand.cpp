//===- Operand.cpp - What an expression stands for ------------------------===//
//
// Descriptions for messages, and the table of promotions.
//
//===----------------------------------------------------------------------===//
#include "Operand.h"

#include <fmt/format.h>

using namespace mlir;

namespace nnc {

bool Operand::isLiteral() const {
  if (kind == Kind::List)
    return llvm::all_of(items, [](const Operand &item) { return item.isLiteral(); });
  return isNumber() || kind == Kind::Bool;
}

bool Operand::hasFloat() const {
  return kind == Kind::Float ||
         llvm::any_of(items, [](const Operand &item) { return item.hasFloat(); });
}

bool Operand::hasBool() const {
  return kind == Kind::Bool ||
         llvm::any_of(items, [](const Operand &item) { return item.hasBool(); });
}

bool Operand::hasInteger() const {
  return isInteger() || llvm::any_of(items, [](const Operand &item) { return item.hasInteger(); });
}

const Operand *Operand::findFloat() const {
  if (kind == Kind::Float)
    return this;
  for (const Operand &item : items)
    if (const Operand *found = item.findFloat())
      return found;
  return nullptr;
}

/// A number, a dimension or a list of them, as it is written.
static std::string plainText(const Operand &operand) {
  switch (operand.kind) {
  case Operand::Kind::Dimension:
    return operand.dim.str();
  case Operand::Kind::Float:
    return fmt::format("{}", operand.number);
  case Operand::Kind::List: {
    std::vector<std::string> items;
    for (const Operand &item : operand.items)
      items.push_back(plainText(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  default:
    return operand.describe();
  }
}

std::string Operand::describe() const {
  switch (kind) {
  case Kind::None:
    return "None";
  case Kind::Tensor:
    return typeToString(tensor.getType());
  case Kind::Dimension:
    return dim.isConstant() ? fmt::format("the integer {}", dim.constant())
                            : fmt::format("the dimension {}", dim.str());
  case Kind::Float:
    return fmt::format("the number {}", number);
  case Kind::Bool:
    return truth ? "true" : "false";
  case Kind::String:
    return fmt::format("the string \"{}\"", text);
  case Kind::Dtype:
    return fmt::format("the dtype {}", elementTypeToString(dtype));
  case Kind::List:
    return items.size() <= 8 ? "the list " + plainText(*this)
                             : fmt::format("a list of {} elements", items.size());
  case Kind::Range:
    return "a range";
  case Kind::Unknown:
    return "an unknown value";
  }
  return "";
}

/// bool < integers < floats; among integers and among floats the wider.
static unsigned category(Type type) {
  return type.isInteger(1) ? 0 : isa<IntegerType>(type) ? 1 : 2;
}

Type promoteTypes(Type left, Type right) {
  if (left == right)
    return left;
  if (category(left) != category(right))
    return category(left) > category(right) ? left : right;
  unsigned leftWidth = left.getIntOrFloatBitWidth(), rightWidth = right.getIntOrFloatBitWidth();
  if (leftWidth != rightWidth)
    return leftWidth > rightWidth ? left : right;
  // f16 and bf16, or i8 and u8: the next wider type holds both.
  if (isa<FloatType>(left))
    return Float32Type::get(left.getContext());
  return IntegerType::get(left.getContext(), 32);
}

Type promoteNumber(Type other, bool isFloat, MLIRContext *context) {
  if (isFloat)
    return isa<FloatType>(other) ? other : Float32Type::get(context);
  return other.isInteger(1) ? IntegerType::get(context, 64) : other;
}

std::vector<std::string> namesIn(const Scope &scope) {
  std::vector<std::string> names;
  for (const auto &[name, operand] : scope)
    names.push_back(name);
  return names;
}

bool canStoreAs(Type from, Type to) { return category(from) <= category(to); }

} // namespace nnc
