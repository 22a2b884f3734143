//===- Dim.cpp - Symbolic dimensions --------------------------------------===//
//
// Canonical polynomials over symbols and floor divisions, and their place in tensor types.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Dim.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace nnc {

Dim::Dim(int64_t value) {
  if (value != 0)
    terms[{}] = value;
}

Dim Dim::symbol(StringRef name) {
  Dim dim;
  dim.terms[{Atom{name.str(), nullptr, nullptr}}] = 1;
  return dim;
}

bool Dim::isConstant() const {
  return terms.empty() || (terms.size() == 1 && terms.begin()->first.empty());
}

int64_t Dim::constant() const {
  assert(isConstant());
  return terms.empty() ? 0 : terms.begin()->second;
}

std::string Dim::Atom::str() const {
  if (!numerator)
    return name;
  auto wrap = [](const Dim &dim) {
    std::string text = dim.str();
    bool simple =
        dim.isConstant() || llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || c == '_'; });
    return simple ? text : "(" + text + ")";
  };
  return wrap(*numerator) + "/" + wrap(*divisor);
}

/// Symbol terms in order of their text, the constant last: "2*N + 1".
std::string Dim::str() const {
  if (terms.empty())
    return "0";
  std::string text;
  auto append = [&](const std::vector<Atom> &atoms, int64_t coefficient) {
    if (text.empty())
      text += coefficient < 0 ? "-" : "";
    else
      text += coefficient < 0 ? " - " : " + ";
    uint64_t magnitude = coefficient < 0 ? 0 - uint64_t(coefficient) : uint64_t(coefficient);
    std::vector<std::string> factors;
    if (magnitude != 1 || atoms.empty())
      factors.push_back(std::to_string(magnitude));
    for (const Atom &atom : atoms)
      factors.push_back(atom.numerator && atoms.size() + (magnitude != 1) > 1
                            ? "(" + atom.str() + ")"
                            : atom.str());
    text += llvm::join(factors, "*");
  };
  for (const auto &[atoms, coefficient] : terms)
    if (!atoms.empty())
      append(atoms, coefficient);
  if (auto constantTerm = terms.find({}); constantTerm != terms.end())
    append({}, constantTerm->second);
  return text;
}

Dim Dim::operator+(const Dim &other) const {
  Dim result = *this;
  for (const auto &[atoms, coefficient] : other.terms)
    if ((result.terms[atoms] += coefficient) == 0)
      result.terms.erase(atoms);
  return result;
}

Dim Dim::operator-(const Dim &other) const { return *this + other * Dim(-1); }

Dim Dim::operator*(const Dim &other) const {
  Dim result;
  for (const auto &[leftAtoms, leftCoefficient] : terms)
    for (const auto &[rightAtoms, rightCoefficient] : other.terms) {
      std::vector<Atom> atoms = leftAtoms;
      atoms.insert(atoms.end(), rightAtoms.begin(), rightAtoms.end());
      std::sort(atoms.begin(), atoms.end());
      if ((result.terms[atoms] += leftCoefficient * rightCoefficient) == 0)
        result.terms.erase(atoms);
    }
  return result;
}

std::optional<Dim> Dim::exactDiv(const Dim &divisor) const {
  if (divisor.terms.size() != 1)
    return *this == divisor ? std::optional<Dim>(1) : std::nullopt;
  const auto &[divisorAtoms, divisorCoefficient] = *divisor.terms.begin();
  Dim result;
  for (const auto &[atoms, coefficient] : terms) {
    if (coefficient % divisorCoefficient != 0)
      return std::nullopt;
    std::vector<Atom> rest = atoms;
    for (const Atom &atom : divisorAtoms) {
      auto found = llvm::find(rest, atom);
      if (found == rest.end())
        return std::nullopt;
      rest.erase(found);
    }
    result.terms[rest] = coefficient / divisorCoefficient;
  }
  return result;
}

