//===- LowerOrder.cpp - Cumulative sums and sorting -----------------------===//
//
// Loops over the rows along the axis. A sum is carried along its row. A row is sorted by merging
// ever longer runs of its indices, from one buffer into another and back: stable, n log n, and
// without a branch in the inner loop.
//
//===----------------------------------------------------------------------===//
#include "ElementBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {
namespace {

using Values = SmallVector<Value>;
using LoopBody = llvm::function_ref<Values(OpBuilder &, Location, Value index, ValueRange carried)>;

Value indexConstant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

/// Runs `body` for 0 … count-1; what it returns is carried on.
Values forEach(OpBuilder &builder, Location loc, Value count, ValueRange carried, LoopBody body) {
  auto loop = scf::ForOp::create(
      builder, loc, indexConstant(builder, loc, 0), count, indexConstant(builder, loc, 1), carried,
      [&](OpBuilder &inner, Location innerLoc, Value index, ValueRange values) {
        scf::YieldOp::create(inner, innerLoc, body(inner, innerLoc, index, values));
      });
  return llvm::to_vector_of<Value>(loop.getResults());
}

/// The rows of a tensor along one axis.
struct Rows {
  Shape shape;
  int64_t axis;
  const Lowering &lowering;

  Value length(OpBuilder &builder, Location loc) const {
    return lowering.size(builder, loc, shape[axis]);
  }

  /// Runs `body` for each index of the other axes, which `place` is; what it returns is carried on.
  Values forEachRow(
      OpBuilder &builder, Location loc, ValueRange carried,
      llvm::function_ref<Values(OpBuilder &, Location, ArrayRef<Value> place, ValueRange carried)>
          body,
      Values place = {}) const {
    int64_t dim = place.size() + (int64_t(place.size()) >= axis);
    if (dim >= int64_t(shape.size()))
      return body(builder, loc, place, carried);
    return forEach(builder, loc, lowering.size(builder, loc, shape[dim]), carried,
                   [&](OpBuilder &inner, Location innerLoc, Value index, ValueRange values) {
                     Values next = place;
                     next.push_back(index);
                     return forEachRow(inner, innerLoc, values, body, next);
                   });
  }

  /// The index of element `position` of the row at `place`.
  Values at(ArrayRef<Value> place, Value position) const {
    Values index(place);
    index.insert(index.begin() + axis, position);
    return index;
  }
};

struct LowerCumsum : LowerPattern<nn::CumsumOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::CumsumOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type elementType = getElementType(op.getX());
    Shape shape = getShape(op.getX());
    Rows rows{shape, normalizedAxis(op.getAxis(), shape.size()), lowering};
    Value length = rows.length(rewriter, loc);
    Value last = arith::SubIOp::create(rewriter, loc, length, indexConstant(rewriter, loc, 1));
    Value zero = constantElement(rewriter, loc, 0, elementType);
    Value result = lowering.empty(rewriter, loc, shape, storageType(elementType));

    auto sumRow = [&](OpBuilder &builder, Location rowLoc, ArrayRef<Value> place,
                      ValueRange carried) {
      Values start = {carried[0], zero};
      Values end =
          forEach(builder, rowLoc, length, start,
                  [&](OpBuilder &inner, Location innerLoc, Value index, ValueRange values) {
                    ElementBuilder b{inner, innerLoc, elementType};
                    Value position = op.getReverse() ? b.make<arith::SubIOp>(last, index) : index;
                    Values at = rows.at(place, position);
                    Value stored = b.make<tensor::ExtractOp>(adaptor.getX(), at);
                    Value sum = b.add(values[1], loadElement(inner, innerLoc, stored, elementType));
                    Value here = storeElement(inner, innerLoc, op.getExclusive() ? values[1] : sum,
                                              elementType);
                    return Values{b.make<tensor::InsertOp>(here, values[0], at), sum};
                  });
      return Values{end[0]};
    };
    rewriter.replaceOp(op, rows.forEachRow(rewriter, loc, result, sumRow));
    return success();
  }
};

