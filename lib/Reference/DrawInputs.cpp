//===- DrawInputs.cpp - Values for the inputs of an example ---------------===//
//
// Uniform numbers from the generator of the random ops.
//
//===----------------------------------------------------------------------===//
#include "nnc/Reference/DrawInputs.h"
#include "nnc/Support/Random.h"

#include <cmath>

using namespace mlir;

namespace nnc {

HostTensor drawTensor(Type elementType, ArrayRef<int64_t> shape, double low, double high,
                      uint64_t seed, uint64_t number) {
  HostTensor tensor(elementType, shape);
  for (int64_t index = 0; index < tensor.getNumElements(); ++index) {
    double unit = unitInterval53(randomWords(seed, 0, number, index));
    if (tensor.isFloat())
      tensor.setFloat(index, low + (high - low) * unit);
    else
      tensor.setInteger(index, int64_t(std::floor(low + (high - low + 1) * unit)));
  }
  return tensor;
}

static SmallVector<int64_t> sizesOf(Type type, const SymbolValues &symbols) {
  SmallVector<int64_t> sizes;
  for (const Dim &dim : getShape(type)) {
    std::set<std::string> names;
    dim.collectSymbols(names);
    std::map<std::string, Dim> values;
    for (const std::string &name : names) {
      auto found = symbols.find(name);
      values[name] = Dim(found == symbols.end() ? 3 : found->second);
    }
    sizes.push_back(dim.substitute(values).constant());
  }
  return sizes;
}

SmallVector<HostTensor> drawInputs(ArrayRef<ExampleInput> inputs, uint64_t seed,
                                   const SymbolValues &symbols) {
  SmallVector<HostTensor> tensors;
  for (auto [number, input] : llvm::enumerate(inputs))
    tensors.push_back(drawTensor(input.type.getElementType(), sizesOf(input.type, symbols),
                                 input.low, input.high, seed, number));
  return tensors;
}

} // namespace nnc