Dim Dim::floorDiv(const Dim &divisor) const {
  if (isConstant() && divisor.isConstant()) {
    int64_t quotient = constant() / divisor.constant();
    return quotient -
           (constant() % divisor.constant() != 0 && (constant() < 0) != (divisor.constant() < 0));
  }
  if (!divisor.isConstant() || divisor.constant() != 0)
    if (std::optional<Dim> exact = exactDiv(divisor))
      return *exact;
  Dim result;
  result.terms[{Atom{"", std::make_shared<Dim>(*this), std::make_shared<Dim>(divisor)}}] = 1;
  return result;
}

Dim Dim::ceilDiv(const Dim &divisor) const { return (*this + divisor - Dim(1)).floorDiv(divisor); }

void Dim::collectSymbols(std::set<std::string> &symbols) const {
  for (const auto &[atoms, coefficient] : terms)
    for (const Atom &atom : atoms) {
      if (!atom.numerator) {
        symbols.insert(atom.name);
        continue;
      }
      atom.numerator->collectSymbols(symbols);
      atom.divisor->collectSymbols(symbols);
    }
}

Dim Dim::substitute(const std::map<std::string, Dim> &values) const {
  Dim result;
  for (const auto &[atoms, coefficient] : terms) {
    Dim product(coefficient);
    for (const Atom &atom : atoms) {
      if (atom.numerator) {
        product =
            product * atom.numerator->substitute(values).floorDiv(atom.divisor->substitute(values));
        continue;
      }
      auto found = values.find(atom.name);
      product = product * (found == values.end() ? Dim::symbol(atom.name) : found->second);
    }
    result = result + product;
  }
  return result;
}

namespace {
/// Recursive descent over the text of a dimension; depth is bounded, so hostile text cannot
/// exhaust the stack.
class DimParser {
public:
  explicit DimParser(StringRef text) : rest(text.trim()) {}

  std::optional<Dim> parseAll() {
    std::optional<Dim> dim = parseSum();
    return dim && rest.empty() ? dim : std::nullopt;
  }

private:
  bool consume(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }

  std::optional<Dim> parseSum() {
    std::optional<Dim> left = consume("-") ? negate(parseProduct()) : parseProduct();
    while (left) {
      bool plus = consume("+");
      if (!plus && !consume("-"))
        return left;
      std::optional<Dim> right = parseProduct();
      if (!right)
        return std::nullopt;
      left = plus ? *left + *right : *left - *right;
    }
    return left;
  }

  static std::optional<Dim> negate(std::optional<Dim> dim) {
    return dim ? std::optional<Dim>(Dim(0) - *dim) : std::nullopt;
  }

  std::optional<Dim> parseProduct() {
    std::optional<Dim> left = parseAtom();
    while (left) {
      bool divide = consume("/");
      if (!divide && !consume("*"))
        return left;
      std::optional<Dim> right = parseAtom();
      if (!right || (divide && right->isConstant() && right->constant() <= 0))
        return std::nullopt;
      left = divide ? left->floorDiv(*right) : *left * *right;
    }
    return left;
  }

  std::optional<Dim> parseAtom() {
    if (consume("(")) {
      if (++depth > 64)
        return std::nullopt;
      std::optional<Dim> inner = parseSum();
      --depth;
      return inner && consume(")") ? inner : std::nullopt;
    }
    rest = rest.ltrim();
    StringRef token =
        rest.take_while([](char c) { return llvm::isAlnum(c) || c == '_' || c == '?'; });
    rest = rest.drop_front(token.size());
    int64_t value;
    if (token.empty())
      return std::nullopt;
    if (llvm::isDigit(token.front()))
      return token.getAsInteger(10, value) ? std::nullopt : std::optional<Dim>(value);
    return Dim::symbol(token);
  }

  StringRef rest;
  unsigned depth = 0;
};
} // namespace

std::optional<Dim> Dim::parse(StringRef text) { return DimParser(text).parseAll(); }

