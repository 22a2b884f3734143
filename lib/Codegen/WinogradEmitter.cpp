//===- WinogradEmitter.cpp - Convolutions as products of transformed tiles ===//
//
//   for each block of tiles
//     x'[i, j, image, row, column, channel]         = X tile X^T             16 of the elements of a tile
//     y'[i, j, panel, image, row, column, filter]   = sum over channels of x' * filters'[i, j, panel, channel, filter]
//     y[image, filter, 2 row + 0|1, 2 column + 0|1] = A y' A^T, and what is made of it
//
// For the derivative by the filters the products of x' and the transformed pixels are added up over all blocks.
// Filters go in panels as wide as a kernel's tile, so that it walks through memory from end to end.
//
//===----------------------------------------------------------------------===//
#include "WinogradEmitter.h"

#include "CPU/KernelBody.h"
#include "KernelFills.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace nnc::winograd;

namespace nnc {

WinogradEmitter::WinogradEmitter(IRRewriter &rewriter, const WindowContraction &contraction,
                                 const WinogradBlocks &blocks, int64_t parts, int64_t tileWidth)
    : b(rewriter), window(contraction), loc(window.op.getLoc()), cut(blocks), numParts(parts),
      panelWidth(window.size(window.filter)), sizes(rewriter, loc) {
  if (panelWidth % tileWidth == 0)
    panelWidth = tileWidth;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

namespace {

/// Operands of an operation without sums, and their maps.
struct Operands {
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  void add(Value value, AffineMap map) {
    values.push_back(value);
    maps.push_back(map);
  }
  void add(ArrayRef<Value> several, AffineMap map) {
    for (Value value : several)
      add(value, map);
  }
};

} // namespace

using Body = function_ref<SmallVector<Value>(OpBuilder &, Location, ArrayRef<Value>)>;

/// An operation without sums; `body` makes of the inputs what goes to the outputs.
static void mapElements(OpBuilder &b, Location loc, Operands inputs, const Operands &outputs,
                        Body body) {
  unsigned numInputs = inputs.values.size();
  SmallVector<utils::IteratorType> kinds(inputs.maps.front().getNumDims(),
                                         utils::IteratorType::parallel);
  llvm::append_range(inputs.maps, outputs.maps);
  linalg::GenericOp::create(
      b, loc, inputs.values, outputs.values, inputs.maps, kinds,
      [&](OpBuilder &inner, Location innerLoc, ValueRange arguments) {
        SmallVector<Value> elements = llvm::to_vector(arguments.take_front(numInputs));
        linalg::YieldOp::create(inner, innerLoc, body(inner, innerLoc, elements));
      });
}

/// The filters as their products need them.
Value WinogradEmitter::transformTaps() {
  Value result = allocateFilters();
  AffineMap map = window.op.getMatchingIndexingMap(window.filters);
  Operands inputs, outputs;
  for (int64_t tap = 0; tap < kTaps * kTaps; ++tap) {
    SmallVector<AffineExpr> loops(map.getNumDims(), b.getAffineConstantExpr(0));
    loops[window.channel] = b.getAffineDimExpr(1);
    loops[window.filter] = filterAt(0, 2);
    loops[window.axes[0].tap] = b.getAffineConstantExpr(window.axes[0].tapAt(tap / kTaps));
    loops[window.axes[1].tap] = b.getAffineConstantExpr(window.axes[1].tapAt(tap % kTaps));
    inputs.add(window.filters->get(), map.replaceDimsAndSymbols(loops, {}, 3, 0));
  }
  outputs.add(products(result), b.getMultiDimIdentityMap(3));
  mapElements(b, loc, inputs, outputs, [](OpBuilder &inner, Location at, ArrayRef<Value> taps) {
    return transform(inner, at, tapsMatrix(), tapsMatrix(), taps);
  });
  return result;
}

/// Stores for each tile what `matrix`, of rows and of columns, makes of its size x size elements in `operand`.
void WinogradEmitter::transformTiles(OpOperand *operand, int64_t size, const Block &block,
                                     Value target, function_ref<Matrix(bool)> matrix) {
  for (const Segment &rows : block.rows)
    for (const Segment &columns : wholeAxis(1)) {
      Operands inputs, outputs;
      Value view = viewOf(operand, block, rows, columns);
      for (int64_t place = 0; place < size * size; ++place)
        inputs.add(view, mapOf(operand, place / size, place % size));
      outputs.add(products(target, rows, columns), b.getMultiDimIdentityMap(5));
      mapElements(
          b, loc, inputs, outputs, [&](OpBuilder &inner, Location at, ArrayRef<Value> tile) {
            return transform(inner, at, matrix(rows.skipsFirst), matrix(columns.skipsFirst), tile);
          });
    }
}

void WinogradEmitter::transformInput(const Block &block, Value target) {
  transformTiles(window.x, kTile, block, target, [](bool) { return inputMatrix(); });
}

void WinogradEmitter::transformPixels(const Block &block, Value target) {
  transformTiles(window.pixels, kPixels, block, target, pixelsMatrix);
}

/// products += x * taps, in the one of the two ways that the shapes ask for.
void WinogradEmitter::multiply(Value x, Value taps, Value products) {
  MLIRContext *context = b.getContext();
  AffineExpr i, j, panel, image, row, column, lane, channel;
  bindDims(context, i, j, panel, image, row, column, lane, channel);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(8, 0, exprs, context); };
  AffineMap xMap = map({i, j, b.getAffineConstantExpr(0), image, row, column, channel}),
            pixelMap = map({i, j, panel, image, row, column, lane}),
            tapMap = map({i, j, panel, channel, lane});
  bool sumsPixels = window.sumsPixels();
  SmallVector<utils::IteratorType> kinds(8, utils::IteratorType::parallel);
  for (AffineExpr loop : {image, row, column, channel})
    if ((loop != channel) == sumsPixels)
      kinds[cast<AffineDimExpr>(loop).getPosition()] = utils::IteratorType::reduction;
  linalg::GenericOp::create(b, loc, ValueRange{x, taps}, products,
                            {xMap, sumsPixels ? pixelMap : tapMap, sumsPixels ? tapMap : pixelMap},
                            kinds, [](OpBuilder &inner, Location at, ValueRange arguments) {
                              Value product =
                                  arith::MulFOp::create(inner, at, arguments[0], arguments[1]);
                              Value sum = arith::AddFOp::create(inner, at, arguments[2], product);
                              linalg::YieldOp::create(inner, at, sum);
                            });
}

/// What `op` yields of a complete `sum`, with `elements` of the inputs that only its epilogue reads.
static SmallVector<Value> finishSum(OpBuilder &b, linalg::GenericOp op, Value sum,
                                    const DenseMap<OpOperand *, Value> &elements) {
  IRMapping mapping;
  Operation *yield = op.getBody()->getTerminator();
  mapping.map(yield->getOperand(0), sum);
  for (auto [operand, element] : elements)
    mapping.map(op.getMatchingBlockArgument(operand), element);
  for (Operation *inner : epilogueBody(op))
    b.clone(*inner, mapping);
  SmallVector<Value> results;
  for (Value value : yield->getOperands().drop_front(areSumsUnread(op, 0)))
    results.push_back(mapping.lookupOrDefault(value));
  return results;
}

void WinogradEmitter::storePixels(const Block &block, Value productsOfBlock) {
  linalg::GenericOp op = window.op;
  SmallVector<OpOperand *> extraInputs = op.getDpsInputOperands();
  llvm::erase_if(extraInputs,
                 [&](OpOperand *input) { return input == window.x || input == window.filters; });
  for (const Segment &rows : block.rows)
    for (const Segment &columns : wholeAxis(1)) {
      Operands inputs, outputs;
      inputs.add(products(productsOfBlock, rows, columns), b.getMultiDimIdentityMap(5));
      for (int64_t row = rows.skipsFirst; row < kPixels; ++row)
        for (int64_t column = columns.skipsFirst; column < kPixels; ++column) {
          for (OpOperand *input : extraInputs)
            inputs.add(viewOf(input, block, rows, columns), mapOf(input, row, column));
          for (OpOperand &output : llvm::drop_begin(op.getDpsInitsMutable(), areSumsUnread(op, 0)))
            outputs.add(viewOf(&output, block, rows, columns), mapOf(&output, row, column));
        }
      mapElements(b, loc, inputs, outputs,
                  [&](OpBuilder &inner, Location at, ArrayRef<Value> elements) {
                    Values results;
                    Values sums = transform(inner, at, toPixelsMatrix(rows.skipsFirst),
                                            toPixelsMatrix(columns.skipsFirst),
                                            elements.take_front(kTile * kTile));
                    elements = elements.drop_front(kTile * kTile);
                    for (Value sum : sums) {
                      DenseMap<OpOperand *, Value> extra;
                      for (OpOperand *input : extraInputs) {
                        extra[input] = elements.front();
                        elements = elements.drop_front();
                      }
                      llvm::append_range(results, finishSum(inner, op, sum, extra));
                    }
                    return results;
                  });
    }
}

Value WinogradEmitter::transformToTaps(Value sums) {
  int64_t channels = window.size(window.channel), filters = window.size(window.filter);
  Value result = allocate({kTaps, kTaps, channels, filters});
  AffineMap map = AffineMap::get(3, 0, {b.getAffineDimExpr(1), filterAt(0, 2)}, b.getContext());
  Operands inputs, outputs;
  inputs.add(products(sums), b.getMultiDimIdentityMap(3));
  SmallVector<Size> extents = memref::getMixedSizes(b, loc, result);
  extents[0] = extents[1] = b.getIndexAttr(1);
  for (int64_t tap = 0; tap < kTaps * kTaps; ++tap)
    outputs.add(slice(result,
                      {b.getIndexAttr(tap / kTaps), b.getIndexAttr(tap % kTaps), b.getIndexAttr(0),
                       b.getIndexAttr(0)},
                      extents, /*dropped=*/2),
                map);
  mapElements(b, loc, inputs, outputs, [](OpBuilder &inner, Location at, ArrayRef<Value> grid) {
    return transform(inner, at, toTapsMatrix(), toTapsMatrix(), grid);
  });
  return result;
}

/// Stores the sums for all taps where the operation has them, and what it makes of them.
void WinogradEmitter::emitRest(Value taps) {
  linalg::GenericOp op = window.op;
  SmallVector<AffineExpr> loops(op.getNumLoops(), b.getAffineConstantExpr(0));
  unsigned numLoops = 0;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::parallel)
      loops[loop] = b.getAffineDimExpr(numLoops++);
  auto inLoops = [&](AffineMap map) { return map.replaceDimsAndSymbols(loops, {}, numLoops, 0); };
  SmallVector<AffineExpr> place;
  for (const WindowLoops &axis : window.axes)
    place.push_back(axis.isFlipped ? kTaps - 1 - loops[axis.tap] : loops[axis.tap]);
  place.append({loops[window.channel], loops[window.filter]});
  Operands inputs, outputs;
  inputs.add(taps, AffineMap::get(numLoops, 0, place, b.getContext()));
  SmallVector<OpOperand *> extraInputs = op.getDpsInputOperands();
  llvm::erase_if(extraInputs,
                 [&](OpOperand *input) { return input == window.x || input == window.pixels; });
  for (OpOperand *input : extraInputs)
    inputs.add(input->get(), inLoops(op.getMatchingIndexingMap(input)));
  for (OpOperand &output : llvm::drop_begin(op.getDpsInitsMutable(), areSumsUnread(op, 0)))
    outputs.add(output.get(), inLoops(op.getMatchingIndexingMap(&output)));
  mapElements(b, loc, inputs, outputs, [&](OpBuilder &inner, Location, ArrayRef<Value> elements) {
    DenseMap<OpOperand *, Value> extra;
    for (auto [input, element] : llvm::zip_equal(extraInputs, elements.drop_front()))
      extra[input] = element;
    return finishSum(inner, op, elements.front(), extra);
  });
}

