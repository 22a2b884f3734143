//===- LowerEinsum.cpp - Sums of products by an equation ------------------===//
//
// Two operands at a time, from left to right: one linalg.generic whose loops are the letters, those
// of the result first. What later operands and the result do not have is summed at once.
//
//===----------------------------------------------------------------------===//
#include "ElementBuilder.h"

#include "nnc/IR/Einsum.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace nnc {
namespace {

/// A tensor with a letter for each axis.
struct Factor {
  Value tensor;
  std::string labels;
  Shape shape;
  /// As nn has it.
  Type elementType;
};

class Contraction {
public:
  Contraction(OpBuilder &builder, Location loc, const Lowering &lowering,
              const std::map<char, Dim> &sizes)
      : builder(builder), loc(loc), lowering(lowering), sizes(sizes) {}

  /// The product of `factors` with the axes `result`, distinct letters, in the type that they are
  /// computed in.
  Factor multiply(ArrayRef<Factor> factors, const std::string &result) const;
  /// `factor` with the axes `labels`, some of which stand twice, and zero off their diagonals.
  Value placeOnDiagonals(const Factor &factor, StringRef labels) const;

private:
  AffineMap readMap(const Factor &factor, StringRef loops) const;

  OpBuilder &builder;
  Location loc;
  const Lowering &lowering;
  const std::map<char, Dim> &sizes;
};

/// An axis of size one repeats along its loop.
AffineMap Contraction::readMap(const Factor &factor, StringRef loops) const {
  SmallVector<AffineExpr> exprs;
  for (auto [label, size] : llvm::zip_equal(factor.labels, factor.shape)) {
    bool repeats = size == Dim(1) && sizes.at(label) != Dim(1);
    exprs.push_back(repeats ? builder.getAffineConstantExpr(0)
                            : builder.getAffineDimExpr(loops.find(label)));
  }
  return AffineMap::get(loops.size(), 0, exprs, builder.getContext());
}

Factor Contraction::multiply(ArrayRef<Factor> factors, const std::string &result) const {
  std::string loops = result;
  for (const Factor &factor : factors)
    loops += factor.labels;
  loops = distinctLabels(loops);
  Type elementType = factors.front().elementType, computed = computeType(elementType);
  bool sums = loops.size() > result.size();
  Shape shape;
  for (char label : result)
    shape.push_back(sizes.at(label));
  SmallVector<Read> reads;
  for (const Factor &factor : factors)
    reads.push_back({factor.tensor, readMap(factor, loops), factor.elementType});
  SmallVector<unsigned> summed;
  SmallVector<utils::IteratorType> iterators(loops.size(), utils::IteratorType::parallel);
  for (size_t loop = result.size(); loop < loops.size(); ++loop) {
    iterators[loop] = utils::IteratorType::reduction;
    summed.push_back(loop);
  }
  Value init =
      sums ? lowering.fill(builder, loc, shape, constantElement(builder, loc, 0, elementType))
           : lowering.empty(builder, loc, shape, computed);
  SmallVector<AffineExpr> written;
  for (size_t loop = 0; loop < result.size(); ++loop)
    written.push_back(builder.getAffineDimExpr(loop));
  AffineMap write = AffineMap::get(loops.size(), 0, written, builder.getContext());
  Operation *generic = createGeneric(
      builder, loc, reads, Write{init, write}, iterators, summed,
      [&](OpBuilder &inner, Location innerLoc, ValueRange inputs, ValueRange outputs) {
        ElementBuilder b{inner, innerLoc, elementType};
        Value product = inputs.front();
        for (Value input : inputs.drop_front())
          product = b.mul(product, input);
        return SmallVector<Value>{sums ? b.add(outputs[0], product) : product};
      });
  bool isNarrow = computed != storageType(elementType);
  return {generic->getResult(0), result, shape, isNarrow ? computed : elementType};
}

Value Contraction::placeOnDiagonals(const Factor &factor, StringRef labels) const {
  Shape shape;
  for (char label : labels)
    shape.push_back(sizes.at(label));
  Read read{factor.tensor, readMap(factor, labels), factor.elementType};
  Write write{lowering.empty(builder, loc, shape, computeType(factor.elementType)),
              builder.getMultiDimIdentityMap(labels.size())};
  SmallVector<utils::IteratorType> iterators(labels.size(), utils::IteratorType::parallel);
  Operation *generic =
      createGeneric(builder, loc, read, write, iterators, {},
                    [&](OpBuilder &inner, Location innerLoc, ValueRange inputs, ValueRange) {
                      ElementBuilder b{inner, innerLoc, factor.elementType};
                      Value result = inputs[0];
                      for (auto [loop, label] : llvm::enumerate(labels))
                        if (size_t first = labels.find(label); first != loop) {
                          Value isHere = b.make<arith::CmpIOp>(
                              arith::CmpIPredicate::eq, b.make<linalg::IndexOp>(int64_t(first)),
                              b.make<linalg::IndexOp>(int64_t(loop)));
                          result = b.select(isHere, result, b.constant(0));
                        }
                      return SmallVector<Value>{result};
                    });
  return generic->getResult(0);
}

struct LowerEinsum : LowerPattern<nn::EinsumOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::EinsumOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Einsum equation = readEinsum(op);
    Type elementType = getElementType(op.getZ());
    Contraction contraction(rewriter, loc, lowering, equation.sizes);
    SmallVector<Factor> factors;
    for (auto [original, input, labels] :
         llvm::zip_equal(op.getInputs(), adaptor.getInputs(), equation.operands))
      factors.push_back({input, labels, getShape(original), elementType});

    std::string distinct = distinctLabels(equation.result);
    while (factors.size() > 2) {
      // What stays of the first two is what anything else has.
      std::string later = equation.result, kept;
      for (const Factor &factor : ArrayRef(factors).drop_front(2))
        later += factor.labels;
      for (char label : distinctLabels(factors[0].labels + factors[1].labels))
        if (StringRef(later).contains(label))
          kept += label;
      Factor product = contraction.multiply(ArrayRef(factors).take_front(2), kept);
      factors.erase(factors.begin());
      factors.front() = std::move(product);
    }
    Factor product = contraction.multiply(factors, distinct);
    Value result = product.tensor;
    if (distinct != equation.result)
      result = contraction.placeOnDiagonals(product, equation.result);
    rewriter.replaceOp(
        op, lowering.storeComputed(rewriter, loc, result, getShape(op.getZ()), elementType));
    return success();
  }
};

} // namespace

void populateEinsumLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerEinsum>(lowering, patterns.getContext());
}

} // namespace nnc
