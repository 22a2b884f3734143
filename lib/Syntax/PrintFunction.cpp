//===- PrintFunction.cpp - A function of nn ops as .nn text ---------------===//
//
// Writes a `func` declaration, an op a line with its type, in plain text; the parser and the printer
// of the language then give it the canonical layout. What is written reads back as the same
// function, up to the order of ops and the number of times that a literal stands there.
//
//===----------------------------------------------------------------------===//
#include "FunctionNames.h"

#include "nnc/IR/OpTable.h"
#include "nnc/Syntax/Elaborate.h"
#include "nnc/Syntax/Parser.h"
#include "nnc/Syntax/Printer.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

using namespace mlir;

namespace nnc {
namespace {

//===----------------------------------------------------------------------===//
// Literals
//===----------------------------------------------------------------------===//

/// The shortest text that reads back as `value` in `type`, always a float: "1.0", "1e-5".
std::string floatText(double value, Type type) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{}", float(value));
  if (type.isF64() || double(float(std::strtod(text.c_str(), nullptr))) != value)
    text = fmt::format("{}", value);
  size_t exponent = text.find('e');
  if (exponent == std::string::npos)
    return text.find('.') == std::string::npos ? text + ".0" : text;
  // 1e-05 becomes 1e-5.
  return fmt::format("{}e{}", text.substr(0, exponent),
                     std::strtol(text.c_str() + exponent + 1, nullptr, 10));
}

std::string elementText(Attribute element, Type type) {
  if (auto number = dyn_cast<FloatAttr>(element))
    return floatText(number.getValueAsDouble(), type);
  APInt integer = cast<IntegerAttr>(element).getValue();
  if (type.isInteger(1))
    return integer.isZero() ? "false" : "true";
  return llvm::toString(integer, 10, /*Signed=*/!type.isUnsignedInteger());
}

/// Nested lists of `elements`, which are in row-major order.
std::string listText(ArrayRef<std::string> elements, ArrayRef<int64_t> shape) {
  if (shape.empty())
    return elements.front();
  std::vector<std::string> parts;
  size_t stride = shape.front() == 0 ? 0 : elements.size() / shape.front();
  for (int64_t index = 0; index < shape.front(); ++index)
    parts.push_back(listText(elements.slice(index * stride, stride), shape.drop_front()));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

/// The element type that the literals of `type` have on their own.
bool isDefaultLiteralType(Type type) {
  return type.isF32() || type.isInteger(64) || type.isInteger(1);
}

/// `full(shape, value, dtype = …)`, the value as the elements read.
std::string fullText(ArrayRef<Dim> shape, double value, Type dtype) {
  bool isWhole = isa<IntegerType>(dtype) && value == std::floor(value);
  std::string number = isWhole ? fmt::format("{:.0f}", value)
                               : floatText(value, Float64Type::get(dtype.getContext()));
  std::string suffix = dtype.isF32() ? "" : fmt::format(", dtype = {}", elementTypeToString(dtype));
  return fmt::format("full({}, {}{})", shapeToString(shape), number, suffix);
}

/// The one value of all elements, if the language's `full` can make it.
std::optional<double> splatOf(DenseElementsAttr values) {
  constexpr double exactIntegers = 9007199254740992.0; // 2^53
  if (values.empty())
    return 0.0;
  if (!values.isSplat() || values.getNumElements() <= 8)
    return std::nullopt;
  Attribute element = values.getSplatValue<Attribute>();
  if (auto number = dyn_cast<FloatAttr>(element))
    return number.getValueAsDouble();
  APInt integer = cast<IntegerAttr>(element).getValue();
  bool isSigned =
      !values.getElementType().isUnsignedInteger() && !values.getElementType().isInteger(1);
  double value = integer.roundToDouble(isSigned);
  return std::fabs(value) < exactIntegers ? std::optional(value) : std::nullopt;
}

std::string literalText(nn::ConstantOp op) {
  auto values = cast<DenseElementsAttr>(op.getValue());
  Type type = values.getElementType();
  ArrayRef<int64_t> shape = values.getType().getShape();
  if (!shape.empty())
    if (std::optional<double> splat = splatOf(values))
      return fullText(getShape(op.getResult()), *splat, type);
  std::vector<std::string> elements;
  for (Attribute element : values.getValues<Attribute>())
    elements.push_back(elementText(element, type));
  return listText(elements, shape);
}

//===----------------------------------------------------------------------===//
// The printer
//===----------------------------------------------------------------------===//

class FunctionPrinter {
public:
  explicit FunctionPrinter(func::FuncOp function) : function(function), names(function) {}

  std::string print() {
    printHeader();
    printBlock(function.getBody().front());
    out += "}\n";
    return std::move(out);
  }

private:
  void line(const std::string &text) { out += text + "\n"; }

  //===-- Expressions -----------------------------------------------------===//

  /// A value as an operand. A literal stands bare where a tensor beside it gives its type.
  std::string operandText(Value value, bool besideTensor = false) {
    Operation *op = value.getDefiningOp();
    if (op && names.isInlined(op))
      return opText(op);
    if (!names.isLiteral(op))
      return names.of(value);
    std::string text = literalText(cast<nn::ConstantOp>(op));
    Type type = getElementType(value);
    return besideTensor || isDefaultLiteralType(type)
               ? text
               : fmt::format("{}({})", elementTypeToString(type), text);
  }

  static bool promotes(Operation *op) {
    if (isa<nn::WhereOp, nn::ConcatOp, nn::MatmulOp>(op))
      return true;
    const OpInfo *info = lookupOp(op->getName().stripDialect());
    return info && info->family == "Elementwise" && info->operands.size() == 2;
  }

  std::vector<std::string> operandTexts(Operation *op) {
    ValueRange operands = op->getOperands();
    unsigned skip = isa<nn::WhereOp>(op) ? 1 : 0;
    bool hasTensor = promotes(op) && llvm::any_of(operands.drop_front(skip), [&](Value operand) {
                       return !names.isLiteral(operand.getDefiningOp());
                     });
    std::vector<std::string> texts;
    for (auto [index, operand] : llvm::enumerate(operands))
      texts.push_back(operandText(operand, hasTensor && index >= skip));
    return texts;
  }

  static std::string attributeText(const AttributeInfo &info, Attribute attribute) {
    if (auto integers = dyn_cast<DenseI64ArrayAttr>(attribute)) {
      if (info.name == "axis" && integers.size() == 1)
        return std::to_string(integers[0]);
      return fmt::format("[{}]", fmt::join(integers.asArrayRef(), ", "));
    }
    if (auto dims = dyn_cast<ArrayAttr>(attribute))
      return shapeToString(shapeFromAttr(dims));
    if (auto number = dyn_cast<FloatAttr>(attribute))
      return floatText(number.getValueAsDouble(), number.getType());
    if (auto boolean = dyn_cast<BoolAttr>(attribute))
      return boolean.getValue() ? "true" : "false";
    if (auto integer = dyn_cast<IntegerAttr>(attribute))
      return std::to_string(integer.getInt());
    if (auto type = dyn_cast<TypeAttr>(attribute))
      return elementTypeToString(type.getValue());
    StringRef text = cast<StringAttr>(attribute).getValue();
    return info.kind == AttributeKind::String ? fmt::format("\"{}\"", text.str()) : text.str();
  }

  /// Attributes that differ from their defaults. The shape comes by position; the stream of a random
  /// op is always written, since the language would give another.
  static void appendAttributes(Operation *op, std::vector<std::string> &arguments) {
    const OpInfo *info = lookupOp(op->getName().stripDialect());
    if (!info)
      return;
    for (const AttributeInfo &each : info->attributes) {
      Attribute attribute = op->getAttr(each.name);
      if (!attribute)
        continue;
      std::string text = attributeText(each, attribute);
      bool isDefault = each.isOptional && text == each.defaultText;
      if (each.name == "shape")
        arguments.push_back(text);
      else if (!isDefault || each.name == "stream")
        arguments.push_back(fmt::format("{} = {}", each.name, text));
    }
  }

  /// `x[1:3, ::2]`, where that is sure to mean the same; empty otherwise.
  std::string subscriptText(nn::SliceOp slice) {
    Shape shape = getShape(slice.getX());
    Shape starts = shapeFromAttr(slice.getStartsAttr()),
          stops = shapeFromAttr(slice.getStopsAttr());
    std::vector<std::string> parts;
    size_t written = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      int64_t step = slice.getSteps()[axis];
      bool isWhole = starts[axis] == Dim(0) && stops[axis] == shape[axis] && step == 1;
      if (!isWhole &&
          !(shape[axis].isConstant() && starts[axis].isConstant() && stops[axis].isConstant()))
        return "";
      std::string start = starts[axis] == Dim(0) ? "" : starts[axis].str();
      std::string stop = stops[axis] == shape[axis] ? "" : stops[axis].str();
      parts.push_back(
          fmt::format("{}:{}{}", start, stop, step == 1 ? "" : fmt::format(":{}", step)));
      written = isWhole ? written : axis + 1;
    }
    parts.resize(written);
    if (parts.empty())
      return "";
    return fmt::format("{}[{}]", operandText(slice.getX()), fmt::join(parts, ", "));
  }

  std::string opText(Operation *op) {
    if (auto constant = dyn_cast<nn::ConstantOp>(op))
      return literalText(constant);
    if (auto slice = dyn_cast<nn::SliceOp>(op))
      if (std::string text = subscriptText(slice); !text.empty())
        return text;
    if (auto grad = dyn_cast<nn::GradOp>(op))
      return gradText(grad);
    if (auto full = dyn_cast<nn::FullOp>(op))
      return fullText(getShape(full.getResult()), full.getValue().convertToDouble(),
                      getElementType(full.getResult()));
    std::vector<std::string> arguments = operandTexts(op);
    if (auto cast = dyn_cast<nn::CastOp>(op); cast &&
                                              getElementType(cast.getX()) != cast.getDtype() &&
                                              !names.isLiteral(cast.getX().getDefiningOp()))
      return fmt::format("{}({})", elementTypeToString(cast.getDtype()), arguments.front());
    bool isRandom = isa<nn::UniformOp, nn::NormalOp>(op);
    std::string key = isRandom ? fmt::format("key = {}", arguments.front()) : "";
    if (isRandom)
      arguments.clear();
    appendAttributes(op, arguments);
    if (isRandom)
      arguments.push_back(key);
    return fmt::format("{}({})", op->getName().stripDialect().str(), fmt::join(arguments, ", "));
  }

  std::string gradText(nn::GradOp grad) {
    std::vector<std::string> wrt;
    for (Value value : grad.getWrt())
      wrt.push_back(operandText(value));
    std::string list = fmt::format("{}", fmt::join(wrt, ", "));
    return fmt::format(
        fmt::runtime(wrt.size() == 1 ? "grad({}, wrt = {})" : "grad({}, wrt = [{}])"),
        operandText(grad.getLoss()), list);
  }

  //===-- Statements ------------------------------------------------------===//

  std::string targetText(Value value) {
    return fmt::format("{}: {}", names.of(value), typeToString(value.getType()));
  }

  void printOp(Operation *op) {
    if (auto scan = dyn_cast<nn::ScanOp>(op))
      return printScan(scan);
    if (names.isInlined(op) || names.isLiteral(op) || op->hasTrait<OpTrait::IsTerminator>())
      return;
    std::vector<std::string> targets;
    for (Value result : op->getResults())
      targets.push_back(targetText(result));
    line(fmt::format("{} = {}", fmt::join(targets, ", "), opText(op)));
  }

  void printBlock(Block &block) {
    for (Operation &op : block)
      printOp(&op);
    if (auto returnOp = dyn_cast<func::ReturnOp>(block.getTerminator());
        returnOp && returnOp.getNumOperands() > 0 && !names.assignsResults())
      line(fmt::format("return {}", joined(returnOp.getOperands())));
  }

  std::string joined(ValueRange values) {
    std::vector<std::string> texts;
    for (Value value : values)
      texts.push_back(operandText(value));
    return fmt::format("{}", fmt::join(texts, ", "));
  }

  static void appendClause(std::string &head, std::string_view word,
                           const std::vector<std::string> &parts) {
    if (!parts.empty())
      head += fmt::format(" {} {}", word, fmt::join(parts, ", "));
  }

  void printScan(nn::ScanOp scan) {
    std::string head =
        fmt::format("repeat {}", dimFromAttr(scan.getCountAttr()).value_or(Dim()).str());
    if (scan.getReverse())
      head += " reverse";
    if (!scan.getIndex().use_empty())
      head += fmt::format(" as {}", names.of(scan.getIndex()));
    std::vector<std::string> carried, sequences;
    for (auto [argument, init] : llvm::zip(scan.getCarriedArguments(), scan.getInits()))
      carried.push_back(fmt::format("{} = {}", names.of(argument), operandText(init)));
    for (auto [argument, sequence] : llvm::zip(scan.getSliceArguments(), scan.getSequences()))
      sequences.push_back(fmt::format("{} = {}", names.of(argument), operandText(sequence)));
    appendClause(head, "with", carried);
    appendClause(head, "over", sequences);
    line(head + " {");
    printBlock(scan.getBody().front());
    printYield(scan);
    line("}");
  }

  /// What is collected first, since the carried values then change.
  void printYield(nn::ScanOp scan) {
    nn::YieldOp yield = scan.getYield();
    unsigned numCarried = scan.getNumCarried();
    for (unsigned index = numCarried; index < scan.getNumResults(); ++index)
      line(fmt::format("collect {} = {}", names.of(scan.getResult(index)),
                       operandText(yield.getOperand(index))));
    std::vector<std::string> targets;
    SmallVector<Value> values;
    for (unsigned index = 0; index < numCarried; ++index) {
      Value value = yield.getOperand(index);
      if (names.isRenamed(value) || value == scan.getCarriedArguments()[index])
        continue;
      targets.push_back(names.of(scan.getResult(index)));
      values.push_back(value);
    }
    if (!targets.empty())
      line(fmt::format("{} = {}", fmt::join(targets, ", "), joined(values)));
  }

  //===-- Header ----------------------------------------------------------===//

  static StringRef textOf(DictionaryAttr attributes, StringRef name) {
    auto text = attributes ? attributes.getAs<StringAttr>(name) : StringAttr();
    return text ? text.getValue() : StringRef();
  }

  void printHeader() {
    std::vector<std::string> params, results;
    for (BlockArgument argument : function.getArguments()) {
      StringRef role = textOf(function.getArgAttrDict(argument.getArgNumber()), nn::roleAttr);
      bool isPlain = role.empty() || role == "input";
      params.push_back((isPlain ? "" : role.str() + " ") + targetText(argument));
    }
    for (auto [index, type] : llvm::enumerate(function.getResultTypes())) {
      StringRef role = textOf(function.getResultAttrDict(index), nn::roleAttr);
      StringRef name = textOf(function.getResultAttrDict(index), nn::nameAttr);
      bool isPlain = role.empty() || role == "output";
      results.push_back((isPlain ? "" : role.str() + " ") +
                        (name.empty() ? "" : name.str() + ": ") + typeToString(type));
    }
    std::string arrow = results.empty() ? "" : fmt::format(" -> ({})", fmt::join(results, ", "));
    line(fmt::format("func {}({}){} {{", function.getName().str(), fmt::join(params, ", "), arrow));
  }

  func::FuncOp function;
  FunctionNames names;
  std::string out;
};

} // namespace

std::string printFunction(Operation *function) {
  std::string raw = FunctionPrinter(cast<func::FuncOp>(function)).print();
  SourceFile source("<function>", raw);
  DiagnosticEngine diagnostics;
  std::unique_ptr<ast::File> tree = parse(source, diagnostics);
  if (!diagnostics.hasErrors())
    return print(*tree);
  // A mistake of this file's, which the text shows best.
  llvm::errs() << raw << diagnostics.render();
  llvm_unreachable("a printed function parses");
}

} // namespace nnc
