//===- TileFactor.cpp - A factor's part of a tile, in shared memory -------===//
//
// What is read as it lies in memory is copied past the registers (cp.async), 16 bytes at once where so many lie side
// by side at a multiple of 16; what is computed on the way goes through registers, of which vectors are loaded
// where all inputs have neighbours side by side.
//
// A buffer of factors of 32 bits is terms by places, one of 16 bits as the factor lies in memory: the loads of
// matrices (ldmatrix) turn it. There is a gap behind each of its rows, so that neither threads that read neighbouring
// rows nor those that write a column meet in one bank. For wgmma there is no gap: lines of at most 128 bytes follow
// each other, of all terms of a place, or of some places of a term, and the bits of an address above the 128 bytes flip
// those of the 16 bytes in them, as the unit reads it.
//
//===----------------------------------------------------------------------===//
#include "GPU/TileFactor.h"

#include "BufferPlaces.h"
#include "GPU/Launch.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;

namespace nnc {
namespace {

constexpr int64_t kCopiedBytes = 16, kLineBytes = 128;

int64_t bytesOf(Type element) { return element.getIntOrFloatBitWidth() / 8; }

/// The inputs of `op` that `value` of its body depends on.
SmallVector<OpOperand *> findInputs(linalg::GenericOp op, Value value) {
  SmallVector<OpOperand *> inputs;
  SmallVector<Value> open = {value};
  llvm::SmallDenseSet<Value> seen;
  while (!open.empty()) {
    Value next = open.pop_back_val();
    if (!seen.insert(next).second)
      continue;
    auto argument = dyn_cast<BlockArgument>(next);
    if (argument && argument.getOwner() == op.getBody())
      inputs.push_back(&op->getOpOperand(argument.getArgNumber()));
    else if (Operation *source = next.getDefiningOp(); source && source->getBlock() == op.getBody())
      llvm::append_range(open, source->getOperands());
  }
  return inputs;
}

/// Whether neighbours in the input of most axes are terms.
bool areTermsNeighbours(linalg::GenericOp op, ArrayRef<OpOperand *> inputs,
                        ArrayRef<unsigned> terms) {
  AffineMap largest;
  for (OpOperand *input : inputs) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (!largest || map.getNumResults() > largest.getNumResults())
      largest = map;
  }
  return largest && largest.getNumResults() != 0 && llvm::any_of(terms, [&](unsigned loop) {
           return largest.getResults().back().isFunctionOfDim(loop);
         });
}

/// Whether it is memory of a block of threads.
bool isShared(Value buffer) {
  return bool(rootBuffer(buffer).getDefiningOp<memref::MemorySpaceCastOp>());
}

/// At a multiple of how many elements a buffer begins; a power of two, at most `most`.
int64_t alignmentOf(Value buffer, int64_t most) {
  auto slice = buffer.getDefiningOp<memref::SubViewOp>();
  auto type = cast<MemRefType>(buffer.getType());
  if (!slice) {
    Operation *view = buffer.getDefiningOp();
    if (isa_and_nonnull<memref::CollapseShapeOp, memref::ExpandShapeOp, memref::CastOp>(view))
      return alignmentOf(view->getOperand(0), most);
    if (type.getLayout().isIdentity())
      return most;
    int64_t offset = type.getStridesAndOffset().second;
    return ShapedType::isDynamic(offset) ? 1 : std::gcd(most, offset);
  }
  int64_t aligned = alignmentOf(slice.getSource(), most);
  SmallVector<int64_t> strides = slice.getSourceType().getStridesAndOffset().first;
  for (auto [offset, stride] : llvm::zip_equal(slice.getMixedOffsets(), strides)) {
    std::optional<int64_t> known = getConstantIntValue(offset);
    if (known == 0)
      continue;
    if (ShapedType::isDynamic(stride))
      return 1;
    aligned = std::gcd(aligned, known ? *known * stride : stride);
  }
  return aligned;
}

/// How many iterations of `loops`, the last the fastest, at a multiple of so many, are side by side in `operand`, at
/// a multiple of so many elements; a power of two, at most `most`.
int64_t countNeighbours(linalg::GenericOp op, OpOperand &operand, ArrayRef<unsigned> loops,
                        int64_t most) {
  auto type = cast<MemRefType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  SmallVector<int64_t> strides = type.getStridesAndOffset().first;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  int64_t run = 1, axis = type.getRank();
  for (unsigned loop : llvm::reverse(loops)) {
    if (sizes[loop] == 1)
      continue;
    while (axis > 0 && type.getDimSize(axis - 1) == 1)
      --axis;
    unsigned uses = llvm::count_if(map.getResults(),
                                   [&](AffineExpr result) { return result.isFunctionOfDim(loop); });
    if (axis == 0 || uses != 1 || strides[axis - 1] != run || ShapedType::isDynamic(sizes[loop]) ||
        type.getDimSize(axis - 1) != sizes[loop] ||
        map.getResult(axis - 1) != getAffineDimExpr(loop, map.getContext()))
      break;
    run *= sizes[loop];
    --axis;
  }
  int64_t aligned = std::gcd(run, alignmentOf(operand.get(), most));
  // In a whole buffer the strides of the other axes are multiples of the run.
  if (!type.getLayout().isIdentity())
    for (int64_t stride : ArrayRef(strides).take_front(axis))
      aligned = ShapedType::isDynamic(stride) ? 1 : std::gcd(aligned, stride);
  return aligned;
}

} // namespace

