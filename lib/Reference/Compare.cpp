//===- Compare.cpp - Whether two tensors are the same ---------------------===//
//
// Tolerances for random programs: the interpreter runs the program in f32 as well, and what that
// loses shows how well conditioned each result is.
//
//===----------------------------------------------------------------------===//
#include "nnc/Reference/Compare.h"
#include "nnc/IR/Dim.h"
#include "nnc/Reference/GradientCheck.h"

#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;

namespace nnc {

double getEpsilon(Type floatType) {
  return std::ldexp(1.0, 1 - int(cast<FloatType>(floatType).getFPMantissaWidth()));
}

static double distance(double left, double right) {
  if (left == right || (std::isnan(left) && std::isnan(right)))
    return 0;
  double difference = std::fabs(left - right);
  return std::isnan(difference) ? INFINITY : difference;
}

double largestDifference(const HostTensor &left, const HostTensor &right) {
  double largest = 0;
  for (int64_t index = 0; index < left.getNumElements(); ++index)
    largest = std::max(largest, distance(left.getFloat(index), right.getFloat(index)));
  return largest;
}

std::string describeDifference(const HostTensor &found, const HostTensor &expected,
                               double tolerance) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (found.getShape() != expected.getShape() || found.isFloat() != expected.isFloat()) {
    stream << "expected " << expected.str() << ", found " << found.str();
    return text;
  }
  for (int64_t index = 0; index < expected.getNumElements(); ++index) {
    if (expected.isFloat() ? distance(found.getFloat(index), expected.getFloat(index)) <= tolerance
                           : found.getInteger(index) == expected.getInteger(index))
      continue;
    stream << "element " << index << ": expected "
           << llvm::format("%.17g", expected.getNumber(index)) << " within "
           << llvm::format("%.2g", tolerance) << ", found "
           << llvm::format("%.17g", found.getNumber(index));
    return text;
  }
  return text;
}

static double largestMagnitude(const HostTensor &tensor) {
  return largestDifference(tensor, HostTensor(tensor.getElementType(), tensor.getShape()));
}

std::string compareInPrecision(RandomProgram &program, Type floatType, const Runner &runner) {
  Type f32 = Float32Type::get(floatType.getContext());
  auto run = [&](Type type, const Runner &how) {
    func::FuncOp function = buildInPrecision(program.function, type);
    auto results = how(function, toPrecision(program.arguments, type));
    function.erase();
    return results;
  };
  Runner interpreter = [](func::FuncOp function, ArrayRef<HostTensor> arguments) {
    return interpret(function, arguments);
  };
  auto expected = interpret(program.function, program.arguments);
  auto rounded = run(f32, interpreter);
  auto found = run(floatType, runner);
  for (auto *results : {&expected, &rounded, &found})
    if (!*results)
      return llvm::toString(results->takeError());
  for (auto [number, exact] : llvm::enumerate(*expected)) {
    double tolerance = 0;
    if (exact.isFloat())
      tolerance = (16 * largestDifference((*rounded)[number], exact) / getEpsilon(f32) +
                   64 * largestMagnitude(exact)) *
                  getEpsilon(floatType);
    std::string difference = describeDifference((*found)[number], exact, tolerance);
    if (!difference.empty())
      return "result " + std::to_string(number) + ", " + difference;
  }
  return "";
}

} // namespace nnc
