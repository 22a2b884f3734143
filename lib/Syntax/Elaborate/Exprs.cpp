//===- Exprs.cpp - Evaluating expressions ---------------------------------===//
//
// Numbers, dimensions and lists are computed now; tensors become ops. A literal meets a tensor as a
// constant of the tensor's element type.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

#include <cmath>

using namespace mlir;

namespace nnc {

std::optional<Operand> Elaborator::evaluate(const ast::Expr &expr) {
  using Kind = ast::Expr::Kind;
  switch (expr.kind()) {
  case Kind::Number: {
    auto &number = static_cast<const ast::NumberExpr &>(expr);
    return number.isInteger ? Operand::of(Dim(int64_t(number.integer)))
                            : Operand::ofFloat(number.value);
  }
  case Kind::Bool:
    return Operand::ofBool(static_cast<const ast::BoolExpr &>(expr).value);
  case Kind::None:
    return Operand();
  case Kind::String:
    return Operand::ofString(static_cast<const ast::StringExpr &>(expr).value, expr.range);
  case Kind::Name:
    return evaluateName(static_cast<const ast::NameExpr &>(expr));
  case Kind::List: {
    std::vector<Operand> items;
    for (const ast::Item &item : static_cast<const ast::ListExpr &>(expr).items) {
      std::optional<Operand> value = evaluate(*item.value);
      if (!value)
        return std::nullopt;
      items.push_back(std::move(*value));
    }
    return Operand::ofList(std::move(items));
  }
  case Kind::Range: {
    auto &range = static_cast<const ast::RangeExpr &>(expr);
    Operand result;
    result.kind = Operand::Kind::Range;
    for (const ast::ExprPtr *part : {&range.start, &range.stop, &range.step}) {
      std::optional<Operand> value = *part ? evaluate(**part) : Operand();
      if (!value)
        return std::nullopt;
      result.items.push_back(std::move(*value));
    }
    return result;
  }
  case Kind::Ellipsis:
    error(expr.range, "'...' has a meaning only inside a subscript or a type");
    return std::nullopt;
  case Kind::Call:
    return evaluateCall(static_cast<const ast::CallExpr &>(expr));
  case Kind::Subscript:
    return evaluateSubscript(static_cast<const ast::SubscriptExpr &>(expr));
  case Kind::Unary:
    return evaluateUnary(static_cast<const ast::UnaryExpr &>(expr));
  case Kind::Binary:
    return evaluateBinary(static_cast<const ast::BinaryExpr &>(expr));
  }
  return std::nullopt;
}

std::optional<Operand> Elaborator::evaluateName(const ast::NameExpr &expr) {
  auto found = body->scope.find(expr.name);
  if (found != body->scope.end()) {
    bool isKnown = found->second.kind != Operand::Kind::Unknown;
    return isKnown ? std::optional(found->second) : std::nullopt;
  }
  if (Type type = elementTypeFromString(&context, expr.name))
    return Operand::ofDtype(type);
  if (body->freeSymbols.count(expr.name))
    return body->scope[expr.name] = Operand::of(Dim::symbol(expr.name));
  if (expr.name == "training")
    return Operand::ofBool(frame->isTraining);
  if (expr.name == "step" && (frame->isTraining || frame->isEvaluation))
    return stepNumber(expr.range);
  if (ModelInfo *model = modelOf(expr.name))
    return evaluateParameter(*model, expr);
  if (llvm::is_contained(body->computedNames, expr.name)) {
    error(expr.range, fmt::format("an initial value cannot use '{}', which the model computes from "
                                  "its inputs",
                                  expr.name));
    return std::nullopt;
  }
  std::vector<std::string> names = namesIn(body->scope);
  names.insert(names.end(), std::begin(dtypeNames), std::end(dtypeNames));
  Diagnostic &diagnostic = error(expr.range, fmt::format("unknown name '{}'", expr.name));
  auto [owner, attribute] = StringRef(expr.name).rsplit('.');
  if (llvm::is_contained(body->loopNames, expr.name))
    diagnostic.help(
        fmt::format("it is given in a 'repeat': 'collect {0} = …' there keeps it for each "
                    "iteration, a value for it before the loop keeps the last",
                    expr.name));
  else if (lookupOp(expr.name) || fragmentsAt(expr.range).count(expr.name))
    diagnostic.help(fmt::format("'{}' is a function: call it, '{}(…)'", expr.name, expr.name));
  else if (body->scope.count(owner.str()) && (attribute == "shape" || attribute == "dtype"))
    diagnostic.help(fmt::format("there are no attributes; write a call: '{}({})'", attribute.str(),
                                owner.str()));
  else
    diagnostic.didYouMean(closestMatch(expr.name, names));
  return std::nullopt;
}

/// The counter in the key of random numbers.
std::optional<Operand> Elaborator::stepNumber(SourceRange range) {
  Dim one(1), two(2);
  NamedAttribute part[] = {builder.getNamedAttr("starts", toAttr(&context, Shape{one})),
                           builder.getNamedAttr("stops", toAttr(&context, Shape{two})),
                           builder.getNamedAttr("steps", builder.getDenseI64ArrayAttr({1}))};
  std::optional<Value> counter = createOp("slice", getKey(), part, range);
  if (counter)
    counter = createOp("squeeze", *counter, {}, range);
  return counter ? std::optional(Operand::of(*counter)) : std::nullopt;
}

std::optional<Operand> Elaborator::evaluateUnary(const ast::UnaryExpr &expr) {
  std::optional<Operand> operand = evaluate(*expr.operand);
  if (!operand)
    return std::nullopt;
  if (expr.op == ast::UnaryOp::Not) {
    if (operand->kind == Operand::Kind::Bool)
      return Operand::ofBool(!operand->truth);
    std::optional<Value> value = toTensor(*operand, expr.operand->range);
    if (value)
      value = createOp("logical_not", *value, {}, expr.range);
    return value ? std::optional(Operand::of(*value)) : std::nullopt;
  }
  if (operand->kind == Operand::Kind::Float)
    return Operand::ofFloat(-operand->number);
  if (operand->kind == Operand::Kind::Dimension)
    return Operand::of(Dim(0) - operand->dim);
  std::optional<Value> value = toTensor(*operand, expr.operand->range);
  if (value)
    value = createOp("neg", *value, {}, expr.range);
  return value ? std::optional(Operand::of(*value)) : std::nullopt;
}

static StringRef opNameOf(ast::BinaryOp op) {
  using Op = ast::BinaryOp;
  switch (op) {
  case Op::Or:
    return "logical_or";
  case Op::And:
    return "logical_and";
  case Op::Equal:
    return "equal";
  case Op::NotEqual:
    return "not_equal";
  case Op::Less:
    return "less";
  case Op::LessEqual:
    return "less_equal";
  case Op::Greater:
    return "greater";
  case Op::GreaterEqual:
    return "greater_equal";
  case Op::Add:
    return "add";
  case Op::Subtract:
    return "sub";
  case Op::Multiply:
    return "mul";
  case Op::Divide:
    return "div";
  case Op::Modulo:
    return "mod";
  case Op::MatMul:
    return "matmul";
  case Op::Power:
    return "pow";
  }
  return "";
}

/// The value of an operator on two dimensions or integers; none where only floats will do.
static std::optional<Operand> combineDims(ast::BinaryOp op, const Dim &left, const Dim &right) {
  using Op = ast::BinaryOp;
  bool constants = left.isConstant() && right.isConstant();
  switch (op) {
  case Op::Add:
    return Operand::of(left + right);
  case Op::Subtract:
    return Operand::of(left - right);
  case Op::Multiply:
    return Operand::of(left * right);
  case Op::Equal:
    return Operand::ofBool(left == right);
  case Op::NotEqual:
    return Operand::ofBool(left != right);
  case Op::Divide:
    if (!constants)
      return right == Dim(0) ? std::nullopt : std::optional(Operand::of(left.floorDiv(right)));
    return std::nullopt;
  case Op::Modulo:
    if (right == Dim(0) || (right.isConstant() && right.constant() < 0))
      return std::nullopt;
    return Operand::of(left - left.floorDiv(right) * right);
  default:
    return std::nullopt;
  }
}

/// The value of an operator on two numbers known now.
static std::optional<Operand> combineNumbers(ast::BinaryOp op, double left, double right,
                                             bool areIntegers) {
  using Op = ast::BinaryOp;
  auto number = [&](double value) {
    bool exact = areIntegers && value == std::floor(value) && std::fabs(value) < 9e15;
    return exact ? Operand::of(Dim(int64_t(value))) : Operand::ofFloat(value);
  };
  switch (op) {
  case Op::Add:
    return number(left + right);
  case Op::Subtract:
    return number(left - right);
  case Op::Multiply:
    return number(left * right);
  case Op::Divide:
    return Operand::ofFloat(left / right);
  case Op::Modulo:
    return number(left - std::floor(left / right) * right);
  case Op::Power:
    return number(std::pow(left, right));
  case Op::Equal:
    return Operand::ofBool(left == right);
  case Op::NotEqual:
    return Operand::ofBool(left != right);
  case Op::Less:
    return Operand::ofBool(left < right);
  case Op::LessEqual:
    return Operand::ofBool(left <= right);
  case Op::Greater:
    return Operand::ofBool(left > right);
  case Op::GreaterEqual:
    return Operand::ofBool(left >= right);
  default:
    return std::nullopt;
  }
}

/// Whether two values of which one is a string or None are the same; none for others.
static std::optional<bool> compareKnown(const Operand &left, const Operand &right) {
  using Kind = Operand::Kind;
  if (left.kind == Kind::String || right.kind == Kind::String)
    return left.kind == right.kind && left.text == right.text;
  if (left.kind == Kind::None || right.kind == Kind::None)
    return left.kind == right.kind;
  return std::nullopt;
}

std::optional<Operand> Elaborator::evaluateBinary(const ast::BinaryExpr &expr) {
  std::optional<Operand> left = evaluate(*expr.left), right = evaluate(*expr.right);
  if (!left || !right)
    return std::nullopt;
  bool isEqual = expr.op == ast::BinaryOp::Equal;
  if (isEqual || expr.op == ast::BinaryOp::NotEqual)
    if (std::optional<bool> same = compareKnown(*left, *right)) {
      if (left->kind == Operand::Kind::String &&
          !llvm::is_contained(comparedWords[left->text], right->text))
        comparedWords[left->text].push_back(right->text);
      return Operand::ofBool(*same == isEqual);
    }
  for (auto [operand, side] : {std::pair(&*left, &*expr.left), {&*right, &*expr.right}})
    if (!operand->isValue()) {
      error(side->range, fmt::format("'{}' expects tensors or numbers, found {}",
                                     std::string(spelling(expr.op)), operand->describe()));
      return std::nullopt;
    }
  return combine(expr.op, *left, *right, expr.range);
}

/// Whether two literals of numbers are lists of different lengths: Python's `+` would join them, and
/// an addition would repeat the shorter one.
static bool readsAsJoining(const Operand &left, const Operand &right) {
  auto isFlat = [](const Operand &list) {
    return list.kind == Operand::Kind::List && list.isLiteral() &&
           llvm::none_of(list.items,
                         [](const Operand &item) { return item.kind == Operand::Kind::List; });
  };
  return isFlat(left) && isFlat(right) && left.items.size() != right.items.size();
}

std::optional<Operand> Elaborator::combine(ast::BinaryOp op, const Operand &left,
                                           const Operand &right, SourceRange range) {
  using Op = ast::BinaryOp;
  std::optional<Operand> known;
  if (left.kind == Operand::Kind::Dimension && right.kind == Operand::Kind::Dimension)
    known = combineDims(op, left.dim, right.dim);
  if (!known && left.isNumber() && right.isNumber())
    known = combineNumbers(op, left.asDouble(), right.asDouble(),
                           left.isInteger() && right.isInteger());
  if (left.kind == Operand::Kind::Bool && right.kind == Operand::Kind::Bool &&
      (op == Op::And || op == Op::Or))
    known = Operand::ofBool(op == Op::And ? left.truth && right.truth : left.truth || right.truth);
  if (known)
    return known;
  if (op == Op::Add && left.kind == Operand::Kind::List && right.kind == Operand::Kind::List &&
      !(left.isLiteral() && right.isLiteral())) {
    std::vector<Operand> items = left.items;
    items.insert(items.end(), right.items.begin(), right.items.end());
    return Operand::ofList(std::move(items));
  }
  if (op == Op::Add && readsAsJoining(left, right)) {
    error(range, fmt::format("'+' adds lists of one length, element by element; found {} and {}",
                             left.describe(), right.describe()))
        .help("it joins lists of dimensions only; 'concat(x, y, axis = 0)' joins these");
    return std::nullopt;
  }
  std::vector<Operand> operands = {left, right};
  if (!promote(operands, range, /*toFloat=*/op == Op::Divide))
    return std::nullopt;
  std::optional<Value> value =
      createOp(opNameOf(op), {operands[0].tensor, operands[1].tensor}, {}, range);
  return value ? std::optional(Operand::of(*value)) : std::nullopt;
}

bool Elaborator::promote(std::vector<Operand> &operands, SourceRange range, bool toFloat) {
  // A list with tensors in it is one, and has a dtype.
  for (Operand &operand : operands)
    if (operand.kind == Operand::Kind::List && !operand.isLiteral()) {
      std::optional<Value> value = toTensor(operand, range);
      if (!value)
        return false;
      operand = Operand::of(*value);
    }
  Type common;
  for (const Operand &operand : operands)
    if (operand.isTensor())
      common = common ? promoteTypes(common, nnc::getElementType(operand.tensor))
                      : nnc::getElementType(operand.tensor);
  for (const Operand &operand : operands)
    if (!operand.isTensor() && operand.isLiteral()) {
      bool isFloat = operand.hasFloat(), isBool = !isFloat && !operand.hasInteger();
      if (common && !isBool)
        common = promoteNumber(common, isFloat, &context);
    }
  if (common && toFloat && !isa<FloatType>(common))
    common = builder.getF32Type();
  // Without a tensor, the literals decide.
  if (!common) {
    bool isFloat = toFloat, isBool = true;
    for (const Operand &operand : operands) {
      isFloat |= operand.hasFloat();
      isBool &= operand.hasBool() && !operand.hasInteger();
    }
    common = isFloat  ? Type(builder.getF32Type())
             : isBool ? Type(builder.getI1Type())
                      : Type(builder.getI64Type());
  }
  for (Operand &operand : operands) {
    std::optional<Value> value = toTensor(operand, range, common);
    if (!value)
      return false;
    operand = Operand::of(castTo(*value, common));
  }
  return true;
}

Value Elaborator::castTo(Value value, Type elementType) {
  if (nnc::getElementType(value) == elementType)
    return value;
  // The name is that of the value, not of its conversion.
  auto name = dyn_cast<NameLoc>(value.getLoc());
  return create<nn::CastOp>(builder, name ? name.getChildLoc() : value.getLoc(), value,
                            builder.getNamedAttr("dtype", TypeAttr::get(elementType)));
}

std::optional<Value> Elaborator::evaluateTensor(const ast::Expr &expr) {
  std::optional<Operand> operand = evaluate(expr);
  return operand ? toTensor(*operand, expr.range) : std::nullopt;
}

/// `elementType` is what a literal becomes; a tensor stays what it is.
std::optional<Value> Elaborator::toTensor(const Operand &operand, SourceRange range,
                                          Type elementType) {
  if (operand.isTensor())
    return operand.tensor;
  if (operand.isLiteral())
    return toLiteral(operand, range, elementType);
  if (operand.kind == Operand::Kind::List) {
    // Tensors side by side: stacked along a new first axis.
    std::vector<Operand> items = operand.items;
    if (!promote(items, range, /*toFloat=*/false))
      return std::nullopt;
    SmallVector<Value> rows;
    for (const Operand &item : items) {
      std::optional<Value> row =
          createOp("expand_dims", item.tensor,
                   builder.getNamedAttr("axis", builder.getDenseI64ArrayAttr({0})), range);
      if (!row)
        return std::nullopt;
      rows.push_back(*row);
    }
    return createOp("concat", rows, {}, range);
  }
  Diagnostic &diagnostic =
      error(range, fmt::format("expected a tensor, found {}", operand.describe()));
  if (operand.kind == Operand::Kind::Dimension)
    diagnostic.help("'size(x, axis = 0)' is the size of a dimension as a tensor");
  return std::nullopt;
}

namespace {
/// The shape of nested lists, if they form a box.
bool shapeOfLists(const Operand &operand, size_t depth, SmallVectorImpl<int64_t> &shape) {
  if (operand.kind != Operand::Kind::List)
    return depth == shape.size();
  if (depth == shape.size()) {
    shape.push_back(operand.items.size());
    for (const Operand &item :
         operand.items.empty() ? operand.items : std::vector<Operand>{operand.items.front()})
      if (item.kind == Operand::Kind::List && !shapeOfLists(item, depth + 1, shape))
        return false;
  } else if (shape[depth] != int64_t(operand.items.size())) {
    return false;
  }
  return llvm::all_of(operand.items,
                      [&](const Operand &item) { return shapeOfLists(item, depth + 1, shape); });
}

void flatten(const Operand &operand, Type elementType, SmallVectorImpl<Attribute> &elements) {
  for (const Operand &item : operand.items)
    flatten(item, elementType, elements);
  if (operand.kind == Operand::Kind::List)
    return;
  double value = operand.kind == Operand::Kind::Bool ? double(operand.truth) : operand.asDouble();
  if (isa<FloatType>(elementType))
    elements.push_back(FloatAttr::get(elementType, value));
  else if (elementType.isInteger(1))
    elements.push_back(IntegerAttr::get(elementType, value != 0));
  else if (operand.isInteger())
    elements.push_back(IntegerAttr::get(
        elementType, APInt(elementType.getIntOrFloatBitWidth(), operand.dim.constant(),
                           /*isSigned=*/true, /*implicitTrunc=*/true)));
  else
    elements.push_back(IntegerAttr::get(elementType, int64_t(value)));
}
} // namespace

std::optional<Value> Elaborator::toLiteral(const Operand &operand, SourceRange range,
                                           Type elementType) {
  if (!elementType)
    elementType = operand.hasFloat()                           ? Type(builder.getF32Type())
                  : operand.hasBool() && !operand.hasInteger() ? Type(builder.getI1Type())
                                                               : Type(builder.getI64Type());
  if (operand.hasFloat() && !isa<FloatType>(elementType)) {
    error(range, fmt::format("expected {}, found {}", elementTypeToString(elementType),
                             operand.findFloat()->describe()));
    return std::nullopt;
  }
  SmallVector<int64_t> shape;
  if (!shapeOfLists(operand, 0, shape)) {
    error(range, "expected lists of one length at each depth, found lists of different lengths");
    return std::nullopt;
  }
  SmallVector<Attribute> elements;
  flatten(operand, elementType, elements);
  auto type = RankedTensorType::get(shape, elementType);
  return nn::ConstantOp::create(builder, locationOf(range), type,
                                DenseElementsAttr::get(type, elements));
}

std::optional<Value> Elaborator::createOp(StringRef name, ValueRange operands,
                                          ArrayRef<NamedAttribute> attributes, SourceRange range) {
  std::string message;
  Operation *op;
  {
    ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
      message = diagnostic.str();
      return success();
    });
    op = createInferred(builder, locationOf(range), ("nn." + name).str(), operands, attributes);
  }
  if (op)
    return op->getResult(0);
  error(range, message);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

