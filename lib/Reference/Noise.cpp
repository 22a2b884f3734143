//===- Noise.cpp - What rounding does, at random --------------------------===//
//
// Adds to each result of an op a random number as large as the error that another order of its
// computation, or another rounding, might make. A sum that cancels is small, and its error is not:
// it is measured by the same sum of the terms' magnitudes, which the op's own rule computes.
// (Stochastic arithmetic, as in D. S. Parker, Monte Carlo arithmetic, UCLA 1997.)
//
//===----------------------------------------------------------------------===//
#include "Rules.h"
#include "nnc/Reference/Compare.h"
#include "nnc/Support/Random.h"

#include <cmath>

using namespace mlir;

namespace nnc {

static HostTensor magnitudesOf(const HostTensor &tensor) {
  HostTensor result = tensor;
  for (int64_t number = 0; tensor.isFloat() && number < tensor.getNumElements(); ++number)
    result.setFloat(number, std::fabs(tensor.getFloat(number)));
  return result;
}

llvm::Error Frame::addNoise(Operation &op, const Rule &rule, Tensors &results) {
  if (rule.rounding == Rounding::None ||
      !llvm::any_of(results, [](const HostTensor &result) { return result.isFloat(); }))
    return llvm::Error::success();
  Tensors scales = results;
  if (rule.rounding == Rounding::OfTerms) {
    Frame magnitudes(symbols, options);
    for (Value operand : op.getOperands())
      magnitudes.set(operand, magnitudesOf(get(operand)));
    llvm::Expected<Tensors> sums = rule.compute(&op, magnitudes);
    if (!sums)
      return sums.takeError();
    scales = std::move(*sums);
  }
  for (auto [result, scale] : llvm::zip_equal(results, scales)) {
    int64_t stream = numNoisy++;
    for (int64_t number = 0; result.isFloat() && number < result.getNumElements(); ++number) {
      double unit = unitInterval53(randomWords(int64_t(options.noiseSeed), 0, stream, number));
      double error = options.noise * getEpsilon(result.getElementType()) * (2 * unit - 1) *
                     scale.getFloat(number);
      if (std::isfinite(error))
        result.setFloat(number, result.getFloat(number) + error);
    }
  }
  return llvm::Error::success();
}

} // namespace nnc
