//===- ContractProducts.cpp - Let a sum take in a product -----------------===//
//
//   in     loops and vectors, equal operations merged
//   out    the same; what LLVM may make one operation of, a product and the one sum that it goes into, says so
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_CONTRACTPRODUCTSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// Whether `op` is a product that goes anywhere but into one sum. What a kernel stores is rounded: a sum in
/// another one must not take the product in, only because LLVM sees that it reads what was stored. And
/// x * x - x * x is zero.
bool isRounded(Operation *op) {
  bool isTerm =
      op->hasOneUse() && isa<arith::AddFOp, arith::SubFOp, arith::NegFOp>(*op->user_begin());
  return isa<arith::MulFOp>(op) && !isTerm;
}

class ContractProducts : public impl::ContractProductsPassBase<ContractProducts> {
  void runOnOperation() override {
    getOperation()->walk([](arith::ArithFastMathInterface op) {
      arith::FastMathFlagsAttr flags = op.getFastMathFlagsAttr();
      if (!flags || isRounded(op))
        return;
      auto contract = arith::FastMathFlags::contract | flags.getValue();
      op->setAttr(op.getFastMathAttrName(),
                  arith::FastMathFlagsAttr::get(op->getContext(), contract));
    });
  }
};

} // namespace
} // namespace nnc