TileFactor::TileFactor(const OperationBody &operationBody, Value factor,
                       ArrayRef<unsigned> placeLoops, ArrayRef<unsigned> termLoops,
                       const Tile &tile, int64_t placeCount, int64_t placesTogether)
    : body(operationBody), loc(operationBody.operation().getLoc()), value(factor),
      element(factor.getType()), places(placeLoops), terms(termLoops), numPlaces(placeCount),
      numTerms(tile.terms), gap(tile.gap) {
  chooseWidth();
  if (tile.unit == ProductUnit::Warpgroups)
    lineLength = termsInside ? numTerms : std::min(kLineBytes / bytesOf(element), placesTogether);
  findTensor();
}

int64_t TileFactor::lineBytes() const { return lineLength * bytesOf(element); }

/// Finds the steps of the source, if it is whole and what it is read by adds up multiples of the loops.
void TileFactor::findSteps() {
  linalg::GenericOp op = body.operation();
  auto type = cast<MemRefType>(source->get().getType());
  AffineMap map = op.getMatchingIndexingMap(source);
  if (!type.getLayout().isIdentity() || type.getRank() == 0)
    return;
  SmallVector<int64_t> strides = type.getStridesAndOffset().first, flat;
  AffineExpr sum = getAffineConstantExpr(0, map.getContext());
  for (auto [stride, result] : llvm::zip_equal(strides, map.getResults())) {
    if (ShapedType::isDynamic(stride))
      return;
    sum = sum + result * stride;
  }
  // What divides has further columns.
  if (failed(getFlattenedAffineExpr(sum, map.getNumDims(), 0, &flat)) ||
      flat.size() != map.getNumDims() + 1)
    return;
  begin = flat.pop_back_val();
  steps = flat;
}

/// How a source is copied: in pieces that are as wide as they can be, threads along neighbours.
void TileFactor::chooseCopies() {
  linalg::GenericOp op = body.operation();
  findSteps();
  bool isShort = bytesOf(element) == 2;
  int64_t most = kCopiedBytes / bytesOf(element);
  int64_t termsAtOnce = countNeighbours(op, *source, terms, std::min(most, numTerms)),
          placesAtOnce = countNeighbours(op, *source, places, std::min(most, numPlaces));
  // Windows overlap: terms and places both have neighbours, more of them where the loop is longer.
  auto countInRow = [&](unsigned loop) -> int64_t {
    return steps.empty() || steps[loop] != 1 ? 0 : estimateCount(op, loop);
  };
  if (termsAtOnce != placesAtOnce)
    alongTerms = termsAtOnce > placesAtOnce;
  else if (int64_t inTerms = countInRow(terms.back()), inPlaces = countInRow(places.back());
           inTerms != inPlaces)
    alongTerms = inTerms > inPlaces;
  // Of 32 bits, terms go to different rows.
  width = isShort || !alongTerms ? std::max(termsAtOnce, placesAtOnce) : 1;
  copied = width * bytesOf(element) >= 4 && !isShared(source->get()) &&
           cast<MemRefType>(source->get().getType()).isLastDimUnitStride();
}

void TileFactor::chooseWidth() {
  linalg::GenericOp op = body.operation();
  SmallVector<OpOperand *> inputs = findInputs(op, value);
  alongTerms = areTermsNeighbours(op, inputs, terms);
  if (auto argument = dyn_cast<BlockArgument>(value);
      argument && argument.getOwner() == op.getBody() &&
      isa<MemRefType>(op->getOpOperand(argument.getArgNumber()).get().getType())) {
    source = &op->getOpOperand(argument.getArgNumber());
    chooseCopies();
  }
  termsInside = bytesOf(element) == 2 && alongTerms;
  if (copied)
    return;
  unsigned fastest = (alongTerms ? terms : places).back();
  int64_t size = op.getStaticLoopRanges()[fastest];
  bool areRows =
      !ShapedType::isDynamic(size) && size % kVectorLanes == 0 &&
      llvm::all_of(inputs, [&](OpOperand *input) { return body.hasNeighbours(*input, fastest); });
  width = areRows ? kVectorLanes : 1;
}

