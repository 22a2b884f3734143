//===- DeclaredTypes.cpp - Declared types meet values ---------------------===//
//
// A parameter's or result's type is matched with that of its value: names of dimensions and dtypes
// that are new are bound, known ones must agree.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

/// What each type of an attribute expects, in words.
static const std::map<StringRef, StringRef> &attributeTypes() {
  static const std::map<StringRef, StringRef> types = {{"int", "an integer"},
                                                       {"float", "a number known when compiling"},
                                                       {"bool", "true or false"},
                                                       {"string", "a string"},
                                                       {"ints", "a list of integers"},
                                                       {"dtype", "a dtype"},
                                                       {"scalar", "a number or a scalar"}};
  return types;
}

/// The names of types of attributes, and whether `value` is one.
static bool isAttributeType(StringRef name, const Operand *value = nullptr) {
  using Kind = Operand::Kind;
  bool known = attributeTypes().count(name);
  if (!value || !known)
    return known;
  auto isDimension = [](const Operand &item) { return item.kind == Kind::Dimension; };
  return (name == "int" && value->kind == Kind::Dimension) ||
         (name == "float" && value->isNumber()) ||
         (name == "scalar" &&
          (value->isNumber() || (value->isTensor() && nnc::getShape(value->tensor).empty()))) ||
         (name == "bool" && value->kind == Kind::Bool) ||
         (name == "string" && value->kind == Kind::String) ||
         (name == "dtype" && value->kind == Kind::Dtype) ||
         (name == "ints" &&
          (value->kind == Kind::Dimension ||
           (value->kind == Kind::List && llvm::all_of(value->items, isDimension))));
}

/// Makes `value` the list that `ints` or `ints[2]` asks for; one integer stands for as many.
bool Elaborator::bindIntegers(const ast::Param &param, Operand &value, SourceRange range) {
  ArrayRef<ast::ExprPtr> dims = param.type->dims;
  std::optional<Dim> length = dims.empty() ? Dim(1) : resolveDim(*dims.front(), /*declares=*/false);
  if (!length)
    return false;
  if (dims.size() > 1 || !length->isConstant()) {
    error(param.type->range, "expected one length that is known when compiling");
    return false;
  }
  size_t count = length->constant();
  if (value.kind == Operand::Kind::Dimension)
    value = Operand::ofList(std::vector<Operand>(count, value));
  if (dims.empty() || value.items.size() == count)
    return true;
  error(range, fmt::format("argument '{}' expects {}, or one for all, found {}", param.name,
                           counted(count, "integer"), value.items.size()))
      .note(param.range, "it is declared here");
  return false;
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
                               attributeTypes().at(param.type->name).str(), value.describe()))
          .note(param.range, "it is declared here");
      return false;
    }
    if (param.type->name == "ints" && !bindIntegers(param, value, range))
      return false;
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

bool Elaborator::unifyElementType(const ast::Type &type, Type found, bool mayDeclare,
                                  function_ref<bool(const std::string &)> mismatch) {
  if (Type expected = elementTypeFromString(&context, type.name))
    return expected == found || mismatch("");
  if (looksLikeDtype(type.name) || (!mayDeclare && !body->scope.count(type.name))) {
    reportUnknownDtype(type);
    return false;
  }
  auto [known, isNew] = body->scope.emplace(type.name, Operand::ofDtype(found));
  return isNew || known->second.dtype == found ||
         mismatch(fmt::format(", where {} is {}", type.name, known->second.describe()));
}

/// Matches a declared type with a value's: new names in it are bound, known ones must agree.
bool Elaborator::unify(const ast::Type &type, Value value, const std::string &what,
                       SourceRange range, bool mayDeclare) {
  auto mismatch = [&](const std::string &detail) {
    Diagnostic &diagnostic =
        error(range, fmt::format("{} expects {}, found {}{}", what, std::string(type.range.text()),
                                 typeToString(value.getType()), detail));
    if (range.begin != type.range.begin || range.file != type.range.file)
      diagnostic.note(type.range, "it is declared here");
    return false;
  };
  if (!unifyElementType(type, nnc::getElementType(value), mayDeclare, mismatch))
    return false;
  Shape shape = nnc::getShape(value);
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

/// The results that the body gives by name, where it has no return.
bool Elaborator::collectNamedResults(const ast::FragmentDecl &decl, Body &inner) {
  for (const ast::Result &result : decl.results) {
    auto found = inner.scope.find(result.name);
    if (result.name.empty() && inner.scope.count(result.type->name)) {
      const Operand &value = inner.scope.at(result.type->name);
      std::string type = value.isTensor() ? typeToString(value.tensor.getType()) : "TYPE";
      error(result.range, fmt::format("expected a type, found the name '{}'", result.type->name))
          .help(fmt::format("name a result with its type, '({}: {})'", result.type->name, type));
      return false;
    }
    if (result.name.empty()) {
      error(decl.nameRange, fmt::format("'{}' has no return", decl.name))
          .help("end it with 'return VALUE'");
      return false;
    }
    if (found == inner.scope.end()) {
      error(result.range,
            fmt::format("result '{}' of '{}' is never given a value", result.name, decl.name))
          .didYouMean(closestMatch(result.name, namesIn(inner.scope)));
      return false;
    }
    inner.returned.push_back(found->second);
    inner.returnedRanges.push_back(result.range);
  }
  return true;
}

/// For messages: "result 'y' of 'f'".
static std::string describeResult(const ast::FragmentDecl &decl, size_t index) {
  const std::string &name = decl.results[index].name;
  if (!name.empty())
    return fmt::format("result '{}' of '{}'", name, decl.name);
  if (decl.results.size() == 1)
    return fmt::format("the result of '{}'", decl.name);
  return fmt::format("result {} of '{}'", index + 1, decl.name);
}

bool Elaborator::checkResults(const ast::FragmentDecl &decl, Body &inner) {
  if (!inner.hasReturned && !collectNamedResults(decl, inner))
    return false;
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
    std::optional<Value> value =
        toTensor(inner.returned[index], place, elementTypeFromString(&context, type.name));
    if (!value || !unify(type, *value, describeResult(decl, index), place))
      return false;
    inner.returned[index] = Operand::of(*value);
  }
  return true;
}

} // namespace nnc
