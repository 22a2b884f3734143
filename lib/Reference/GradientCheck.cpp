//===- GradientCheck.cpp - Derivatives by finite differences --------------===//
//
// Central differences of fourth order, f' = (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h. The step is
// tried large, where the difference is most accurate on smooth functions, then smaller, for a kink
// or the end of the domain nearby; the derivative is right if one of them agrees. Where none does
// and the differences do not agree with each other, a kink is too near to judge.
//
//===----------------------------------------------------------------------===//
#include "nnc/Reference/GradientCheck.h"
#include "nnc/IR/NN.h"
#include "nnc/Support/Random.h"

#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace nnc {

//===-- The report --------------------------------------------------------===//

std::string GradientMismatch::str() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (order > 1)
    stream << "order " << order << ", ";
  stream << "derivative with respect to " << argument;
  if (element >= 0)
    stream << ", element " << element;
  else
    stream << ", random direction " << -1 - element;
  stream << ": expected " << llvm::format("%.9g", numeric) << " by finite differences, found "
         << llvm::format("%.9g", symbolic);
  return text;
}

void GradientReport::merge(const GradientReport &other) {
  numChecked += other.numChecked;
  numUnclear += other.numUnclear;
  largestError = std::max(largestError, other.largestError);
  mismatches.insert(mismatches.end(), other.mismatches.begin(), other.mismatches.end());
}

std::string GradientReport::str() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << numChecked << " derivatives, largest relative error "
         << llvm::format("%.2g", largestError) << ", " << mismatches.size() << " wrong";
  if (numUnclear)
    stream << ", " << numUnclear << " too near a kink to tell";
  for (const GradientMismatch &mismatch : mismatches)
    stream << "\n  " << mismatch.str();
  return text;
}

//===-- Finite differences ------------------------------------------------===//

namespace {
/// The scalar function near its arguments.
class Neighbourhood {
public:
  Neighbourhood(func::FuncOp function, ArrayRef<HostTensor> arguments)
      : function(function), arguments(arguments) {}

  /// Computes the value at the arguments and keeps what stop_gradient passes there.
  Error evaluateCenter() {
    InterpretOptions options;
    options.afterOp = [this](Operation *op, MutableArrayRef<HostTensor> results) {
      if (isa<nn::StopGradientOp>(op))
        stopped.push_back(results.front());
      return Error::success();
    };
    Expected<SmallVector<HostTensor>> results = interpret(function, arguments, options);
    if (!results)
      return results.takeError();
    center = results->front().getFloat(0);
    return Error::success();
  }

  double getCenter() const { return center; }

  /// The derivative along `direction`, in elements of argument `number`, with the step `h`.
  Expected<double> derivative(unsigned number, ArrayRef<double> direction, double h) {
    double values[4];
    const double distances[4] = {h, -h, 2 * h, -2 * h};
    for (auto [value, distance] : llvm::zip_equal(values, distances)) {
      Expected<double> moved = evaluate(number, direction, distance);
      if (!moved)
        return moved.takeError();
      value = *moved;
    }
    return (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * h);
  }

private:
  Expected<double> evaluate(unsigned number, ArrayRef<double> direction, double distance) {
    SmallVector<HostTensor> moved(arguments);
    for (auto [element, amount] : llvm::enumerate(direction))
      moved[number].setFloat(element, moved[number].getFloat(element) + distance * amount);
    size_t next = 0;
    InterpretOptions options;
    options.afterOp = [&](Operation *op, MutableArrayRef<HostTensor> results) {
      if (isa<nn::StopGradientOp>(op))
        results.front() = stopped[next++];
      return Error::success();
    };
    Expected<SmallVector<HostTensor>> results = interpret(function, moved, options);
    if (!results)
      return results.takeError();
    return results->front().getFloat(0);
  }

  func::FuncOp function;
  ArrayRef<HostTensor> arguments;
  double center = 0;
  SmallVector<HostTensor> stopped;
};

/// The check of the derivatives with respect to one argument.
class ArgumentCheck {
public:
  ArgumentCheck(Neighbourhood &neighbourhood, unsigned number, StringRef name,
                const HostTensor &gradient, const GradientCheckOptions &options)
      : neighbourhood(neighbourhood), number(number), name(name), gradient(gradient),
        options(options) {
    for (int64_t element = 0; element < gradient.getNumElements(); ++element)
      scale = std::max(scale, std::fabs(gradient.getFloat(element)));
  }

