//===- TraceKernels.cpp - Tell the host when each kernel runs -------------===//
//
// Brackets each kernel with two calls. They stand around what will be loops or a call of a shared
// function, so that the kernels themselves are compiled as ever.
//
//===----------------------------------------------------------------------===//
#include "KernelFills.h"
#include "KernelOrder.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_TRACEKERNELSPASS
#include "nnc/Codegen/Passes.h.inc"

SmallVector<linalg::LinalgOp> kernelsIn(Operation *root) {
  SmallVector<linalg::LinalgOp> ops, kernels;
  root->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
  llvm::SmallPtrSet<Operation *, 8> absorbed;
  for (linalg::LinalgOp op : ops)
    if (!isa<linalg::FillOp>(op))
      for (OpOperand &output : op.getDpsInitsMutable())
        if (linalg::FillOp fill = findFill(op, output))
          absorbed.insert(fill);
  llvm::copy_if(ops, std::back_inserter(kernels),
                [&](linalg::LinalgOp op) { return !absorbed.contains(op); });
  return kernels;
}

namespace {

class TraceKernels : public impl::TraceKernelsPassBase<TraceKernels> {
  void runOnOperation() override {
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    func::FuncOp begin = declare(builder, kTraceBegin), end = declare(builder, kTraceEnd);
    for (auto [index, op] : llvm::enumerate(kernelsIn(getOperation()))) {
      builder.setInsertionPoint(op);
      Value number = arith::ConstantIntOp::create(builder, op.getLoc(), index, 64);
      func::CallOp::create(builder, op.getLoc(), begin, number);
      builder.setInsertionPointAfter(op);
      func::CallOp::create(builder, op.getLoc(), end, number);
    }
  }

  func::FuncOp declare(OpBuilder &builder, StringRef name) {
    auto function = func::FuncOp::create(builder, getOperation().getLoc(), name,
                                         builder.getFunctionType(builder.getI64Type(), {}));
    function.setPrivate();
    return function;
  }
};

} // namespace
} // namespace nnc
