//===- BandMask.cpp - Masks that are true in a band around the diagonal ---===//
#include "BandMask.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace nnc {
namespace {

/// An iteration of a loop, and so much more.
struct Place {
  unsigned loop;
  int64_t more;
};

std::optional<Place> matchPlace(Value value) {
  if (auto cast = value.getDefiningOp<arith::IndexCastOp>())
    return matchPlace(cast.getIn());
  if (auto index = value.getDefiningOp<linalg::IndexOp>())
    return Place{unsigned(index.getDim()), 0};
  Operation *op = value.getDefiningOp();
  APInt constant;
  if (!isa_and_nonnull<arith::AddIOp, arith::SubIOp>(op) ||
      !matchPattern(op->getOperand(1), m_ConstantInt(&constant)))
    return std::nullopt;
  std::optional<Place> place = matchPlace(op->getOperand(0));
  if (place)
    place->more += (isa<arith::AddIOp>(op) ? 1 : -1) * constant.getSExtValue();
  return place;
}

} // namespace

bool BandMask::addCondition(Value condition) {
  if (auto extension = condition.getDefiningOp<arith::ExtUIOp>())
    return addCondition(extension.getIn());
  if (auto both = condition.getDefiningOp<arith::AndIOp>())
    return addCondition(both.getLhs()) && addCondition(both.getRhs());
  auto comparison = condition.getDefiningOp<arith::CmpIOp>();
  if (!comparison)
    return false;
  std::optional<Place> left = matchPlace(comparison.getLhs()),
                       right = matchPlace(comparison.getRhs());
  if (!left || !right || left->loop == right->loop)
    return false;
  if (places.empty())
    places = {left->loop, right->loop};
  if (!llvm::is_contained(places, left->loop) || !llvm::is_contained(places, right->loop))
    return false;
  using Predicate = arith::CmpIPredicate;
  Predicate predicate = comparison.getPredicate();
  bool isLess = predicate == Predicate::slt || predicate == Predicate::sle;
  if (!isLess && predicate != Predicate::sgt && predicate != Predicate::sge)
    return false;
  // left - right <= bound, or >= bound.
  int64_t bound = right->more - left->more;
  if (predicate == Predicate::slt)
    --bound;
  if (predicate == Predicate::sgt)
    ++bound;
  if (left->loop != places[0]) {
    isLess = !isLess;
    bound = -bound;
  }
  if (isLess)
    most = std::min(bound, most.value_or(bound));
  else
    least = std::max(bound, least.value_or(bound));
  return true;
}

std::optional<BandMask> BandMask::match(linalg::GenericOp op) {
  BandMask mask;
  if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() != 0 ||
      !mask.addCondition(op.getBody()->getTerminator()->getOperand(0)))
    return std::nullopt;
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!map.isPermutation())
    return std::nullopt;
  for (unsigned &place : mask.places)
    place = *map.getResultPosition(getAffineDimExpr(place, op.getContext()));
  return mask;
}

Value BandMask::compare(OpBuilder &b, Location loc, ArrayRef<Value> at) const {
  using Predicate = arith::CmpIPredicate;
  Value difference = arith::SubIOp::create(b, loc, at[0], at[1]), result;
  auto require = [&](Predicate predicate, std::optional<int64_t> bound) {
    if (!bound)
      return;
    Value constant = arith::ConstantOp::create(b, loc, b.getIntegerAttr(at[0].getType(), *bound));
    Value holds = arith::CmpIOp::create(b, loc, predicate, difference, constant);
    result = result ? arith::AndIOp::create(b, loc, result, holds).getResult() : holds;
  };
  require(Predicate::sle, most);
  require(Predicate::sge, least);
  return result;
}

void BandMask::replaceInput(RewriterBase &b, linalg::GenericOp op, unsigned input,
                            function_ref<Value(unsigned)> placeOf) const {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  BlockArgument read = op.getBody()->getArgument(input);
  SmallVector<Value> at = llvm::map_to_vector(places, placeOf);
  Value holds = compare(b, op.getLoc(), at);
  if (read.getType() != holds.getType())
    holds = arith::ExtUIOp::create(b, op.getLoc(), read.getType(), holds);
  read.replaceAllUsesWith(holds);
  op.getBody()->eraseArgument(input);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps.erase(maps.begin() + input);
  Operation *view = op.getInputs()[input].getDefiningOp();
  op.getInputsMutable().erase(input);
  op.setIndexingMapsAttr(b.getAffineMapArrayAttr(maps));
  if (view && view->use_empty() && !isa<memref::AllocOp>(view))
    b.eraseOp(view);
}

Band BandMask::bandOf(unsigned rowAxis) const {
  Band band;
  if (rowAxis == places[1]) {
    band.from = least;
    if (most)
      band.until = *most + 1;
    return band;
  }
  if (most)
    band.from = -*most;
  if (least)
    band.until = 1 - *least;
  return band;
}

} // namespace nnc