  Expected<GradientReport> run() {
    int64_t size = gradient.getNumElements();
    bool inDirections = size > options.maxElements;
    for (int64_t place = 0; place < std::min(size, options.maxElements); ++place) {
      SmallVector<double> direction(size, 0.0);
      if (inDirections)
        fillDirection(direction, place);
      else
        direction[place] = 1;
      if (Error error = check(inDirections ? -1 - place : place, direction))
        return error;
    }
    return report;
  }

private:
  void fillDirection(MutableArrayRef<double> direction, int64_t place) {
    for (auto [element, amount] : llvm::enumerate(direction))
      amount = normal53(randomWords(options.seed, number, place, element));
  }

  Error check(int64_t element, ArrayRef<double> direction) {
    double symbolic = 0;
    for (auto [index, amount] : llvm::enumerate(direction))
      if (amount != 0)
        symbolic += amount * gradient.getFloat(index);
    double smallestError = INFINITY, closest = NAN, before = NAN;
    bool isSmooth = true;
    for (double h : {1e-3, 1e-4, 1e-5}) {
      Expected<double> numeric = neighbourhood.derivative(number, direction, h);
      if (!numeric)
        return numeric.takeError();
      // What rounding of the function's value can do to the difference is no error.
      double noise = 1e-14 * std::fabs(neighbourhood.getCenter()) / h;
      double error = relativeError(symbolic, *numeric, noise);
      if (std::isnan(closest) || error < smallestError)
        closest = *numeric;
      smallestError = std::min(smallestError, error);
      if (smallestError <= options.tolerance)
        break;
      isSmooth = !(relativeError(before, *numeric, noise) > options.tolerance);
      before = *numeric;
    }
    if (smallestError > options.tolerance && !isSmooth && std::isfinite(symbolic)) {
      ++report.numUnclear;
      return Error::success();
    }
    ++report.numChecked;
    report.largestError = std::max(report.largestError, smallestError);
    if (smallestError > options.tolerance)
      report.mismatches.push_back({name.str(), element, symbolic, closest, /*order=*/1});
    return Error::success();
  }

  double relativeError(double symbolic, double numeric, double noise) const {
    double distance = std::fabs(symbolic - numeric);
    if (!std::isfinite(distance))
      return INFINITY;
    return std::max(0.0, distance - std::fabs(noise)) / std::max({scale, std::fabs(numeric), 1e-6});
  }

  Neighbourhood &neighbourhood;
  unsigned number;
  StringRef name;
  const HostTensor &gradient;
  const GradientCheckOptions &options;
  double scale = 0;
  GradientReport report;
};
} // namespace

Expected<GradientReport> checkGradient(func::FuncOp function, func::FuncOp gradient,
                                       ArrayRef<unsigned> wrt, ArrayRef<HostTensor> arguments,
                                       const GradientCheckOptions &options) {
  Expected<SmallVector<HostTensor>> gradients = interpret(gradient, arguments);
  if (!gradients)
    return gradients.takeError();
  if (gradients->size() != wrt.size())
    return llvm::createStringError("expected " + std::to_string(wrt.size()) + " gradients, found " +
                                   std::to_string(gradients->size()));
  Neighbourhood neighbourhood(function, arguments);
  if (Error error = neighbourhood.evaluateCenter())
    return error;
  GradientReport report;
  for (auto [number, values] : llvm::zip_equal(wrt, *gradients)) {
    if (values.getShape() != arguments[number].getShape())
      return llvm::createStringError("expected a gradient like " + arguments[number].str() +
                                     ", found " + values.str());
    auto name = function.getArgAttrOfType<StringAttr>(number, nn::nameAttr);
    ArgumentCheck check(neighbourhood, number, name ? name.getValue() : "an argument", values,
                        options);
    Expected<GradientReport> checked = check.run();
    if (!checked)
      return checked.takeError();
    report.merge(*checked);
  }
  return report;
}

} // namespace nnc