//===----------------------------------------------------------------------===//
// Loops over blocks
//===----------------------------------------------------------------------===//

/// All tiles along an axis.
SmallVector<WinogradEmitter::Segment> WinogradEmitter::wholeAxis(unsigned axis) {
  int64_t whole = cut.wholeTiles[axis], pixels = cut.pixels[axis];
  SmallVector<Segment> segments = {{b.getIndexAttr(0), 0, whole, false}};
  if (pixels % kPixels != 0)
    segments.push_back({b.getIndexAttr(pixels - kPixels), whole, 1, true});
  return segments;
}

OpFoldResult WinogradEmitter::countImages() {
  AffineMap map = window.op.getMatchingIndexingMap(window.x);
  auto axis = map.getResultPosition(b.getAffineDimExpr(window.image));
  return memref::getMixedSize(b, loc, window.x->get(), *axis);
}

OpFoldResult WinogradEmitter::countBlocks() {
  Size groups = sizes.divideUp(countImages(), sizes.constant(cut.images));
  return sizes.multiply(groups, sizes.constant(cut.wholeTiles[0] / cut.rows));
}

/// Block `number`: of several images, or of some whole rows of tiles.
WinogradEmitter::Block WinogradEmitter::makeBlock(Size number) {
  if (!cut.takesWholeImages()) {
    Size rowBlocks = sizes.constant(cut.wholeTiles[0] / cut.rows);
    Size firstRow = sizes.multiply(sizes.remainder(number, rowBlocks), sizes.constant(cut.rows));
    Size firstPixel = sizes.multiply(firstRow, sizes.constant(kPixels));
    return {sizes.divide(number, rowBlocks), b.getIndexAttr(1), {{firstPixel, 0, cut.rows, false}}};
  }
  Size first = sizes.multiply(number, sizes.constant(cut.images)), images = countImages();
  std::optional<int64_t> known = getConstantIntValue(images);
  bool isEven = cut.images == 1 || (known && *known % cut.images == 0);
  Size here = isEven ? sizes.constant(cut.images)
                     : sizes.atMost(sizes.subtract(images, first), sizes.constant(cut.images));
  return {first, here, wholeAxis(0)};
}

