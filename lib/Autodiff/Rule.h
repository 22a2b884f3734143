//===- Rule.h - From rules to the interface ---------------------*- C++ -*-===//
//
// A rule is a function `gradient` that gets the op, its operands, its result and the result's
// cotangent d, and returns the operands' cotangents:
//
//   Expr gradient(ExpOp, Expr x, Expr y, Expr d)              { return d * y; }
//   Exprs<2> gradient(MulOp, Expr x, Expr y, Expr z, Expr d)  { return {d * y, d * x}; }
//
// Broadcast operands need no care: what a rule returns is summed over the axes along which the
// operand was repeated. registerRules makes models of GradientOpInterface of such functions.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_AUTODIFF_RULE_H
#define NNC_LIB_AUTODIFF_RULE_H

#include "nnc/Autodiff/Autodiff.h"
#include "nnc/IR/Expression.h"

#include <array>

namespace nnc {

template <size_t N> using Exprs = std::array<Expr, N>;

/// The absence of a derivative; rules return it, they never compute with it.
inline Expr zero() { return {}; }

template <typename OpTy>
struct RuleModel : GradientOpInterface::ExternalModel<RuleModel<OpTy>, OpTy> {
  llvm::FailureOr<llvm::SmallVector<mlir::Value>>
  buildGradients(mlir::Operation *op, mlir::OpBuilder &builder,
                 llvm::ArrayRef<mlir::Value> cotangents, const llvm::SmallBitVector &needed) const {
    Place place{builder, getUnnamedLoc(op)};
    auto expr = [&](mlir::Value value) { return Expr{&place, value}; };
    llvm::SmallVector<Expr> operands = llvm::map_to_vector(op->getOperands(), expr);
    auto results =
        call(mlir::cast<OpTy>(op), operands, expr(op->getResult(0)), expr(cotangents.front()));
    llvm::SmallVector<mlir::Value> gradients(operands.size());
    for (unsigned index : needed.set_bits())
      if (results[index].value)
        gradients[index] = unbroadcast(results[index], operands[index]).value;
    return gradients;
  }

private:
  static auto call(OpTy op, llvm::ArrayRef<Expr> operands, Expr result, Expr d) {
    if constexpr (OpTy::template hasTrait<mlir::OpTrait::OneOperand>())
      return Exprs<1>{gradient(op, operands[0], result, d)};
    else if constexpr (OpTy::template hasTrait<mlir::OpTrait::NOperands<2>::Impl>())
      return gradient(op, operands[0], operands[1], result, d);
    else if constexpr (OpTy::template hasTrait<mlir::OpTrait::NOperands<3>::Impl>())
      return gradient(op, operands[0], operands[1], operands[2], result, d);
    else
      return gradient(op, operands, result, d);
  }
};

template <typename... OpTys> void registerRules(mlir::MLIRContext *context) {
  (OpTys::template attachInterface<RuleModel<OpTys>>(*context), ...);
}

/// As differentiate, but follows only the ops of the block that it builds in, and returns null for
/// a value without influence.
llvm::FailureOr<llvm::SmallVector<mlir::Value>>
differentiateBlock(mlir::OpBuilder &builder, mlir::Location loc, mlir::ValueRange outputs,
                   mlir::ValueRange cotangents, mlir::ValueRange wrt);

void registerElementwiseGradients(mlir::MLIRContext *context);
void registerReductionGradients(mlir::MLIRContext *context);
void registerLinearGradients(mlir::MLIRContext *context);
void registerWindowGradients(mlir::MLIRContext *context);
void registerEinsumGradients(mlir::MLIRContext *context);
void registerShapeGradients(mlir::MLIRContext *context);
void registerOrderGradients(mlir::MLIRContext *context);
void registerControlGradients(mlir::MLIRContext *context);

} // namespace nnc

#endif // NNC_LIB_AUTODIFF_RULE_H
