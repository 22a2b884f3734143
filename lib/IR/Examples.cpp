//===- Examples.cpp - The examples of ops as functions --------------------===//
//
// Recursive descent over the one-line form:
//
//   example   := "(" [input {"," input}] ")" "->" name "(" [argument {"," argument}] ")"
//   input     := name ":" dtype ["[" dim {"," dim} "]"] ["in" number ".." number]
//   argument  := [name "="] value          value := input's name, or an attribute of its kind
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Examples.h"
#include "nnc/IR/OpTable.h"

#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace nnc {
namespace {

class ExampleParser {
public:
  ExampleParser(MLIRContext &context, StringRef text)
      : context(context), builder(&context), text(text), rest(text) {}

  Expected<Example> parse();

private:
  Error parseInputs();
  Expected<ExampleInput> parseInput();
  Error parseRange(ExampleInput &input);
  Error parseCall();
  Error parseArgument();
  Expected<const AttributeInfo *> attributeFor(StringRef name);
  Expected<Attribute> parseAttribute(AttributeKind kind);
  Expected<Attribute> parseShape();
  Expected<Attribute> parseIntegers();
  Expected<double> parseNumber();
  Expected<Type> parseElementType();
  Expected<Example> build();

  Error fail(const Twine &expected) {
    StringRef found = rest.ltrim();
    return createStringError("expected " + expected + " in the example `" + text + "`, found " +
                             (found.empty() ? "its end" : "`" + found + "`"));
  }
  bool consume(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }
  Error expect(StringRef token) {
    return consume(token) ? Error::success() : fail("`" + token + "`");
  }
  StringRef takeWord() {
    rest = rest.ltrim();
    StringRef word = rest.take_while([](char c) { return llvm::isAlnum(c) || c == '_'; });
    rest = rest.drop_front(word.size());
    return word;
  }
  StringRef peekWord() {
    StringRef saved = rest, word = takeWord();
    rest = saved;
    return word;
  }
  const ExampleInput *findInput(StringRef name) {
    auto *found =
        llvm::find_if(inputs, [&](const ExampleInput &input) { return input.name == name; });
    return found == inputs.end() ? nullptr : found;
  }