void WinogradEmitter::forRange(Size count, function_ref<void(Value)> body) {
  if (getConstantIntValue(count) == 1)
    return body(sizes.materialize(sizes.constant(0)));
  Value zero = sizes.materialize(sizes.constant(0)), one = sizes.materialize(sizes.constant(1));
  auto loop = scf::ForOp::create(b, loc, zero, sizes.materialize(count), one);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void WinogradEmitter::forBlocks(function_ref<void(Value part, const Block &block)> body,
                                bool inParts) {
  // Each part has as many in a row, the last ones perhaps fewer.
  auto inTurn = [&](Size count, function_ref<Block(Value)> make) {
    if (!inParts || numParts == 1)
      return forRange(count, [&](Value number) { body(Value(), make(number)); });
    Size share = sizes.divideUp(count, sizes.constant(numParts));
    Value zero = sizes.materialize(sizes.constant(0)), one = sizes.materialize(sizes.constant(1));
    Value shareValue = sizes.materialize(share), countValue = sizes.materialize(count);
    auto loop =
        scf::ParallelOp::create(b, loc, zero, sizes.materialize(sizes.constant(numParts)), one);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value part = loop.getInductionVars().front();
    Size begin = sizes.atMost(sizes.multiply(part, shareValue), countValue),
         end = sizes.atMost(sizes.add(begin, shareValue), countValue);
    auto inner = scf::ForOp::create(b, loc, sizes.materialize(begin), sizes.materialize(end), one);
    b.setInsertionPointToStart(inner.getBody());
    body(part, make(inner.getInductionVar()));
  };
  inTurn(countBlocks(), [&](Value number) { return makeBlock(number); });
  if (!cut.takesWholeImages() && cut.pixels[0] % kPixels != 0)
    inTurn(countImages(), [&](Value image) {
      Segment last = wholeAxis(0).back();
      last.firstTile = 0;
      return Block{image, b.getIndexAttr(1), {last}};
    });
}

//===----------------------------------------------------------------------===//
// The two kinds
//===----------------------------------------------------------------------===//

static void fillWithZeros(OpBuilder &b, Location loc, Value buffer) {
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(getElementTypeOrSelf(buffer)));
  linalg::FillOp::create(b, loc, zero, buffer);
}

