//===- WindowContraction.cpp - Sums of products over windows --------------===//
#include "WindowContraction.h"

#include "CPU/KernelBody.h"
#include "CPU/KernelPlan.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nnc {
namespace {

/// The two inputs whose products `op` sums; none if it sums anything else.
std::optional<std::pair<OpOperand *, OpOperand *>> findFactors(linalg::GenericOp op) {
  SmallVector<OpOperand *> inputs = repeatedInputs(op);
  SmallVector<Operation *> body = repeatedBody(op);
  if (countAccumulators(op) != 1 || inputs.size() != 2 || body.size() != 2)
    return std::nullopt;
  auto sum = dyn_cast_if_present<arith::AddFOp>(findCombiner(op, 0));
  auto product = dyn_cast<arith::MulFOp>(body.front());
  if (!sum || !product || (sum.getLhs() != product && sum.getRhs() != product))
    return std::nullopt;
  Value first = op.getMatchingBlockArgument(inputs[0]),
        second = op.getMatchingBlockArgument(inputs[1]);
  bool multipliesBoth = (product.getLhs() == first && product.getRhs() == second) ||
                        (product.getLhs() == second && product.getRhs() == first);
  return multipliesBoth ? std::optional(std::pair(inputs[0], inputs[1])) : std::nullopt;
}

/// Whether each axis of an operand that lies as `map` says is a loop of its own.
bool isPlain(AffineMap map) { return map.isProjectedPermutation(); }

class Matcher {
public:
  explicit Matcher(linalg::GenericOp op) : maps(op.getIndexingMapsArray()) {
    result.op = op;
    result.sizes = op.getStaticLoopRanges();
  }

  std::optional<WindowContraction> match();

private:
  AffineMap mapOf(OpOperand *operand) { return maps[operand->getOperandNumber()]; }
  bool isIn(OpOperand *operand, unsigned loop) { return mapOf(operand).isFunctionOfDim(loop); }
  bool matchAxes();
  bool matchAxis(AffineExpr expr);
  bool assignRoles(OpOperand *other, OpOperand *output);
  bool assignLoops();

  SmallVector<AffineMap> maps;
  WindowContraction result;
};

/// Takes an axis of x that is read at `expr` for one along which windows move; false if they move in another way.
bool Matcher::matchAxis(AffineExpr expr) {
  AffineMap map = mapOf(result.x);
  SmallVector<int64_t> terms;
  if (failed(getFlattenedAffineExpr(expr, map.getNumDims(), map.getNumSymbols(), &terms)) ||
      terms.size() != map.getNumDims() + 1)
    return false;
  SmallVector<unsigned> loops;
  for (unsigned loop = 0; loop < map.getNumDims(); ++loop)
    if (terms[loop] != 0)
      loops.push_back(loop);
  if (loops.size() != 2)
    return false;
  auto [pixel, tap] = std::pair(loops[0], loops[1]);
  if (result.size(pixel) < result.size(tap))
    std::swap(pixel, tap);
  if (terms[pixel] != 1 || std::abs(terms[tap]) != 1 || ShapedType::isDynamic(result.size(pixel)) ||
      ShapedType::isDynamic(result.size(tap)))
    return false;
  result.axes.push_back(
      {pixel, tap, result.size(pixel), result.size(tap), terms[tap] < 0, terms.back()});
  return true;
}

bool Matcher::matchAxes() {
  for (AffineExpr expr : mapOf(result.x).getResults())
    if (!isa<AffineDimExpr>(expr) && !matchAxis(expr))
      return false;
  return !result.axes.empty();
}

/// Finds out which of the other two has the shape of filters.
bool Matcher::assignRoles(OpOperand *other, OpOperand *output) {
  if (!isPlain(mapOf(other)) || !isPlain(mapOf(output)))
    return false;
  bool otherHasTaps = isIn(other, result.axes.front().tap);
  result.filters = otherHasTaps ? other : output;
  result.pixels = otherHasTaps ? output : other;
  return llvm::all_of(result.axes, [&](const WindowLoops &axis) {
    return isIn(result.filters, axis.tap) && !isIn(result.filters, axis.pixel) &&
           isIn(result.pixels, axis.pixel) && !isIn(result.pixels, axis.tap);
  });
}

/// Finds the loop over what two of the operands have and the third has not, for each two.
bool Matcher::assignLoops() {
  std::optional<unsigned> image, channel, filter;
  for (unsigned loop = 0; loop < result.sizes.size(); ++loop) {
    if (llvm::any_of(result.axes, [&](const WindowLoops &axis) {
          return axis.pixel == loop || axis.tap == loop;
        }))
      continue;
    bool inX = isIn(result.x, loop), inFilters = isIn(result.filters, loop),
         inPixels = isIn(result.pixels, loop);
    std::optional<unsigned> &role = !inFilters ? image : !inPixels ? channel : filter;
    if (inX + inFilters + inPixels != 2 || role)
      return false;
    role = loop;
  }
  if (!image || !channel || !filter || ShapedType::isDynamic(result.size(*channel)) ||
      ShapedType::isDynamic(result.size(*filter)))
    return false;
  result.image = *image;
  result.channel = *channel;
  result.filter = *filter;
  return true;
}

std::optional<WindowContraction> Matcher::match() {
  auto factors = findFactors(result.op);
  if (!factors)
    return std::nullopt;
  auto [x, other] = *factors;
  if (isPlain(mapOf(x)))
    std::swap(x, other);
  result.x = x;
  if (isPlain(mapOf(x)) || !matchAxes() || !assignRoles(other, result.op.getDpsInitOperand(0)) ||
      !assignLoops())
    return std::nullopt;
  return result;
}

} // namespace

std::optional<WindowContraction> matchWindowContraction(linalg::GenericOp op) {
  return op.getNumReductionLoops() == 0 ? std::nullopt : Matcher(op).match();
}

} // namespace nnc