  MLIRContext &context;
  OpBuilder builder;
  StringRef text, rest;
  SmallVector<ExampleInput> inputs;
  const OpInfo *op = nullptr;
  /// Numbers of the inputs that are the operands, in order.
  SmallVector<unsigned> operands;
  SmallVector<NamedAttribute> attributes;
};

//===-- Inputs ------------------------------------------------------------===//

Error ExampleParser::parseInputs() {
  if (Error error = expect("("))
    return error;
  if (consume(")"))
    return expect("->");
  do {
    Expected<ExampleInput> input = parseInput();
    if (!input)
      return input.takeError();
    inputs.push_back(std::move(*input));
  } while (consume(","));
  if (Error error = expect(")"))
    return error;
  return expect("->");
}

Expected<ExampleInput> ExampleParser::parseInput() {
  StringRef name = takeWord();
  if (name.empty())
    return fail("the name of an input");
  if (Error error = expect(":"))
    return error;
  Expected<Type> elementType = parseElementType();
  if (!elementType)
    return elementType.takeError();
  Shape shape;
  if (rest.ltrim().starts_with("[")) {
    Expected<Attribute> dims = parseShape();
    if (!dims)
      return dims.takeError();
    shape = shapeFromAttr(cast<ArrayAttr>(*dims));
  }
  ExampleInput input{name.str(), makeTensorType(shape, *elementType), -1, 1};
  if (!isa<FloatType>(*elementType)) {
    input.low = 0;
    input.high = elementType->isInteger(1) ? 1 : 2;
  }
  if (peekWord() == "in")
    if (Error error = parseRange(input))
      return error;
  return input;
}

Error ExampleParser::parseRange(ExampleInput &input) {
  takeWord();
  Expected<double> low = parseNumber();
  if (!low)
    return low.takeError();
  if (Error error = expect(".."))
    return error;
  Expected<double> high = parseNumber();
  if (!high)
    return high.takeError();
  input.low = *low;
  input.high = *high;
  return Error::success();
}

Expected<Type> ExampleParser::parseElementType() {
  StringRef saved = rest;
  Type type = elementTypeFromString(&context, takeWord());
  if (type)
    return type;
  rest = saved;
  return fail("a dtype");
}

//===-- The call ----------------------------------------------------------===//

Error ExampleParser::parseCall() {
  StringRef saved = rest;
  op = lookupOp(takeWord());
  if (!op) {
    rest = saved;
    return fail("the name of an op");
  }
  if (Error error = expect("("))
    return error;
  if (!consume(")")) {
    do {
      if (Error error = parseArgument())
        return error;
    } while (consume(","));
    if (Error error = expect(")"))
      return error;
  }
  return rest.trim().empty() ? Error::success() : fail("the end");
}

Error ExampleParser::parseArgument() {
  StringRef saved = rest, name = takeWord();
  if (name.empty() || !consume("=")) {
    rest = saved;
    name = "";
  }
  bool isOperand = name.empty() ? findInput(peekWord()) != nullptr
                                : llvm::any_of(op->operands, [&](const OperandInfo &operand) {
                                    return operand.name == name;
                                  });
  if (isOperand) {
    const ExampleInput *input = findInput(takeWord());
    if (!input)
      return fail("an input");
    operands.push_back(input - inputs.begin());
    return Error::success();
  }
  Expected<const AttributeInfo *> info = attributeFor(name);
  if (!info)
    return info.takeError();
  Expected<Attribute> value = parseAttribute((*info)->kind);
  if (!value)
    return value.takeError();
  attributes.push_back(builder.getNamedAttr((*info)->name, *value));
  return Error::success();
}

/// The attribute of that name, or the next one without a value.
Expected<const AttributeInfo *> ExampleParser::attributeFor(StringRef name) {
  if (name.empty() && attributes.size() < op->attributes.size())
    return &op->attributes[attributes.size()];
  for (const AttributeInfo &attribute : op->attributes)
    if (attribute.name == name)
      return &attribute;
  return fail("an argument of " + op->name);
}

Expected<Attribute> ExampleParser::parseAttribute(AttributeKind kind) {
  switch (kind) {
  case AttributeKind::Shape:
    return parseShape();
  case AttributeKind::Integers:
    return parseIntegers();
  case AttributeKind::Bool: {
    StringRef word = takeWord();
    if (word == "true" || word == "false")
      return builder.getBoolAttr(word == "true");
    return fail("true or false");
  }
  case AttributeKind::Dtype: {
    Expected<Type> type = parseElementType();
    if (!type)
      return type.takeError();
    return TypeAttr::get(*type);
  }
  case AttributeKind::Float:
  case AttributeKind::Integer:
  case AttributeKind::Dimension: {
    Expected<double> number = parseNumber();
    if (!number)
      return number.takeError();
    if (kind == AttributeKind::Float)
      return builder.getF64FloatAttr(*number);
    return builder.getI64IntegerAttr(int64_t(*number));
  }
  case AttributeKind::String: {
    if (!consume("\""))
      return fail("a string");
    StringRef value = rest.take_until([](char c) { return c == '"'; });
    rest = rest.drop_front(value.size());
    if (Error error = expect("\""))
      return error;
    return builder.getStringAttr(value);
  }
  case AttributeKind::Literal:
    break;
  }
  return fail("an attribute that an example can write");
}

/// "[2, N, -1]"
Expected<Attribute> ExampleParser::parseShape() {
  if (Error error = expect("["))
    return error;
  Shape shape;
  if (consume("]"))
    return toAttr(&context, shape);
  do {
    StringRef written = rest.take_until([](char c) { return c == ',' || c == ']'; });
    std::optional<Dim> dim = Dim::parse(written);
    if (!dim)
      return fail("a dimension");
    rest = rest.drop_front(written.size());
    shape.push_back(*dim);
  } while (consume(","));
  if (Error error = expect("]"))
    return error;
  return toAttr(&context, shape);
}

/// "[0, -1]" or "1"
Expected<Attribute> ExampleParser::parseIntegers() {
  SmallVector<int64_t> values;
  bool isList = consume("[");
  if (!isList || !consume("]")) {
    do {
      Expected<double> value = parseNumber();
      if (!value)
        return value.takeError();
      values.push_back(int64_t(*value));
    } while (isList && consume(","));
    if (isList)
      if (Error error = expect("]"))
        return error;
  }
  return DenseI64ArrayAttr::get(&context, values);
}

/// A decimal number; ".." after it is not part of it.
Expected<double> ExampleParser::parseNumber() {
  rest = rest.ltrim();
  size_t size = rest.starts_with("-") ? 1 : 0;
  while (size < rest.size() &&
         (llvm::isDigit(rest[size]) || (rest[size] == '.' && !rest.substr(size).starts_with(".."))))
    ++size;
  double value;
  if (rest.take_front(size).getAsDouble(value))
    return fail("a number");
  rest = rest.drop_front(size);
  return value;
}

//===-- The function ------------------------------------------------------===//

/// Inference reports to the context; what it says becomes the error.
Expected<Example> ExampleParser::build() {
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  Location loc = builder.getUnknownLoc();
  Example example;
  example.module = ModuleOp::create(loc);
  example.inputs.assign(inputs.begin(), inputs.end());
  SmallVector<Type> types;
  for (const ExampleInput &input : inputs)
    types.push_back(input.type);

  builder.setInsertionPointToStart(example.module->getBody());
  example.function =
      func::FuncOp::create(builder, loc, "example", builder.getFunctionType(types, {}));
  Block *body = example.function.addEntryBlock();
  for (auto [number, input] : llvm::enumerate(inputs))
    example.function.setArgAttr(number, nn::nameAttr, builder.getStringAttr(input.name));

  builder.setInsertionPointToStart(body);
  SmallVector<Value> values;
  for (unsigned number : operands)
    values.push_back(body->getArgument(number));
  Operation *call = createInferred(builder, loc, "nn." + op->name, values, attributes);
  if (!call)
    return createStringError("the example `" + text + "`: " + message);
  func::ReturnOp::create(builder, loc, call->getResults());
  example.function.setFunctionType(builder.getFunctionType(types, call->getResultTypes()));
  for (unsigned number = 0; number < call->getNumResults(); ++number)
    example.function.setResultAttr(number, nn::nameAttr,
                                   builder.getStringAttr(op->results[number]));
  if (failed(verify(*example.module)))
    return createStringError("the example `" + text + "`: " + message);
  return example;
}

Expected<Example> ExampleParser::parse() {
  if (Error error = parseInputs())
    return error;
  if (Error error = parseCall())
    return error;
  return build();
}

} // namespace

Expected<Example> buildExample(MLIRContext &context, StringRef text) {
  context.loadDialect<nn::NNDialect, func::FuncDialect>();
  return ExampleParser(context, text).parse();
}

} // namespace nnc
