//===- Simplify.h - Rules of algebra and how they are applied ---*- C++ -*-===//
//
// A rule is a function from an op to the formula that replaces it; a null Expr says that it does not
// apply. The formula has the type of the op's result.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_TRANSFORMS_SIMPLIFY_H
#define NNC_LIB_TRANSFORMS_SIMPLIFY_H

#include "nnc/IR/Expression.h"

#include "mlir/IR/PatternMatch.h"

namespace nnc {

template <typename OpTy> using SimplifyRule = Expr (*)(OpTy op, const Place &place);

template <typename OpTy> struct SimplifyPattern : mlir::OpRewritePattern<OpTy> {
  SimplifyPattern(mlir::MLIRContext *context, SimplifyRule<OpTy> rule)
      : mlir::OpRewritePattern<OpTy>(context), rule(rule) {}

  llvm::LogicalResult matchAndRewrite(OpTy op, mlir::PatternRewriter &rewriter) const override {
    Place place{rewriter, getUnnamedLoc(op)};
    Expr replacement = rule(op, place);
    if (!replacement.value)
      return mlir::failure();
    assert(replacement.value.getType() == op->getResult(0).getType());
    rewriter.replaceOp(op, replacement.value);
    return mlir::success();
  }

private:
  SimplifyRule<OpTy> rule;
};

template <typename OpTy>
void addRule(mlir::RewritePatternSet &patterns, Expr (*rule)(OpTy, const Place &)) {
  patterns.add<SimplifyPattern<OpTy>>(patterns.getContext(), rule);
}

/// Applies the rules until none does. A value that is computed otherwise keeps its name. `fold` also
/// merges equal constants; before differentiation that must not be, since a gradient may be taken
/// with respect to one of them.
llvm::LogicalResult applyRules(mlir::Operation *root, mlir::RewritePatternSet &&patterns,
                               bool fold);

/// The number that every element of `value` is, where that is known.
std::optional<double> getSplat(mlir::Value value);
/// What `value` repeats: the operand of a broadcast, the number of a full tensor; else itself.
Expr unrepeated(Expr value);

void addArithmeticRules(mlir::RewritePatternSet &patterns);
void addBroadcastRules(mlir::RewritePatternSet &patterns);
void addShapeRules(mlir::RewritePatternSet &patterns);

} // namespace nnc

#endif // NNC_LIB_TRANSFORMS_SIMPLIFY_H
