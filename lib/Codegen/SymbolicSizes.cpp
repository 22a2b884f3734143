//===- SymbolicSizes.cpp - Sizes as functions of the symbols --------------===//
//
// Follows index arithmetic back to symbols and constants, and writes polynomials as arithmetic.
//
//===----------------------------------------------------------------------===//
#include "SymbolicSizes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"

using namespace mlir;

namespace nnc {

SymbolicSizes::SymbolicSizes(func::FuncOp func) : function(func) {
  for (BlockArgument argument : function.getArguments())
    if (auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kSymbolAttr))
      symbols[name.str()] = argument;
}

std::optional<Dim> SymbolicSizes::extentOf(Value shaped, unsigned dim) const {
  auto type = cast<ShapedType>(shaped.getType());
  if (!type.isDynamicDim(dim))
    return Dim(type.getDimSize(dim));
  if (Operation *op = shaped.getDefiningOp())
    return extentOfResult(op, type, dim);
  auto argument = dyn_cast<BlockArgument>(shaped);
  if (!argument || argument.getOwner() != &function.getBody().front())
    return std::nullopt;
  auto shape = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), kShapeAttr);
  return shape && dim < shape.size() ? dimFromAttr(shape[dim]) : std::nullopt;
}

/// Extent `dim`, which is dynamic, of the result of `op`.
std::optional<Dim> SymbolicSizes::extentOfResult(Operation *op, ShapedType type,
                                                 unsigned dim) const {
  unsigned dynamicDims = type.getNumDynamicDims();
  auto dynamicSize = [&](ValueRange sizes) {
    return sizes.size() == dynamicDims ? dimOf(sizes[type.getDynamicDimIndex(dim)]) : std::nullopt;
  };
  if (auto alloc = dyn_cast<memref::AllocOp>(op))
    return dynamicSize(alloc.getDynamicSizes());
  if (auto subview = dyn_cast<memref::SubViewOp>(op))
    return dynamicSize(subview.getSizes());
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(op))
    return dynamicSize(expand.getOutputShape());
  if (isa<memref::CastOp>(op))
    return extentOf(op->getOperand(0), dim);
  if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op)) {
    Dim product(1);
    ReassociationIndices sourceDims = collapse.getReassociationIndices()[dim];
    for (int64_t sourceDim : sourceDims) {
      std::optional<Dim> extent = extentOf(collapse.getSrc(), sourceDim);
      if (!extent)
        return std::nullopt;
      product = product * *extent;
    }
    return product;
  }
  return std::nullopt;
}

/// The value of an affine expression whose dimensions and symbols are `operands`.
static std::optional<Dim> evaluate(AffineExpr expr, unsigned numDims, ArrayRef<Dim> operands) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Dim(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return operands[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return operands[numDims + symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<Dim> left = evaluate(binary.getLHS(), numDims, operands);
  std::optional<Dim> right = evaluate(binary.getRHS(), numDims, operands);
  if (!left || !right)
    return std::nullopt;
  bool canDivide = !right->isConstant() || right->constant() > 0;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return *left + *right;
  case AffineExprKind::Mul:
    return *left * *right;
  case AffineExprKind::FloorDiv:
    return canDivide ? std::optional<Dim>(left->floorDiv(*right)) : std::nullopt;
  case AffineExprKind::CeilDiv:
    return canDivide ? std::optional<Dim>(left->ceilDiv(*right)) : std::nullopt;
  case AffineExprKind::Mod:
    return canDivide ? std::optional<Dim>(*left - left->floorDiv(*right) * *right) : std::nullopt;
  default:
    return std::nullopt;
  }
}

std::optional<Dim> SymbolicSizes::dimOf(Value index) const {
  if (std::optional<int64_t> constant = getConstantIntValue(index))
    return Dim(*constant);
  for (const auto &[name, value] : symbols)
    if (value == index)
      return Dim::symbol(name);
  Operation *op = index.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (isa<tensor::DimOp, memref::DimOp>(op)) {
    std::optional<int64_t> dim = getConstantIntValue(op->getOperand(1));
    return dim ? extentOf(op->getOperand(0), *dim) : std::nullopt;
  }
  SmallVector<Dim> operands;
  for (Value operand : op->getOperands()) {
    std::optional<Dim> dim = operand.getType().isIntOrIndex() ? dimOf(operand) : std::nullopt;
    if (!dim)
      return std::nullopt;
    operands.push_back(*dim);
  }
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return evaluate(apply.getMap().getResult(0), apply.getMap().getNumDims(), operands);
  // Sizes are not negative, so that all divisions round down.
  return llvm::TypeSwitch<Operation *, std::optional<Dim>>(op)
      .Case<arith::IndexCastOp, arith::IndexCastUIOp>([&](auto) { return operands[0]; })
      .Case([&](arith::AddIOp) { return operands[0] + operands[1]; })
      .Case([&](arith::SubIOp) { return operands[0] - operands[1]; })
      .Case([&](arith::MulIOp) { return operands[0] * operands[1]; })
      .Case<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp>(
          [&](auto) { return operands[0].floorDiv(operands[1]); })
      .Case<arith::CeilDivSIOp, arith::CeilDivUIOp>(
          [&](auto) { return operands[0].ceilDiv(operands[1]); })
      .Default([](Operation *) { return std::nullopt; });
}

Value SymbolicSizes::materialize(OpBuilder &builder, Location loc, const Dim &dim,
                                 const std::map<std::string, Value> &symbols) {
  Value sum;
  for (const auto &[atoms, coefficient] : dim.getTerms()) {
    Value product;
    if (coefficient != 1 || atoms.empty())
      product = arith::ConstantIndexOp::create(builder, loc, coefficient);
    for (const Dim::Atom &atom : atoms) {
      Value factor = atom.numerator
                         ? arith::FloorDivSIOp::create(
                               builder, loc, materialize(builder, loc, *atom.numerator, symbols),
                               materialize(builder, loc, *atom.divisor, symbols))
                         : symbols.at(atom.name);
      product = product ? arith::MulIOp::create(builder, loc, product, factor) : factor;
    }
    sum = sum ? arith::AddIOp::create(builder, loc, sum, product) : product;
  }
  return sum ? sum : arith::ConstantIndexOp::create(builder, loc, 0);
}

} // namespace nnc
