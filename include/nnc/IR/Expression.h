//===- Expression.h - Writing nn programs as formulas -----------*- C++ -*-===//
//
// An Expr is a value with the place where the ops on it are built, so that a rule of
// differentiation or a rewrite reads as the formula it is: `d * (1 - square(y))`.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_EXPRESSION_H
#define NNC_IR_EXPRESSION_H

#include "nnc/IR/Inference.h"

namespace nnc {

struct Expr;

/// Where ops are built.
struct Place {
  mlir::OpBuilder &builder;
  mlir::Location loc;

  inline Expr operator()(mlir::Value value) const;
};

struct Expr {
  const Place *place = nullptr;
  mlir::Value value;

  Shape shape() const { return getShape(value); }
  int64_t rank() const { return mlir::cast<mlir::RankedTensorType>(value.getType()).getRank(); }
  mlir::Type elementType() const { return getElementType(value); }
};

Expr Place::operator()(mlir::Value value) const { return {this, value}; }

//===-- Building ops ------------------------------------------------------===//

template <typename OpTy>
Expr apply(llvm::ArrayRef<Expr> operands, llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
  llvm::SmallVector<mlir::Value> values;
  for (Expr operand : operands)
    values.push_back(operand.value);
  const Place *place = operands.front().place;
  return {place, create<OpTy>(place->builder, place->loc, values, attributes)};
}

/// `number` as a scalar of the element type of `like`.
Expr scalar(Expr like, double number);
/// A tensor of the type of `like`, zero everywhere.
Expr zerosLike(Expr like);

inline Expr operator+(Expr x, Expr y) { return apply<nn::AddOp>({x, y}); }
inline Expr operator-(Expr x, Expr y) { return apply<nn::SubOp>({x, y}); }
inline Expr operator*(Expr x, Expr y) { return apply<nn::MulOp>({x, y}); }
inline Expr operator/(Expr x, Expr y) { return apply<nn::DivOp>({x, y}); }
inline Expr operator-(Expr x) { return apply<nn::NegOp>({x}); }
inline Expr operator+(Expr x, double y) { return x + scalar(x, y); }
inline Expr operator-(Expr x, double y) { return x - scalar(x, y); }
inline Expr operator*(double x, Expr y) { return scalar(y, x) * y; }
inline Expr operator-(double x, Expr y) { return scalar(y, x) - y; }

inline Expr abs(Expr x) { return apply<nn::AbsOp>({x}); }
inline Expr square(Expr x) { return apply<nn::SquareOp>({x}); }
inline Expr sign(Expr x) { return apply<nn::SignOp>({x}); }
inline Expr exp(Expr x) { return apply<nn::ExpOp>({x}); }
inline Expr log(Expr x) { return apply<nn::LogOp>({x}); }
inline Expr sin(Expr x) { return apply<nn::SinOp>({x}); }
inline Expr cos(Expr x) { return apply<nn::CosOp>({x}); }
inline Expr sigmoid(Expr x) { return apply<nn::SigmoidOp>({x}); }
inline Expr pow(Expr x, Expr y) { return apply<nn::PowOp>({x, y}); }
inline Expr floorDivide(Expr x, Expr y) { return apply<nn::FloorDivideOp>({x, y}); }
inline Expr equal(Expr x, Expr y) { return apply<nn::EqualOp>({x, y}); }
inline Expr equal(Expr x, double y) { return equal(x, scalar(x, y)); }
inline Expr greater(Expr x, Expr y) { return apply<nn::GreaterOp>({x, y}); }
inline Expr greater(Expr x, double y) { return greater(x, scalar(x, y)); }
inline Expr less(Expr x, Expr y) { return apply<nn::LessOp>({x, y}); }
inline Expr less(Expr x, double y) { return less(x, scalar(x, y)); }
inline Expr where(Expr c, Expr x, Expr y) { return apply<nn::WhereOp>({c, x, y}); }
inline Expr where(Expr c, Expr x, double y) { return where(c, x, scalar(x, y)); }
inline Expr where(Expr c, double x, Expr y) { return where(c, scalar(y, x), y); }
inline Expr matmul(Expr x, Expr y) { return apply<nn::MatmulOp>({x, y}); }

Expr cast(Expr x, mlir::Type elementType);
Expr sum(Expr x, llvm::ArrayRef<int64_t> axes, bool keepdims);
Expr prod(Expr x, llvm::ArrayRef<int64_t> axes, bool keepdims);
Expr max(Expr x, llvm::ArrayRef<int64_t> axes, bool keepdims);
/// A tensor of `shape` and of the element type of `like` that counts along `axis`.
Expr iotaLike(Expr like, llvm::ArrayRef<Dim> shape, int64_t axis);
/// The number of elements along `axes` with the element type of `x`.
Expr countAlong(Expr x, llvm::ArrayRef<int64_t> axes);
/// `x` itself if it has that shape.
Expr reshape(Expr x, llvm::ArrayRef<Dim> shape);
Expr broadcastTo(Expr x, llvm::ArrayRef<Dim> shape);
Expr expandDims(Expr x, llvm::ArrayRef<int64_t> axes);
Expr transpose(Expr x, llvm::ArrayRef<int64_t> permutation);
Expr slice(Expr x, llvm::ArrayRef<Dim> starts, llvm::ArrayRef<Dim> stops,
           llvm::ArrayRef<int64_t> steps);
Expr sliceUpdate(Expr x, Expr update, llvm::ArrayRef<Dim> starts, llvm::ArrayRef<Dim> stops,
                 llvm::ArrayRef<int64_t> steps);
Expr gather(Expr x, Expr indices, int64_t axis);
Expr scatterAdd(Expr x, Expr indices, Expr updates, int64_t axis);
Expr reverse(Expr x, llvm::ArrayRef<int64_t> axes);

/// The place of `op` in the source, without the name of its result.
mlir::Location getUnnamedLoc(mlir::Operation *op);

/// The adjoint of broadcasting: sums `gradient` over the axes along which `like` was repeated, so
/// that it gets the shape of `like`.
Expr unbroadcast(Expr gradient, Expr like);

} // namespace nnc

#endif // NNC_IR_EXPRESSION_H
