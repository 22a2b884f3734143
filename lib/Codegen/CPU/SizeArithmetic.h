//===- SizeArithmetic.h - Numbers of iterations -----------------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_CPU_SIZEARITHMETIC_H
#define NNC_LIB_CODEGEN_CPU_SIZEARITHMETIC_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

namespace nnc {

/// Arithmetic on sizes, none of them negative: with known ones it is done here, with others by the program.
class SizeArithmetic {
public:
  using Size = mlir::OpFoldResult;

  SizeArithmetic(mlir::OpBuilder &builder, mlir::Location location) : b(builder), loc(location) {}

  Size constant(int64_t value) { return b.getIndexAttr(value); }
  mlir::Value materialize(Size size) { return mlir::getValueOrCreateConstantIndexOp(b, loc, size); }

  Size multiply(Size left, Size right) {
    return compute<mlir::arith::MulIOp>(left, right, [](uint64_t x, uint64_t y) {
      return std::min<uint64_t>(llvm::SaturatingMultiply(x, y), INT64_MAX);
    });
  }
  Size add(Size left, Size right) {
    if (mlir::isConstantIntValue(right, 0))
      return left;
    return compute<mlir::arith::AddIOp>(left, right, std::plus<uint64_t>());
  }
  Size subtract(Size left, Size right) {
    return compute<mlir::arith::SubIOp>(left, right, std::minus<uint64_t>());
  }
  /// `right` is not zero.
  Size divide(Size left, Size right) {
    return compute<mlir::arith::DivUIOp>(left, right, std::divides<uint64_t>());
  }
  Size divideUp(Size left, Size right) {
    return divide(add(left, subtract(right, constant(1))), right);
  }
  Size remainder(Size left, Size right) {
    return compute<mlir::arith::RemUIOp>(left, right, std::modulus<uint64_t>());
  }
  Size atLeast(Size size, int64_t limit) {
    return compute<mlir::arith::MaxUIOp>(size, constant(limit),
                                         [](uint64_t x, uint64_t y) { return std::max(x, y); });
  }
  Size atMost(Size size, Size limit) {
    return compute<mlir::arith::MinUIOp>(size, limit,
                                         [](uint64_t x, uint64_t y) { return std::min(x, y); });
  }

private:
  template <typename Op>
  Size compute(Size left, Size right, llvm::function_ref<uint64_t(uint64_t, uint64_t)> fold) {
    std::optional<int64_t> x = mlir::getConstantIntValue(left),
                           y = mlir::getConstantIntValue(right);
    if (x && y)
      return constant(fold(*x, *y));
    return Op::create(b, loc, materialize(left), materialize(right)).getResult();
  }

  mlir::OpBuilder &b;
  mlir::Location loc;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_SIZEARITHMETIC_H
