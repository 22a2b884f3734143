//===- CheckGradients.cpp - Autodiff against finite differences -----------===//
//
// Each order: the weighted sum of the results, a scalar, and its gradient function, which is what
// the next order differentiates.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/CheckGradients.h"
#include "nnc/Autodiff/Autodiff.h"
#include "nnc/Autodiff/Passes.h"
#include "nnc/Reference/DrawInputs.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace nnc {
namespace {

class Check {
public:
  Check(func::FuncOp function, ArrayRef<HostTensor> arguments, const GradientCheckOptions &options)
      : module(ModuleOp::create(function.getLoc())), f64(Float64Type::get(function.getContext())),
        arguments(toPrecision(arguments, f64)), options(options) {
    this->function = function.clone();
    module->push_back(this->function);
  }

  Error prepare() {
    PassManager passes(module->getContext());
    passes.addNestedPass<func::FuncOp>(createExpandGradPass());
    if (failed(passes.run(*module)))
      return createStringError("the gradients in '" + function.getName() + "' do not expand");
    function = buildInPrecision(function, f64);
    return Error::success();
  }

  /// Checks the gradient of the current function, which becomes the current function.
  Error checkOrder(unsigned order) {
    unsigned numBefore = function.getNumArguments();
    func::FuncOp sum = buildWeightedSum(function);
    if (!sum)
      return createStringError("expected floating-point results to differentiate");
    if (Error error = drawWeights(sum, order))
      return error;
    SmallVector<unsigned> wrt;
    std::vector<std::string> names;
    for (unsigned number = 0; number < numBefore; ++number)
      if (arguments[number].isFloat()) {
        wrt.push_back(number);
        names.push_back(sum.getArgAttrOfType<StringAttr>(number, nn::nameAttr).str());
      }
    if (wrt.empty())
      return createStringError("expected floating-point arguments to differentiate for");
    FailureOr<func::FuncOp> gradient = buildGradientFunction(sum, names);
    if (failed(gradient) || failed(verify(*gradient)))
      return createStringError("'" + function.getName() + "' cannot be differentiated");
    Expected<GradientReport> checked = checkGradient(sum, *gradient, wrt, arguments, options);
    if (!checked)
      return checked.takeError();
    for (GradientMismatch &mismatch : checked->mismatches)
      mismatch.order = order;
    report.merge(*checked);
    function = *gradient;
    return Error::success();
  }

  GradientReport report;

private:
  /// Adds the arguments of the weighted sum that the function does not have.
  Error drawWeights(func::FuncOp sum, unsigned order) {
    Expected<SymbolValues> symbols = resolveSymbols(function, arguments);
    if (!symbols)
      return symbols.takeError();
    SmallVector<ExampleInput> weights;
    for (Type type : sum.getArgumentTypes().drop_front(arguments.size()))
      weights.push_back({"", cast<RankedTensorType>(type), -1, 1});
    arguments.append(drawInputs(weights, options.seed + 1000 * order, *symbols));
    return Error::success();
  }

  OwningOpRef<ModuleOp> module;
  Type f64;
  SmallVector<HostTensor> arguments;
  const GradientCheckOptions &options;
  func::FuncOp function;
};

} // namespace

Expected<GradientReport> checkGradients(func::FuncOp function, ArrayRef<HostTensor> arguments,
                                        unsigned order, const GradientCheckOptions &options) {
  Check check(function, arguments, options);
  if (Error error = check.prepare())
    return error;
  for (unsigned done = 1; done <= order; ++done)
    if (Error error = check.checkOrder(done))
      return error;
  return check.report;
}

} // namespace nnc