/// `sum` and what iterations of these loops add to a place in the source.
Value TileFactor::addSteps(OpBuilder &b, Value sum, ArrayRef<unsigned> loops,
                           ArrayRef<Value> indices) const {
  IndexMath math(b, loc);
  for (unsigned loop : loops)
    if (steps[loop] != 0)
      sum = math.add(sum, math.scale(indices[loop], steps[loop]));
  return sum;
}

void TileFactor::allocate(int64_t stages, TakeShared take) {
  SmallVector<int64_t> shape = {stages, numTerms, numPlaces + gap};
  if (lineLength != 0)
    shape = {stages, termsInside ? 1 : numPlaces / lineLength, groupLines(), lineLength};
  else if (termsInside)
    shape = {stages, numPlaces, numTerms + gap};
  shared = take(shape, element);
}

SmallVector<Value> TileFactor::at(OpBuilder &b, Value stage, Value place, Value term) const {
  if (lineLength == 0)
    return termsInside ? SmallVector<Value>{stage, place, term}
                       : SmallVector<Value>{stage, term, place};
  IndexMath math(b, loc);
  Value line = termsInside ? place : term;
  Value column = termsInside ? term : math.remainder(place, lineLength);
  Value group = termsInside ? math.constant(0) : math.divide(place, lineLength);
  int64_t unit = kCopiedBytes / bytesOf(element);
  Value flipped = math.scale(
      math.remainder(math.divide(line, kLineBytes / lineBytes()), lineLength / unit), unit);
  return {stage, group, line, b.createOrFold<arith::XOrIOp>(loc, column, flipped)};
}

/// The matrix descriptor of PTX: in units of 16 bytes where it begins, in 14 bits; from bit 16 on how far the next
/// places are that are not in the same lines, from bit 32 on how far eight lines are; above all how long a line is.
Value TileFactor::describe(OpBuilder &b, Value stage, Value firstPlace) const {
  constexpr int64_t kAddressBits = 18, kUnit = 16;
  IndexMath math(b, loc);
  int64_t groupBytes = groupLines() * lineBytes();
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, shared);
  Value place = math.add(math.scale(stage, numPlaces * numTerms * bytesOf(element)),
                         termsInside ? math.scale(firstPlace, lineBytes())
                                     : math.scale(math.divide(firstPlace, lineLength), groupBytes));
  Value address = arith::IndexCastOp::create(b, loc, b.getI64Type(), math.add(start, place));
  auto constant = [&](uint64_t number) {
    return arith::ConstantIntOp::create(b, loc, int64_t(number), 64).getResult();
  };
  address = arith::AndIOp::create(b, loc, address, constant((int64_t(1) << kAddressBits) - kUnit));
  address = arith::ShRUIOp::create(b, loc, address, constant(llvm::Log2_64(kUnit)));
  // 1 for lines of 128 bytes, 2 of 64, 3 of 32.
  uint64_t kind = 1 + llvm::Log2_64(kLineBytes / lineBytes());
  uint64_t form = kind << 62 | uint64_t(8 * lineBytes() / kUnit) << 32 |
                  uint64_t(termsInside ? 1 : groupBytes / kUnit) << 16;
  return arith::OrIOp::create(b, loc, address, constant(form));
}

Value TileFactor::describe(OpBuilder &b, Value descriptor, int64_t term) const {
  if (term == 0)
    return descriptor;
  int64_t units = term * (termsInside ? bytesOf(element) : lineBytes()) / kCopiedBytes;
  return arith::AddIOp::create(b, loc, descriptor, arith::ConstantIntOp::create(b, loc, units, 64));
}

