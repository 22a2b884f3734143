//===- nnc-op-examples.cpp - What the examples of every op compute --------===//
//
// Runs the examples of every op through the reference interpreter and prints JSON, an array of
//
//   {"op", "example", "attributes": {name: value}, "inputs": [tensor], "outputs": [tensor]}
//
// with tensors {"dtype", "shape", "values"}. test/reference/ops.py compares it with NumPy. Beside
// each example as written there are variants: in other element types, where the op allows them,
// and with special values (infinities, NaN, signed zeros, large numbers) among the inputs.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/OpTable.h"
#include "nnc/Reference/DrawInputs.h"

#include "llvm/Support/JSON.h"

#include <cmath>

using namespace mlir;
using namespace nnc;

/// JSON has no infinities and no NaN, and readers lose the sign of zero: they are written as text.
static llvm::json::Value toJSON(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  if (value == 0 && std::signbit(value))
    return "-0.0";
  return value;
}

static llvm::json::Value toJSON(const HostTensor &tensor) {
  llvm::json::Array shape, values;
  for (int64_t size : tensor.getShape())
    shape.push_back(size);
  for (int64_t index = 0; index < tensor.getNumElements(); ++index)
    values.push_back(tensor.isFloat() ? toJSON(tensor.getFloat(index))
                                      : llvm::json::Value(tensor.getInteger(index)));
  return llvm::json::Object{{"dtype", elementTypeToString(tensor.getElementType())},
                            {"shape", std::move(shape)},
                            {"values", std::move(values)}};
}

static llvm::json::Value toJSON(ArrayRef<HostTensor> tensors) {
  llvm::json::Array array;
  for (const HostTensor &tensor : tensors)
    array.push_back(toJSON(tensor));
  return array;
}

/// Attributes as the language writes them.
static llvm::json::Value toJSON(Attribute attribute) {
  if (auto integers = dyn_cast<DenseI64ArrayAttr>(attribute))
    return llvm::json::Array(integers.asArrayRef());
  if (auto array = dyn_cast<ArrayAttr>(attribute)) {
    llvm::json::Array values;
    for (Attribute element : array)
      values.push_back(toJSON(element));
    return values;
  }
  if (auto flag = dyn_cast<BoolAttr>(attribute))
    return flag.getValue();
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return integer.getInt();
  if (auto number = dyn_cast<FloatAttr>(attribute))
    return toJSON(number.getValueAsDouble());
  if (auto type = dyn_cast<TypeAttr>(attribute))
    return elementTypeToString(type.getValue());
  return cast<StringAttr>(attribute).getValue();
}

static llvm::json::Value attributesOf(const OpInfo &info, Operation *op) {
  llvm::json::Object object;
  for (const AttributeInfo &attribute : info.attributes)
    if (Attribute value = op->getInherentAttr(attribute.name).value_or(Attribute()))
      object[attribute.name] = toJSON(value);
  return object;
}

static bool emitRun(const OpInfo &info, StringRef text, Example &example,
                    ArrayRef<HostTensor> inputs, llvm::json::OStream &json) {
  llvm::Expected<SmallVector<HostTensor>> outputs = interpret(example.function, inputs);
  if (!outputs) {
    llvm::errs() << text << ": " << llvm::toString(outputs.takeError()) << "\n";
    return false;
  }
  json.value(llvm::json::Object{{"op", info.name},
                                {"example", text},
                                {"attributes", attributesOf(info, example.getOp())},
                                {"inputs", toJSON(inputs)},
                                {"outputs", toJSON(*outputs)}});
  return true;
}

/// Puts special values at the places of the floating-point inputs that `number` shifts.
static void addSpecialValues(MutableArrayRef<HostTensor> inputs) {
  const double special[] = {INFINITY, -INFINITY, NAN, 0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -700, 700};
  int64_t shift = 0;
  for (HostTensor &input : inputs) {
    for (int64_t index = 0; input.isFloat() && index < input.getNumElements(); ++index)
      input.setFloat(index, special[(index + shift) % std::size(special)]);
    shift += 4;
  }
}

/// `text` with every f64 replaced by `dtype`.
static std::string withType(StringRef text, StringRef dtype) {
  std::string result = text.str();
  for (size_t at = 0; (at = result.find("f64", at)) != std::string::npos; at += dtype.size())
    result.replace(at, 3, dtype);
  return result;
}

static bool emitExample(MLIRContext &context, const OpInfo &info, StringRef text,
                        llvm::json::OStream &json) {
  llvm::Expected<Example> example = buildExample(context, text);
  if (!example) {
    llvm::errs() << llvm::toString(example.takeError()) << "\n";
    return false;
  }
  SmallVector<HostTensor> inputs = drawInputs(example->inputs, /*seed=*/1);
  if (!emitRun(info, text, *example, inputs, json))
    return false;
  addSpecialValues(inputs);
  if (!emitRun(info, text, *example, inputs, json))
    return false;

  for (StringRef dtype : {"f32", "i64", "i8", "u8"}) {
    std::string variant = withType(text, dtype);
    llvm::Expected<Example> typed = buildExample(context, variant);
    if (variant == text || !typed) {
      // Not every op takes integers; that the checks say so is tested elsewhere.
      llvm::consumeError(typed.takeError());
      continue;
    }
    if (!emitRun(info, variant, *typed, drawInputs(typed->inputs, /*seed=*/2), json))
      return false;
  }
  return true;
}

int main() {
  MLIRContext context;
  llvm::json::OStream json(llvm::outs(), /*IndentSize=*/0);
  bool allRun = true;
  json.array([&] {
    for (const OpInfo &info : getOpTable())
      for (const std::string &text : info.examples)
        allRun &= emitExample(context, info, text, json);
  });
  llvm::outs() << "\n";
  return allRun ? 0 : 1;
}
