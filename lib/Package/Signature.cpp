//===- Signature.cpp - How a compiled entry point is called ---------------===//
//
// Reads a function's types and nn.* attributes.
//
//===----------------------------------------------------------------------===//
#include "nnc/Package/Signature.h"

#include "nnc/IR/NN.h"

using namespace mlir;

namespace nnc {

std::string toIdentifier(StringRef name) {
  std::string identifier;
  for (char c : name)
    identifier += llvm::isAlnum(c) ? c : '_';
  if (identifier.empty() || llvm::isDigit(identifier.front()))
    identifier.insert(0, "_");
  return identifier;
}

int64_t Buffer::bytes(const std::map<std::string, int64_t> &sizes) const {
  std::map<std::string, Dim> values(sizes.begin(), sizes.end());
  int64_t elementBytes = std::max<int64_t>(elementType.getIntOrFloatBitWidth() / 8, 1);
  return elementBytes * numElements(shape).substitute(values).constant();
}

std::string Signature::rawName() const { return toIdentifier(name) + "_raw"; }

bool Signature::isEarly(const Buffer &buffer) const {
  return buffer.isState() && !buffer.isResult && llvm::none_of(buffers, [&](const Buffer &other) {
           return other.isUpdate && other.name == buffer.name;
         });
}

bool Signature::canPrepare() const {
  return entry == "forward" &&
         llvm::any_of(buffers, [&](const Buffer &buffer) { return isEarly(buffer); });
}

static Buffer preparedBuffer(bool isResult) {
  Buffer buffer;
  buffer.name = buffer.role = "prepared";
  buffer.isResult = isResult;
  return buffer;
}

Signature Signature::prepared() const {
  Signature result = *this;
  llvm::erase_if(result.buffers, [&](const Buffer &buffer) { return isEarly(buffer); });
  result.buffers.insert(result.buffers.begin(), preparedBuffer(/*isResult=*/false));
  return result;
}

Signature Signature::prepare() const {
  Signature result{name + ".prepare", "prepare", {}, {}, {}};
  llvm::copy_if(buffers, std::back_inserter(result.buffers),
                [&](const Buffer &buffer) { return isEarly(buffer); });
  result.buffers.push_back(preparedBuffer(/*isResult=*/true));
  return result;
}

static Buffer makeBuffer(Type type, DictionaryAttr attributes, std::string fallbackName,
                         bool isResult) {
  Buffer buffer;
  auto text = [&](StringRef key) {
    auto attr = attributes ? attributes.getAs<StringAttr>(key) : StringAttr();
    return attr ? attr.getValue().str() : std::string();
  };
  buffer.name = text(nn::nameAttr);
  if (buffer.name.empty())
    buffer.name = std::move(fallbackName);
  buffer.role = text(nn::roleAttr);
  if (buffer.role.empty())
    buffer.role = isResult ? "output" : "input";
  buffer.shape = getShape(type);
  buffer.elementType = cast<RankedTensorType>(type).getElementType();
  buffer.isResult = isResult;
  return buffer;
}

/// Adds the symbols of `shape` that are not yet listed.
static void collectSymbols(ArrayRef<Dim> shape, std::vector<std::string> &symbols) {
  for (const Dim &dim : shape) {
    std::set<std::string> found;
    dim.collectSymbols(found);
    for (const std::string &symbol : found)
      if (!llvm::is_contained(symbols, symbol))
        symbols.push_back(symbol);
  }
}

Signature getSignature(func::FuncOp function) {
  Signature signature;
  signature.name = function.getName().str();
  if (auto entry = function->getAttrOfType<StringAttr>(nn::entryAttr))
    signature.entry = entry.getValue().str();
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes()))
    signature.buffers.push_back(makeBuffer(type, function.getArgAttrDict(index),
                                           "input" + std::to_string(index), /*isResult=*/false));
  size_t numArguments = signature.buffers.size();
  for (auto [index, type] : llvm::enumerate(function.getResultTypes())) {
    Buffer result = makeBuffer(type, function.getResultAttrDict(index),
                               "output" + std::to_string(index), /*isResult=*/true);
    result.isUpdate = llvm::any_of(
        llvm::ArrayRef(signature.buffers).take_front(numArguments), [&](const Buffer &argument) {
          return argument.isState() && result.isState() && argument.name == result.name;
        });
    signature.buffers.push_back(std::move(result));
  }
  for (const Buffer &buffer : signature.buffers)
    collectSymbols(buffer.shape, signature.symbols);
  signature.requirements = collectRequirements(function);
  return signature;
}

} // namespace nnc