/// Sorts the indices of the rows of `x`.
class Sorter {
public:
  Sorter(Value x, Type elementType, const Rows &rows, bool descending)
      : x(x), elementType(elementType), rows(rows), descending(descending) {}

  /// The sorted indices of the row at `place`, in the first of `buffers`.
  Values sortRow(OpBuilder &builder, Location loc, ArrayRef<Value> place, ValueRange buffers) const;

private:
  Value countPasses(OpBuilder &builder, Location loc) const;
  Value merge(OpBuilder &builder, Location loc, ArrayRef<Value> place, Value from, Value to,
              Value width) const;
  Value comesBefore(ElementBuilder &b, Value left, Value right) const;

  Value x;
  Type elementType;
  const Rows &rows;
  bool descending;
};

/// NaN is greater than any number.
Value Sorter::comesBefore(ElementBuilder &b, Value left, Value right) const {
  if (descending)
    std::swap(left, right);
  Value less = b.less(left, right);
  if (!b.isFloat())
    return less;
  Value isOrdered = b.make<arith::CmpFOp>(arith::CmpFPredicate::ORD, left, left);
  return b.logicalOr(less, b.logicalAnd(b.isNaN(right), isOrdered));
}

/// Half the number of times that runs double until they are as long as the row, rounded up.
Value Sorter::countPasses(OpBuilder &builder, Location loc) const {
  const Dim &length = rows.shape[rows.axis];
  if (length.isConstant())
    return indexConstant(builder, loc,
                         (llvm::Log2_64_Ceil(std::max<int64_t>(length.constant(), 1)) + 1) / 2);
  ElementBuilder b{builder, loc, builder.getI64Type()};
  Value size = b.make<arith::IndexCastOp>(builder.getI64Type(), rows.length(builder, loc));
  Value zeros = b.make<math::CountLeadingZerosOp>(b.sub(size, b.constant(1)));
  Value half = b.make<arith::ShRUIOp>(b.sub(b.constant(65), zeros), b.constant(1));
  return b.make<arith::IndexCastOp>(builder.getIndexType(), half);
}

/// Merges pairs of sorted runs of `width` indices.
Value Sorter::merge(OpBuilder &builder, Location loc, ArrayRef<Value> place, Value from, Value to,
                    Value width) const {
  Value length = rows.length(builder, loc), zero = indexConstant(builder, loc, 0),
        one = indexConstant(builder, loc, 1);
  Value last = arith::SubIOp::create(builder, loc, length, one);
  Value pair = arith::ShLIOp::create(builder, loc, width, one);
  auto step = [&](OpBuilder &inner, Location innerLoc, Value index, ValueRange carried) {
    ElementBuilder b{inner, innerLoc, elementType};
    auto isBelow = [&](Value left, Value right) {
      return b.make<arith::CmpIOp>(arith::CmpIPredicate::ult, left, right);
    };
    auto least = [&](Value left, Value right) { return b.make<arith::MinUIOp>(left, right); };
    Value start = b.make<arith::SubIOp>(index, b.make<arith::RemUIOp>(index, pair));
    Value middle = least(b.make<arith::AddIOp>(start, width), length);
    Value end = least(b.make<arith::AddIOp>(start, pair), length);
    Value begins = b.make<arith::CmpIOp>(arith::CmpIPredicate::eq, index, start);
    Value left = b.select(begins, start, carried[1]), right = b.select(begins, middle, carried[2]);
    // Where a run is used up, what is read of it does not matter.
    Value leftIndex = b.make<tensor::ExtractOp>(from, least(left, last));
    Value rightIndex = b.make<tensor::ExtractOp>(from, least(right, last));
    auto element = [&](Value number) {
      Value position = b.make<arith::IndexCastOp>(inner.getIndexType(), number);
      Value stored = b.make<tensor::ExtractOp>(x, rows.at(place, position));
      return loadElement(inner, innerLoc, stored, elementType);
    };
    Value isBefore = comesBefore(b, element(rightIndex), element(leftIndex));
    Value noLeft = b.make<arith::CmpIOp>(arith::CmpIPredicate::uge, left, middle);
    Value takesRight = b.logicalOr(noLeft, b.logicalAnd(isBelow(right, end), isBefore));
    Value next =
        b.make<tensor::InsertOp>(b.select(takesRight, rightIndex, leftIndex), carried[0], index);
    return Values{next, b.make<arith::AddIOp>(left, b.select(takesRight, zero, one)),
                  b.make<arith::AddIOp>(right, b.select(takesRight, one, zero))};
  };
  return forEach(builder, loc, length, Values{to, zero, zero}, step)[0];
}