void TileFactor::place(OpBuilder &b, Value threadNumber, Value number,
                       ArrayRef<Value> batchIndices) {
  IndexMath math(b, loc);
  first = math.scale(number, numPlaces);
  thread = threadNumber;
  pieces.clear();
  if (copied && !steps.empty()) {
    sourceRow = source->get();
    if (int64_t rank = cast<MemRefType>(sourceRow.getType()).getRank(); rank > 1)
      sourceRow = memref::CollapseShapeOp::create(
          b, loc, sourceRow, ReassociationIndices(llvm::to_vector<2>(llvm::seq<int64_t>(rank))));
  }
  Value total = multiply(b, loc, body.sizesOf(places));
  int64_t inRow = (alongTerms ? numTerms : numPlaces) / width, rowsAtOnce = kBlockSize / inRow;
  for (int64_t i = 0; i * kBlockSize < countPieces(); ++i) {
    Value column = math.scale(math.remainder(thread, inRow), width),
          row = math.add(math.divide(thread, inRow), i * rowsAtOnce);
    Piece piece;
    piece.term = alongTerms ? column : row;
    piece.place = alongTerms ? row : column;
    Value place = math.add(first, piece.place);
    piece.exists = math.isBelow(place, total);
    piece.indices.assign(batchIndices.begin(), batchIndices.end());
    body.locate(b, place, places, piece.indices);
    if (sourceRow) {
      SmallVector<unsigned> known;
      for (auto [loop, index] : llvm::enumerate(piece.indices))
        if (index)
          known.push_back(loop);
      piece.offset = addSteps(b, math.constant(begin), known, piece.indices);
    }
    pieces.push_back(piece);
  }
}

/// Sets `b` to where only threads are that have a piece, if not all have.
static void enterIfAny(OpBuilder &b, Location loc, Value thread, int64_t numPieces) {
  if (numPieces >= kBlockSize)
    return;
  IndexMath math(b, loc);
  auto choice = scf::IfOp::create(b, loc, math.isBelow(thread, math.constant(numPieces)),
                                  /*withElseRegion=*/false);
  b.setInsertionPointToStart(choice.thenBlock());
}

void TileFactor::copy(OpBuilder &b, Value firstTerm, Value endTerm, Value stage) const {
  OpBuilder::InsertionGuard guard(b);
  enterIfAny(b, loc, thread, countPieces());
  IndexMath math(b, loc);
  bool isWide = width * bytesOf(element) == kCopiedBytes;
  for (const Piece &piece : pieces) {
    Value number = math.add(firstTerm, piece.term);
    Value exists = arith::AndIOp::create(b, loc, piece.exists, math.isBelow(number, endTerm));
    Value count = arith::SelectOp::create(b, loc, exists, math.constant(width), math.constant(0));
    SmallVector<Value> indices = piece.indices;
    body.locate(b, number, terms, indices);
    nvgpu::DeviceAsyncCopyOp::create(b, loc, shared, at(b, stage, piece.place, piece.term),
                                     source->get(), body.placeIn(b, *source, indices),
                                     b.getIndexAttr(width), count,
                                     isWide ? b.getUnitAttr() : UnitAttr());
  }
}

SmallVector<Value> TileFactor::load(OpBuilder &b, Value firstTerm, Value endTerm) const {
  IndexMath math(b, loc);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  SmallVector<Value> values;
  for (const Piece &piece : pieces) {
    Value number = math.add(firstTerm, piece.term);
    Value exists = arith::AndIOp::create(b, loc, piece.exists, math.isBelow(number, endTerm));
    if (countPieces() < kBlockSize)
      exists =
          arith::AndIOp::create(b, loc, exists, math.isBelow(thread, math.constant(countPieces())));
    auto choice = scf::IfOp::create(b, loc, SmallVector<Type>(width, element), exists,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    SmallVector<Value> indices = piece.indices;
    body.locate(b, number, terms, indices);
    unsigned fastest = (alongTerms ? terms : places).back();
    scf::YieldOp::create(b, loc, body.evaluate(b, value, indices, fastest, width));
    b.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(b, loc, SmallVector<Value>(width, zero));
    llvm::append_range(values, choice.getResults());
  }
  return values;
}

void TileFactor::store(OpBuilder &b, ValueRange values, Value stage) const {
  OpBuilder::InsertionGuard guard(b);
  enterIfAny(b, loc, thread, countPieces());
  IndexMath math(b, loc);
  for (auto [index, piece] : llvm::enumerate(pieces)) {
    ValueRange lanes = values.slice(index * width, width);
    if (width > 1 && alongTerms == termsInside) {
      Value vector = vector::FromElementsOp::create(b, loc, VectorType::get(width, element), lanes);
      vector::StoreOp::create(b, loc, vector, shared, at(b, stage, piece.place, piece.term),
                              /*nontemporal=*/false, llvm::MaybeAlign(width * bytesOf(element)));
      continue;
    }
    for (auto [lane, number] : llvm::enumerate(lanes)) {
      Value place = alongTerms ? piece.place : math.add(piece.place, lane),
            term = alongTerms ? math.add(piece.term, lane) : piece.term;
      memref::StoreOp::create(b, loc, number, shared, at(b, stage, place, term));
    }
  }
}

} // namespace nnc
