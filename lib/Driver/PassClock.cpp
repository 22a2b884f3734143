//===- PassClock.cpp - When each pass runs --------------------------------===//
#include "PassClock.h"

#include "KernelClock.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassInstrumentation.h"

using namespace mlir;

namespace nnc {
namespace {

class Watch : public PassInstrumentation {
public:
  Watch(std::string phaseName, std::vector<PassTime> &times)
      : phase(std::move(phaseName)), passes(times) {}

  void runBeforePass(Pass *pass, Operation *op) override {
    auto function = dyn_cast<func::FuncOp>(op);
    open.push_back({phase, pass->getArgument().str(), function ? function.getName().str() : "",
                    KernelClock::now(), 0});
  }
  void runAfterPass(Pass *pass, Operation *) override {
    open.back().end = KernelClock::now();
    // What only hands operations to other passes has no flag.
    if (!pass->getArgument().empty())
      passes.push_back(std::move(open.back()));
    open.pop_back();
  }
  void runAfterPassFailed(Pass *pass, Operation *op) override { runAfterPass(pass, op); }

private:
  std::string phase;
  std::vector<PassTime> &passes;
  std::vector<PassTime> open;
};

} // namespace

void watchPasses(PassManager &manager, const std::string &phase, std::vector<PassTime> &passes) {
  manager.addInstrumentation(std::make_unique<Watch>(phase, passes));
}

} // namespace nnc