Values Sorter::sortRow(OpBuilder &builder, Location loc, ArrayRef<Value> place,
                       ValueRange buffers) const {
  Values numbered =
      forEach(builder, loc, rows.length(builder, loc), buffers[0],
              [&](OpBuilder &inner, Location innerLoc, Value index, ValueRange carried) {
                Value number =
                    arith::IndexCastOp::create(inner, innerLoc, inner.getI64Type(), index);
                return Values{tensor::InsertOp::create(inner, innerLoc, number, carried[0], index)};
              });
  return forEach(builder, loc, countPasses(builder, loc), Values{numbered[0], buffers[1]},
                 [&](OpBuilder &inner, Location innerLoc, Value pass, ValueRange carried) {
                   Value one = indexConstant(inner, innerLoc, 1);
                   Value doublings = arith::ShLIOp::create(inner, innerLoc, pass, one);
                   Value width = arith::ShLIOp::create(inner, innerLoc, one, doublings);
                   Value twice = arith::ShLIOp::create(inner, innerLoc, width, one);
                   Value there = merge(inner, innerLoc, place, carried[0], carried[1], width);
                   Value back = merge(inner, innerLoc, place, there, carried[0], twice);
                   return Values{back, there};
                 });
}

/// sort, argsort.
template <typename OpTy> struct LowerSort : LowerPattern<OpTy> {
  using LowerPattern<OpTy>::LowerPattern;

  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    const Lowering &lowering = this->lowering;
    Shape shape = getShape(op.getX());
    Rows rows{shape, normalizedAxis(op.getAxis(), shape.size()), lowering};
    Sorter sorter(adaptor.getX(), getElementType(op.getX()), rows, op.getDescending());
    auto buffer = [&] {
      return lowering.empty(rewriter, loc, shape[rows.axis], rewriter.getI64Type());
    };
    Value result = lowering.empty(rewriter, loc, shape, storageType(getElementType(op.getY())));
    auto sortRow = [&](OpBuilder &builder, Location rowLoc, ArrayRef<Value> place,
                       ValueRange carried) {
      Values sorted = sorter.sortRow(builder, rowLoc, place, carried.drop_front());
      Values written =
          forEach(builder, rowLoc, rows.length(builder, rowLoc), carried[0],
                  [&](OpBuilder &inner, Location innerLoc, Value index, ValueRange values) {
                    Value chosen = tensor::ExtractOp::create(inner, innerLoc, sorted[0], index);
                    if (std::is_same_v<OpTy, nn::SortOp>) {
                      Value position =
                          arith::IndexCastOp::create(inner, innerLoc, inner.getIndexType(), chosen);
                      chosen = tensor::ExtractOp::create(inner, innerLoc, adaptor.getX(),
                                                         rows.at(place, position));
                    }
                    return Values{tensor::InsertOp::create(inner, innerLoc, chosen, values[0],
                                                           rows.at(place, index))};
                  });
      return Values{written[0], sorted[0], sorted[1]};
    };
    Values results = rows.forEachRow(rewriter, loc, Values{result, buffer(), buffer()}, sortRow);
    rewriter.replaceOp(op, results[0]);
    return success();
  }
};

} // namespace

void populateOrderLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerCumsum, LowerSort<nn::SortOp>, LowerSort<nn::ArgsortOp>>(lowering,
                                                                             patterns.getContext());
}

} // namespace nnc
