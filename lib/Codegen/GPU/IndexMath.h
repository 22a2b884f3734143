//===- IndexMath.h - Arithmetic on indices ----------------------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_INDEXMATH_H
#define NNC_LIB_CODEGEN_GPU_INDEXMATH_H

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace nnc {

/// Emits at `b` what is not known yet.
class IndexMath {
public:
  IndexMath(mlir::OpBuilder &builder, mlir::Location where) : b(builder), loc(where) {}

  mlir::Value constant(int64_t value) const {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  mlir::Value add(mlir::Value left, mlir::Value right) const {
    return b.createOrFold<mlir::arith::AddIOp>(loc, left, right);
  }
  mlir::Value add(mlir::Value left, int64_t right) const { return add(left, constant(right)); }
  mlir::Value scale(mlir::Value value, int64_t factor) const {
    return b.createOrFold<mlir::arith::MulIOp>(loc, value, constant(factor));
  }
  mlir::Value divide(mlir::Value value, int64_t divisor) const {
    return b.createOrFold<mlir::arith::DivUIOp>(loc, value, constant(divisor));
  }
  mlir::Value remainder(mlir::Value value, int64_t divisor) const {
    return b.createOrFold<mlir::arith::RemUIOp>(loc, value, constant(divisor));
  }
  mlir::Value isBelow(mlir::Value left, mlir::Value right) const {
    return mlir::arith::CmpIOp::create(b, loc, mlir::arith::CmpIPredicate::ult, left, right);
  }

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_INDEXMATH_H