Attribute toAttr(MLIRContext *context, const Dim &dim) {
  if (dim.isConstant())
    return IntegerAttr::get(IntegerType::get(context, 64), dim.constant());
  return StringAttr::get(context, dim.str());
}

std::optional<Dim> dimFromAttr(Attribute attr) {
  if (auto integer = dyn_cast_or_null<IntegerAttr>(attr))
    return Dim(integer.getInt());
  if (auto text = dyn_cast_or_null<StringAttr>(attr))
    return Dim::parse(text.getValue());
  return std::nullopt;
}

ArrayAttr toAttr(MLIRContext *context, ArrayRef<Dim> shape) {
  SmallVector<Attribute> dims;
  for (const Dim &dim : shape)
    dims.push_back(toAttr(context, dim));
  return ArrayAttr::get(context, dims);
}

Shape shapeFromAttr(ArrayAttr attr) {
  Shape shape;
  for (Attribute dim : attr)
    shape.push_back(dimFromAttr(dim).value_or(Dim::symbol("?")));
  return shape;
}

Shape getShape(Type tensorType) {
  auto type = cast<RankedTensorType>(tensorType);
  if (auto names = dyn_cast_or_null<ArrayAttr>(type.getEncoding()))
    return shapeFromAttr(names);
  Shape shape;
  for (int64_t size : type.getShape())
    shape.push_back(ShapedType::isDynamic(size) ? Dim::symbol("?") : Dim(size));
  return shape;
}

Shape getShape(Value value) { return getShape(value.getType()); }

Type getElementType(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

RankedTensorType makeTensorType(ArrayRef<Dim> shape, Type elementType) {
  SmallVector<int64_t> sizes;
  bool isStatic = true;
  for (const Dim &dim : shape) {
    isStatic &= dim.isConstant();
    sizes.push_back(dim.isConstant() ? dim.constant() : ShapedType::kDynamic);
  }
  if (isStatic)
    return RankedTensorType::get(sizes, elementType);
  return RankedTensorType::get(sizes, elementType, toAttr(elementType.getContext(), shape));
}

int64_t typicalSize(const Dim &dim) {
  std::set<std::string> names;
  dim.collectSymbols(names);
  std::map<std::string, Dim> values;
  for (const std::string &name : names)
    values.emplace(name, Dim(kTypicalSize));
  return dim.substitute(values).constant();
}

Dim numElements(ArrayRef<Dim> shape) {
  Dim product(1);
  for (const Dim &dim : shape)
    product = product * dim;
  return product;
}

std::string elementTypeToString(Type type) {
  if (type.isInteger(1))
    return "bool";
  if (auto integer = dyn_cast<IntegerType>(type))
    return (integer.isUnsigned() ? "u" : "i") + std::to_string(integer.getWidth());
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

Type elementTypeFromString(MLIRContext *context, StringRef name) {
  Builder builder(context);
  return llvm::StringSwitch<Type>(name)
      .Case("f64", builder.getF64Type())
      .Case("f32", builder.getF32Type())
      .Case("f16", builder.getF16Type())
      .Case("bf16", builder.getBF16Type())
      .Case("i64", builder.getI64Type())
      .Case("i32", builder.getI32Type())
      .Case("i8", builder.getI8Type())
      .Case("u8", builder.getIntegerType(8, /*isSigned=*/false))
      .Case("bool", builder.getI1Type())
      .Default(Type());
}

std::string shapeToString(ArrayRef<Dim> shape) {
  std::vector<std::string> dims;
  for (const Dim &dim : shape)
    dims.push_back(dim.str());
  return "[" + llvm::join(dims, ", ") + "]";
}

std::string typeToString(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return elementTypeToString(type);
  std::string text = elementTypeToString(tensor.getElementType());
  return tensor.getRank() == 0 ? text : text + shapeToString(getShape(type));
}

} // namespace nnc
