//===- ElementBuilder.h - Arithmetic on one element -------------*- C++ -*-===//
//
// Chooses the arith operation for the kind of number at hand, so that a formula is written once
// for floats, signed and unsigned integers.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_ELEMENTBUILDER_H
#define NNC_LIB_CODEGEN_ELEMENTBUILDER_H

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace nnc {

struct ElementBuilder {
  using Value = mlir::Value;
  using Float = mlir::arith::CmpFPredicate;
  using Integer = mlir::arith::CmpIPredicate;

  mlir::OpBuilder &builder;
  mlir::Location loc;
  /// As nn has it.
  mlir::Type elementType;

  bool isFloat() const { return llvm::isa<mlir::FloatType>(elementType); }
  /// A bool orders as 0 and 1.
  bool isUnsignedNumber() const { return isUnsigned(elementType) || elementType.isInteger(1); }

  template <typename OpTy, typename... Args> Value make(Args &&...args) {
    return OpTy::create(builder, loc, std::forward<Args>(args)...);
  }
  Value constant(double value) { return constantElement(builder, loc, value, elementType); }

  Value add(Value x, Value y) {
    return isFloat() ? make<mlir::arith::AddFOp>(x, y) : make<mlir::arith::AddIOp>(x, y);
  }
  Value sub(Value x, Value y) {
    return isFloat() ? make<mlir::arith::SubFOp>(x, y) : make<mlir::arith::SubIOp>(x, y);
  }
  Value mul(Value x, Value y) {
    return isFloat() ? make<mlir::arith::MulFOp>(x, y) : make<mlir::arith::MulIOp>(x, y);
  }
  /// NaN if either is; of zeros either one, as to order them by their signs would take twice the instructions.
  Value maximum(Value x, Value y) {
    if (isFloat())
      return make<mlir::arith::MaximumFOp>(x, y, mlir::arith::FastMathFlags::nsz);
    return isUnsignedNumber() ? make<mlir::arith::MaxUIOp>(x, y) : make<mlir::arith::MaxSIOp>(x, y);
  }
  Value minimum(Value x, Value y) {
    if (isFloat())
      return make<mlir::arith::MinimumFOp>(x, y, mlir::arith::FastMathFlags::nsz);
    return isUnsignedNumber() ? make<mlir::arith::MinUIOp>(x, y) : make<mlir::arith::MinSIOp>(x, y);
  }
  /// False if either is NaN.
  Value less(Value x, Value y) { return compare(Float::OLT, Integer::slt, Integer::ult, x, y); }
  Value lessEqual(Value x, Value y) {
    return compare(Float::OLE, Integer::sle, Integer::ule, x, y);
  }
  Value equal(Value x, Value y) { return compare(Float::OEQ, Integer::eq, Integer::eq, x, y); }
  Value notEqual(Value x, Value y) { return compare(Float::UNE, Integer::ne, Integer::ne, x, y); }
  Value isNaN(Value x) { return make<mlir::arith::CmpFOp>(Float::UNO, x, x); }

  Value select(Value condition, Value x, Value y) {
    return make<mlir::arith::SelectOp>(condition, x, y);
  }
  Value logicalAnd(Value x, Value y) { return make<mlir::arith::AndIOp>(x, y); }
  Value logicalOr(Value x, Value y) { return make<mlir::arith::OrIOp>(x, y); }
  Value logicalXor(Value x, Value y) { return make<mlir::arith::XOrIOp>(x, y); }

private:
  Value compare(Float onFloats, Integer onSigned, Integer onUnsigned, Value x, Value y) {
    if (isFloat())
      return make<mlir::arith::CmpFOp>(onFloats, x, y);
    return make<mlir::arith::CmpIOp>(isUnsignedNumber() ? onUnsigned : onSigned, x, y);
  }
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_ELEMENTBUILDER_H