std::optional<Dim> Elaborator::resolveDim(const ast::Expr &expr, bool declares) {
  if (const auto *name = ast::dynCast<ast::NameExpr>(&expr);
      name && declares && !body->scope.count(name->name)) {
    if (elementTypeFromString(&context, name->name)) {
      error(expr.range, fmt::format("expected a dimension, found the dtype {}", name->name));
      return std::nullopt;
    }
    body->scope[name->name] = Operand::of(Dim::symbol(name->name));
  }
  // In a dimension `/` divides rounding down, numbers included.
  if (const auto *binary = ast::dynCast<ast::BinaryExpr>(&expr);
      binary && binary->op == ast::BinaryOp::Divide) {
    std::optional<Dim> left = resolveDim(*binary->left, declares),
                       right = resolveDim(*binary->right, declares);
    if (!left || !right)
      return std::nullopt;
    if (!right->isConstant() || right->constant() > 0)
      return left->floorDiv(*right);
    error(binary->right->range, fmt::format("expected a positive divisor, found {}", right->str()));
    return std::nullopt;
  }
  std::optional<Operand> value = evaluate(expr);
  if (!value)
    return std::nullopt;
  if (value->kind == Operand::Kind::Dimension &&
      !(value->dim.isConstant() && value->dim.constant() < 0))
    return value->dim;
  error(expr.range, fmt::format("expected a dimension, found {}", value->describe()));
  return std::nullopt;
}

void Elaborator::reportUnknownDtype(const ast::Type &type) {
  std::vector<std::string> names(std::begin(dtypeNames), std::end(dtypeNames));
  Diagnostic &diagnostic = error(type.nameRange, fmt::format("unknown dtype '{}'", type.name));
  std::optional<std::string> meant = closestMatch(type.name, names);
  if (meant)
    diagnostic.didYouMean(meant);
  else
    diagnostic.help(fmt::format("the dtypes are {}", fmt::join(names, ", ")));
}

RankedTensorType Elaborator::resolveType(const ast::Type &type, bool declares) {
  Type elementType = elementTypeFromString(&context, type.name);
  if (auto found = body->scope.find(type.name); !elementType && found != body->scope.end())
    elementType = found->second.dtype;
  if (!elementType) {
    reportUnknownDtype(type);
    return {};
  }
  Shape shape;
  for (const ast::ExprPtr &expr : type.dims) {
    std::optional<Dim> dim = resolveDim(*expr, declares);
    if (!dim)
      return {};
    shape.push_back(*dim);
  }
  return makeTensorType(shape, elementType);
}

} // namespace nnc
