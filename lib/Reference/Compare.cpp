//===- Compare.cpp - Whether two tensors are the same ---------------------===//
//
// What is equal up to rounding: the interpreter runs the program with noise as well, and what that
// changes shows how well conditioned each result is.
//
//===----------------------------------------------------------------------===//
#include "nnc/Reference/Compare.h"
#include "nnc/IR/Dim.h"
#include "nnc/Reference/GradientCheck.h"

#include "mlir/IR/TypeUtilities.h"
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
    largest = std::max(largest, distance(left.getNumber(index), right.getNumber(index)));
  return largest;
}

std::optional<int64_t> firstDifference(const HostTensor &found, const HostTensor &expected,
                                       double tolerance) {
  for (int64_t index = 0; index < expected.getNumElements(); ++index)
    if (!(distance(found.getNumber(index), expected.getNumber(index)) <= tolerance))
      return index;
  return std::nullopt;
}

std::string describeDifference(const HostTensor &found, const HostTensor &expected,
                               double tolerance) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (found.getShape() != expected.getShape() || found.isFloat() != expected.isFloat()) {
    stream << "expected " << expected.str() << ", found " << found.str();
    return text;
  }
  if (std::optional<int64_t> index = firstDifference(found, expected, tolerance))
    stream << "element " << *index << ": expected "
           << llvm::format("%.17g", expected.getNumber(*index)) << " within "
           << llvm::format("%.2g", tolerance) << ", found "
           << llvm::format("%.17g", found.getNumber(*index));
  return text;
}

double largestFinite(const HostTensor &tensor) {
  double largest = 0;
  for (int64_t index = 0; index < tensor.getNumElements(); ++index)
    if (std::isfinite(tensor.getNumber(index)))
      largest = std::max(largest, std::fabs(tensor.getNumber(index)));
  return largest;
}

llvm::Expected<SmallVector<double>> roundingBounds(func::FuncOp function,
                                                   ArrayRef<HostTensor> arguments,
                                                   ArrayRef<HostTensor> results,
                                                   const SymbolValues &symbols) {
  // Each op may be off by some times its rounding error; a few runs may all miss the worst.
  constexpr double noise = 4, factor = 4, least = 64;
  double largest = 0;
  for (const HostTensor &argument : arguments)
    largest = std::max(largest, argument.isFloat() ? largestFinite(argument) : 0);
  SmallVector<double> bounds;
  for (auto [type, result] : llvm::zip_equal(function.getResultTypes(), results)) {
    // What is computed twice, and once as part of a multiply-add, leaves a rest where it cancels out.
    double size = std::max(least * largestFinite(result), factor * largest);
    bounds.push_back(result.isFloat() ? getEpsilon(getElementTypeOrSelf(type)) * size : 0);
  }
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    llvm::Expected<SmallVector<HostTensor>> moved =
        interpret(function, arguments, {symbols, nullptr, noise, seed});
    if (!moved)
      return moved.takeError();
    for (auto [bound, result, other] : llvm::zip_equal(bounds, results, *moved))
      bound = std::max(bound, factor * largestDifference(other, result));
  }
  return bounds;
}

static llvm::Expected<std::string> findDifference(const RandomProgram &program,
                                                  func::FuncOp function, Type floatType,
                                                  const Runner &runner) {
  SmallVector<HostTensor> arguments = toPrecision(program.arguments, floatType);
  Type f64 = Float64Type::get(floatType.getContext());
  auto expected = interpret(program.function, toPrecision(arguments, f64));
  if (!expected)
    return expected.takeError();
  auto bounds = roundingBounds(function, arguments, *expected);
  if (!bounds)
    return bounds.takeError();
  auto found = runner(function, arguments);
  if (!found)
    return found.takeError();
  for (auto [number, bound] : llvm::enumerate(*bounds)) {
    std::string difference = describeDifference((*found)[number], (*expected)[number], bound);
    if (!difference.empty())
      return "result " + std::to_string(number) + ", " + difference;
  }
  return "";
}

std::string compareInPrecision(RandomProgram &program, Type floatType, const Runner &runner) {
  func::FuncOp function = buildInPrecision(program.function, floatType);
  auto difference = findDifference(program, function, floatType, runner);
  function.erase();
  return difference ? *difference : llvm::toString(difference.takeError());
}

} // namespace nnc