void WinogradEmitter::emitPixels() {
  Value taps = transformTaps(), x = allocateTiles(1, window.size(window.channel)),
        pixels = allocateTiles(numPanels(), panelWidth);
  forBlocks(
      [&](Value part, const Block &block) {
        Value xTiles = tilesOf(x, part, block), pixelTiles = tilesOf(pixels, part, block);
        transformInput(block, xTiles);
        fillWithZeros(b, loc, pixelTiles);
        multiply(xTiles, taps, pixelTiles);
        storePixels(block, pixelTiles);
      },
      /*inParts=*/true);
}

void WinogradEmitter::emitTaps() {
  Value x = allocateTiles(1, window.size(window.channel)),
        pixels = allocateTiles(numPanels(), panelWidth), sums = allocateFilters();
  fillWithZeros(b, loc, sums);
  forBlocks(
      [&](Value part, const Block &block) {
        Value xTiles = tilesOf(x, part, block), pixelTiles = tilesOf(pixels, part, block);
        transformInput(block, xTiles);
        transformPixels(block, pixelTiles);
        multiply(xTiles, pixelTiles, sums);
      },
      /*inParts=*/false);
  emitRest(transformToTaps(sums));
}

void WinogradEmitter::replace() {
  linalg::FillOp fill = findFill(window.op, *window.op.getDpsInitOperand(0));
  b.setInsertionPoint(window.op);
  window.sumsPixels() ? emitTaps() : emitPixels();
  b.eraseOp(window.op);
  b.eraseOp(fill);
}

} // namespace nnc
