//===- Contraction.cpp - Sums of products, tile by tile -------------------===//
//
// A block computes a tile of the result. For some terms at a time its threads bring what they need of both factors
// into shared memory, several buffers in turn: while one is used, the next are filled, with one barrier each time.
// A thread has a part of the tile in registers. Loops of several axes are one long row: a convolution is the product
// of its patches, which its index map reads, and its filters.
//
//===----------------------------------------------------------------------===//
#include "Contraction.h"

#include "Launch.h"
#include "TileProduct.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {
namespace {

//===-- What is a contraction ---------------------------------------------===//

/// The loops that `value` of the body of `op` depends on; false if it depends on an output.
bool collectLoops(linalg::GenericOp op, Value value, llvm::SmallDenseSet<unsigned> &loops) {
  if (auto argument = dyn_cast<BlockArgument>(value);
      argument && argument.getOwner() == op.getBody()) {
    if (argument.getArgNumber() >= op.getNumDpsInputs())
      return false;
    AffineMap map = op.getIndexingMapsArray()[argument.getArgNumber()];
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
      if (map.isFunctionOfDim(loop))
        loops.insert(loop);
    return true;
  }
  Operation *source = value.getDefiningOp();
  if (!source || source->getBlock() != op.getBody())
    return true;
  if (auto index = dyn_cast<linalg::IndexOp>(source)) {
    loops.insert(index.getDim());
    return true;
  }
  return source->getNumRegions() == 0 && llvm::all_of(source->getOperands(), [&](Value operand) {
           return collectLoops(op, operand, loops);
         });
}

//===-- Tiles -------------------------------------------------------------===//

/// The value of 16 bits that `factor` widens; null if it is another.
Value findShort(Value factor) {
  auto widened = factor.getDefiningOp<arith::ExtFOp>();
  return widened && (widened.getIn().getType().isF16() || widened.getIn().getType().isBF16())
             ? widened.getIn()
             : Value();
}

/// Of what units that multiply matrices take both factors of; null if they cannot.
Type findMatrixType(const Contraction &contraction, bool roundsFactors) {
  Value left = findShort(contraction.left), right = findShort(contraction.right);
  if (left && right && left.getType() == right.getType())
    return left.getType();
  return roundsFactors ? Type(FloatTF32Type::get(contraction.left.getContext())) : Type();
}

class ContractionEmitter {
public:
  ContractionEmitter(OpBuilder &builder, const OperationBody &operationBody,
                     const Contraction &what, ContractionOptions given)
      : b(builder), body(operationBody), op(operationBody.operation()),
        loc(operationBody.operation().getLoc()), math(builder, loc), options(given),
        matrixType(findMatrixType(what, given.roundsFactors)), unit(chooseUnit()),
        contraction(turn(what)), tile(choose()),
        element(cast<MemRefType>(op.getDpsInits()[0].getType()).getElementType()),
        left(makeLeft(tile)), right(makeRight(tile)) {}

  linalg::GenericOp emit();
  void emitInBlock(gpu::LaunchOp launch, SharedScratch &scratch);

private:
  Value factorOf(Value value) const {
    return matrixType && !matrixType.isTF32() ? findShort(value) : value;
  }
  ProductUnit chooseUnit() const;
  Contraction turn(Contraction what) const;
  Tile choose() const;
  TileFactor makeLeft(const Tile &shape) const;
  TileFactor makeRight(const Tile &shape) const;
  int64_t chooseParts();
  bool isAnyCopied() const { return left.isCopied() || right.isCopied(); }
  SmallVector<Value> load(Value firstTerm, Value endTerm);
  void store(ValueRange values, Value stage);
  Value endGroup();
  Value copy(Value firstTerm, Value endTerm, Value stage);
  SmallVector<Value> sumTiles(const TileProduct &product, Value firstTerm, Value endTerm);
  void storeTile(const TileProduct &product, ValueRange sums, Value part, Value parts);
  linalg::GenericOp addParts(Value parts);
  Value countTiles(ArrayRef<unsigned> loops, int64_t size);
  Value follow(Value stage);
  SmallVector<Value> sumTensors(const TileProduct &product, Value thread, Value firstTerm,
                                Value endTerm);
  Value flip(Value phase, Value stage);
  void produceTensors(Value full, Value empty, Value firstTerm, Value endTerm);
  void allocate(TakeShared take);
  Value place(Value thread, Value number, Value rowTiles, Value columnTiles, int64_t numParts);

  OpBuilder &b;
  const OperationBody &body;
  linalg::GenericOp op;
  Location loc;
  IndexMath math;
  ContractionOptions options;
  Type matrixType;
  ProductUnit unit;
  Contraction contraction;
  Tile tile;
  /// Of the result.
  Type element;
  TileFactor left, right;
  /// In the kernel.
  SmallVector<Value> batchIndices;
};

/// The one place where it is decided by what the GPU has.
ProductUnit ContractionEmitter::chooseUnit() const {
  if (!matrixType)
    return ProductUnit::Threads;
  // wgmma cuts off factors of f32, where they are to be rounded.
  return options.hasWarpgroups && !matrixType.isTF32() ? ProductUnit::Warpgroups
                                                       : ProductUnit::Warps;
}

/// A warpgroup has 64 rows at once: if there are few of them, they are columns.
Contraction ContractionEmitter::turn(Contraction what) const {
  constexpr int64_t kFewRows = 32;
  int64_t rows = estimateCount(op, what.rows);
  if (unit == ProductUnit::Warpgroups && rows <= kFewRows &&
      rows < estimateCount(op, what.columns)) {
    std::swap(what.rows, what.columns);
    std::swap(what.left, what.right);
  }
  return what;
}

TileFactor ContractionEmitter::makeLeft(const Tile &shape) const {
  return {
      body,      factorOf(contraction.left), contraction.rows, contraction.terms, shape, shape.rows,
      shape.rows};
}

TileFactor ContractionEmitter::makeRight(const Tile &shape) const {
  return {body,          factorOf(contraction.right), contraction.columns, contraction.terms, shape,
          shape.columns, shape.warpColumns()};
}

Tile ContractionEmitter::choose() const {
  // What threads bring at once is the same for all tiles that large.
  Tile large{64, 64, 8, 16, 64};
  int64_t bytesAtOnce = std::min(makeLeft(large).bytesAtOnce(), makeRight(large).bytesAtOnce());
  bool areTensors = makeLeft(large).isTensor() && makeRight(large).isTensor();
  return chooseTile(op, contraction, unit, matrixType, bytesAtOnce, areTensors);
}

/// In how many parts to sum the terms, so that there are enough blocks.
int64_t ContractionEmitter::chooseParts() {
  /// Blocks that keep a GPU busy, terms that a block should have, parts that are added sooner than they are summed.
  constexpr int64_t kEnoughBlocks = 128, kEnoughTerms = 256, kMostParts = 64;
  if (!options.isFilled)
    return 1;
  int64_t blocks = estimateCount(op, contraction.batch) *
                   llvm::divideCeil(estimateCount(op, contraction.rows), tile.rows) *
                   llvm::divideCeil(estimateCount(op, contraction.columns), tile.columns);
  int64_t parts =
      std::min(kEnoughBlocks / blocks, estimateCount(op, contraction.terms) / kEnoughTerms);
  return std::clamp<int64_t>(parts, 1, kMostParts);
}

/// Brings what is computed on its way to shared memory into registers.
SmallVector<Value> ContractionEmitter::load(Value firstTerm, Value endTerm) {
  SmallVector<Value> values;
  for (const TileFactor *factor : {&left, &right})
    if (!factor->isCopied())
      llvm::append_range(values, factor->load(b, firstTerm, endTerm));
  return values;
}

void ContractionEmitter::store(ValueRange values, Value stage) {
  for (const TileFactor *factor : {&left, &right}) {
    if (factor->isCopied())
      continue;
    factor->store(b, values.take_front(factor->numLoaded()), stage);
    values = values.drop_front(factor->numLoaded());
  }
}

/// Makes a group of the copies that have been started, even if there are none.
Value ContractionEmitter::endGroup() {
  return nvgpu::DeviceAsyncCreateGroupOp::create(
      b, loc, nvgpu::DeviceAsyncTokenType::get(b.getContext()), ValueRange());
}

/// Starts the copies of the rest.
Value ContractionEmitter::copy(Value firstTerm, Value endTerm, Value stage) {
  for (const TileFactor *factor : {&left, &right})
    if (factor->isCopied())
      factor->copy(b, firstTerm, endTerm, stage);
  return endGroup();
}

/// The stage after `stage`.
Value ContractionEmitter::follow(Value stage) {
  Value next = math.add(stage, 1);
  Value isLast =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, next, math.constant(tile.stages));
  return arith::SelectOp::create(b, loc, isLast, math.constant(0), next);
}

/// The sums of the thread, of terms `firstTerm` to `endTerm`.
SmallVector<Value> ContractionEmitter::sumTiles(const TileProduct &product, Value firstTerm,
                                                Value endTerm) {
  int64_t ahead = tile.stages - 1 - product.stagesBehind();
  Value group;
  for (int64_t stage = 0; stage < ahead; ++stage) {
    Value begin = math.add(firstTerm, stage * tile.terms);
    if (isAnyCopied())
      group = copy(begin, endTerm, math.constant(stage));
    store(load(begin, endTerm), math.constant(stage));
  }
  SmallVector<Value> carried = product.start(b);
  size_t numCarried = carried.size();
  carried.push_back(math.constant(0));
  carried.push_back(math.constant(ahead));
  auto loop = scf::ForOp::create(b, loc, firstTerm, endTerm, math.constant(tile.terms), carried);
  // Addresses of several tiles at a time would take the registers.
  setUnrolling(loop, 1);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  ValueRange values(loop.getRegionIterArgs());
  Value stage = values[numCarried], filled = values[numCarried + 1];
  if (isAnyCopied())
    nvgpu::DeviceAsyncWaitOp::create(b, loc, group, b.getI32IntegerAttr(ahead - 1));
  product.publish(b);
  // All see this stage, and nobody reads any more the one that is filled now.
  gpu::BarrierOp::create(b, loc);
  Value next = math.add(loop.getInductionVar(), ahead * tile.terms);
  if (isAnyCopied())
    copy(next, endTerm, filled);
  SmallVector<Value> loaded = load(next, endTerm);
  SmallVector<Value> results = product.add(b, left, right, stage, values.take_front(numCarried));
  store(loaded, filled);
  results.push_back(follow(stage));
  results.push_back(follow(filled));
  scf::YieldOp::create(b, loc, results);
  b.setInsertionPointAfter(loop);
  return product.finish(b, loop.getResults().take_front(numCarried));
}

//===-- Tensors -----------------------------------------------------------===//

/// Nanoseconds after which a thread that waits for a barrier looks again; any number is right.
constexpr int64_t kPatience = 10'000'000;
/// Threads of a multiprocessor have 168 registers each when three warpgroups start: the one that copies leaves most of
/// its own to those that multiply. 128 * 40 + 256 * 232 = 384 * 168.
constexpr int32_t kProducerRegisters = 40, kConsumerRegisters = 232;
constexpr int64_t kProducers = 128;

/// What one thread does for all: has tiles copied, each when those that multiply have left its place.
void ContractionEmitter::produceTensors(Value full, Value empty, Value firstTerm, Value endTerm) {
  // A barrier that nobody has used looks as if its phase before was over.
  Value isOdd = arith::ConstantIntOp::create(b, loc, 1, 1);
  auto loop = scf::ForOp::create(b, loc, firstTerm, endTerm, math.constant(tile.terms),
                                 ValueRange{math.constant(0), isOdd});
  setUnrolling(loop, 1);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value stage = loop.getRegionIterArgs()[0], phase = loop.getRegionIterArgs()[1];
  nvgpu::MBarrierTryWaitParityOp::create(b, loc, empty, phase, math.constant(kPatience), stage);
  nvgpu::MBarrierArriveExpectTxOp::create(
      b, loc, full, math.constant(left.stageBytes() + right.stageBytes()), stage, Value());
  left.copyTensor(b, loop.getInductionVar(), stage, full);
  right.copyTensor(b, loop.getInductionVar(), stage, full);
  Value next = follow(stage);
  scf::YieldOp::create(b, loc, ValueRange{next, flip(phase, next)});
}

/// The other phase, if a stage is the first again.
Value ContractionEmitter::flip(Value phase, Value stage) {
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, stage, math.constant(0));
  return arith::XOrIOp::create(b, loc, phase, isFirst);
}

/// The sums of the thread, if it is one of those that multiply, at `b` then: what another one has copied, a stage after
/// the other. A warp says that it has left a stage when its next products are on their way.
SmallVector<Value> ContractionEmitter::sumTensors(const TileProduct &product, Value thread,
                                                  Value firstTerm, Value endTerm) {
  auto space = gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto barrierType = nvgpu::MBarrierGroupType::get(b.getContext(), space, tile.stages);
  Value full = nvgpu::MBarrierCreateOp::create(b, loc, barrierType),
        empty = nvgpu::MBarrierCreateOp::create(b, loc, barrierType);
  auto isEqual = [&](Value value, Value other) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, value, other);
  };
  auto first = scf::IfOp::create(b, loc, isEqual(thread, math.constant(0)), false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(first.thenBlock());
    for (int64_t stage = 0; stage < tile.stages; ++stage) {
      nvgpu::MBarrierInitOp::create(b, loc, full, math.constant(1), math.constant(stage), Value());
      nvgpu::MBarrierInitOp::create(b, loc, empty, math.constant(kBlockSize / kWarpSize),
                                    math.constant(stage), Value());
    }
    NVVM::FenceMbarrierInitOp::create(b, loc);
  }
  gpu::BarrierOp::create(b, loc);
  Value multiplies = math.isBelow(thread, math.constant(kBlockSize));
  auto roles = scf::IfOp::create(b, loc, multiplies, /*withElseRegion=*/true);
  b.setInsertionPointToStart(roles.elseBlock());
  NVVM::SetMaxRegisterOp::create(b, loc, kProducerRegisters, NVVM::SetMaxRegisterAction::decrease);
  auto producer = scf::IfOp::create(b, loc, isEqual(thread, math.constant(kBlockSize)), false);
  b.setInsertionPointToStart(producer.thenBlock());
  produceTensors(full, empty, firstTerm, endTerm);

  b.setInsertionPointToStart(roles.thenBlock());
  NVVM::SetMaxRegisterOp::create(b, loc, kConsumerRegisters, NVVM::SetMaxRegisterAction::increase);
  Value isLeader = isEqual(math.remainder(thread, kWarpSize), math.constant(0));
  SmallVector<Value> carried = product.start(b);
  size_t numCarried = carried.size();
  Value isEven = arith::ConstantIntOp::create(b, loc, 0, 1);
  carried.append({math.constant(0), isEven, math.constant(0)});
  auto loop = scf::ForOp::create(b, loc, firstTerm, endTerm, math.constant(tile.terms), carried);
  setUnrolling(loop, 1);
  b.setInsertionPointToStart(loop.getBody());
  ValueRange values(loop.getRegionIterArgs());
  Value stage = values[numCarried], phase = values[numCarried + 1], before = values[numCarried + 2];
  nvgpu::MBarrierTryWaitParityOp::create(b, loc, full, phase, math.constant(kPatience), stage);
  SmallVector<Value> results = product.add(b, left, right, stage, values.take_front(numCarried));
  Value isLater =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, loop.getInductionVar(), firstTerm);
  auto leaves = scf::IfOp::create(
      b, loc, arith::AndIOp::create(b, loc, isLeader, isLater).getResult(), false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(leaves.thenBlock());
    nvgpu::MBarrierArriveOp::create(b, loc, nvgpu::MBarrierTokenType::get(b.getContext()), empty,
                                    before);
  }
  Value next = follow(stage);
  results.append({next, flip(phase, next), stage});
  scf::YieldOp::create(b, loc, results);
  b.setInsertionPointAfter(loop);
  return product.finish(b, loop.getResults().take_front(numCarried));
}

//===-- The tile ----------------------------------------------------------===//

/// Adds the sums to what the output starts from, or leaves them in their part of `parts`.
void ContractionEmitter::storeTile(const TileProduct &product, ValueRange sums, Value part,
                                   Value parts) {
  Value numRows = nnc::multiply(b, loc, body.sizesOf(contraction.rows)),
        numColumns = nnc::multiply(b, loc, body.sizesOf(contraction.columns));
  int64_t columnSize = 1;
  for (unsigned loop : contraction.columns) {
    int64_t size = op.getStaticLoopRanges()[loop];
    columnSize = ShapedType::isDynamic(size) ? 1 : columnSize * size;
  }
  // Neighbours exist together.
  int64_t together = columnSize % product.neighbours() == 0 ? product.neighbours() : 1;
  SmallVector<Value> rows = product.rows(b), columns = product.columns(b);
  for (int64_t i = 0; i < tile.threadRows; ++i) {
    Value row = math.add(left.firstPlace(), rows[i]);
    auto hasRow = scf::IfOp::create(b, loc, math.isBelow(row, numRows), /*withElseRegion=*/false);
    OpBuilder::InsertionGuard rowGuard(b);
    b.setInsertionPointToStart(hasRow.thenBlock());
    SmallVector<Value> rowIndices = batchIndices;
    body.locate(b, row, contraction.rows, rowIndices);
    for (int64_t j = 0; j < tile.threadColumns; j += together) {
      Value column = math.add(right.firstPlace(), columns[j]);
      auto hasColumn = scf::IfOp::create(b, loc, math.isBelow(column, numColumns),
                                         /*withElseRegion=*/false);
      OpBuilder::InsertionGuard columnGuard(b);
      b.setInsertionPointToStart(hasColumn.thenBlock());
      for (int64_t neighbour = 0; neighbour < together; ++neighbour) {
        SmallVector<Value> indices(rowIndices.begin(), rowIndices.end());
        body.locate(b, math.add(column, neighbour), contraction.columns, indices);
        Value sum = sums[i * tile.threadColumns + j + neighbour];
        if (parts) {
          SmallVector<Value> place = {part};
          llvm::append_range(place, body.placeOf(b, 0, indices));
          memref::StoreOp::create(b, loc, sum, parts, place);
          continue;
        }
        Value before = body.loadInitial(b, 0, indices);
        body.storeResult(b, arith::AddFOp::create(b, loc, before, sum), 0, indices);
      }
    }
  }
}

/// output = initial + parts[0] + parts[1] + …
linalg::GenericOp ContractionEmitter::addParts(Value parts) {
  unsigned rank = cast<MemRefType>(parts.getType()).getRank();
  MLIRContext *context = b.getContext();
  AffineMap all = AffineMap::getMultiDimIdentityMap(rank, context);
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  kinds[0] = utils::IteratorType::reduction;
  return linalg::GenericOp::create(
      b, loc, parts, op.getDpsInits()[0], ArrayRef<AffineMap>{all, all.dropResult(0)}, kinds,
      [&](OpBuilder &inner, Location, ValueRange arguments) {
        Value sum = arith::AddFOp::create(inner, loc, arguments[1], arguments[0]);
        linalg::YieldOp::create(inner, loc, sum);
      });
}

Value ContractionEmitter::countTiles(ArrayRef<unsigned> loops, int64_t size) {
  return b.createOrFold<arith::CeilDivUIOp>(loc, nnc::multiply(b, loc, body.sizesOf(loops)),
                                            math.constant(size));
}

void ContractionEmitter::allocate(TakeShared take) {
  if (!isAnyCopied())
    tile.stages = tile.unit == ProductUnit::Warpgroups ? 3 : 2;
  left.allocate(tile.stages, take);
  right.allocate(tile.stages, take);
}

/// Makes this the tile with that number, rows first, then columns, parts, and the batch; returns the number of the part.
Value ContractionEmitter::place(Value thread, Value number, Value rowTiles, Value columnTiles,
                                int64_t numParts) {
  Value row = b.createOrFold<arith::RemUIOp>(loc, number, rowTiles);
  number = b.createOrFold<arith::DivUIOp>(loc, number, rowTiles);
  Value column = b.createOrFold<arith::RemUIOp>(loc, number, columnTiles);
  number = b.createOrFold<arith::DivUIOp>(loc, number, columnTiles);
  batchIndices.assign(op.getNumLoops(), Value());
  body.locate(b, math.divide(number, numParts), contraction.batch, batchIndices);
  if (tile.hasProducer) {
    left.placeTensor(b, row, batchIndices);
    right.placeTensor(b, column, batchIndices);
  } else {
    left.place(b, thread, row, batchIndices);
    right.place(b, thread, column, batchIndices);
  }
  return math.remainder(number, numParts);
}

linalg::GenericOp ContractionEmitter::emit() {
  int64_t numParts = chooseParts();
  Value parts;
  if (numParts > 1) {
    Value output = op.getDpsInits()[0];
    SmallVector<int64_t> shape = {numParts};
    SmallVector<Value> dynamicSizes;
    for (auto [axis, size] : llvm::enumerate(cast<MemRefType>(output.getType()).getShape())) {
      shape.push_back(size);
      if (ShapedType::isDynamic(size))
        dynamicSizes.push_back(memref::DimOp::create(b, loc, output, axis));
    }
    parts = memref::AllocOp::create(b, loc, MemRefType::get(shape, element), dynamicSizes,
                                    b.getI64IntegerAttr(64));
  }
  // In one row: there may be more of these than in any other direction.
  Value rowTiles = countTiles(contraction.rows, tile.rows),
        columnTiles = countTiles(contraction.columns, tile.columns);
  Value batch = nnc::multiply(b, loc, body.sizesOf(contraction.batch));
  Value blocks = math.scale(nnc::multiply(b, loc, {rowTiles, columnTiles, batch}), numParts);
  Value numTerms = nnc::multiply(b, loc, body.sizesOf(contraction.terms));
  if (tile.hasProducer) {
    left.mapTensor(b);
    right.mapTensor(b);
  }
  OpBuilder::InsertPoint host = b.saveInsertionPoint();
  gpu::LaunchOp launch =
      launchThreads(b, loc, blocks, kBlockSize + (tile.hasProducer ? kProducers : 0));
  launch->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), b.getI32IntegerAttr(tile.blocksAtOnce));
  allocate(
      [&](ArrayRef<int64_t> shape, Type type) { return addSharedMemory(launch, shape, type); });
  Value thread = launch.getThreadIds().x;
  Value part = place(thread, launch.getBlockIds().x, rowTiles, columnTiles, numParts);
  Value firstTerm = math.constant(0), endTerm = numTerms;
  if (parts) {
    // Whole tiles of terms each.
    Value share =
        b.createOrFold<arith::CeilDivUIOp>(loc, numTerms, math.constant(numParts * tile.terms));
    share = math.scale(share, tile.terms);
    firstTerm = arith::MulIOp::create(b, loc, part, share);
    endTerm = arith::MinUIOp::create(b, loc, math.add(firstTerm, share), numTerms);
  }
  auto product = createTileProduct(b, loc, tile, matrixType, thread);
  SmallVector<Value> sums = tile.hasProducer ? sumTensors(*product, thread, firstTerm, endTerm)
                                             : sumTiles(*product, firstTerm, endTerm);
  storeTile(*product, sums, part, parts);
  b.restoreInsertionPoint(host);
  return parts ? addParts(parts) : nullptr;
}

void ContractionEmitter::emitInBlock(gpu::LaunchOp launch, SharedScratch &scratch) {
  // The block has other memory to keep, and nobody else's tiles to wait for.
  tile.stages = 2;
  Value rowTiles = countTiles(contraction.rows, tile.rows),
        columnTiles = countTiles(contraction.columns, tile.columns);
  Value batch = nnc::multiply(b, loc, body.sizesOf(contraction.batch));
  Value numTerms = nnc::multiply(b, loc, body.sizesOf(contraction.terms));
  scratch.restart();
  allocate([&](ArrayRef<int64_t> shape, Type type) { return scratch.take(b, shape, type); });
  Value thread = launch.getThreadIds().x;
  auto product = createTileProduct(b, loc, tile, matrixType, thread);
  auto loop =
      scf::ForOp::create(b, loc, math.constant(0),
                         nnc::multiply(b, loc, {rowTiles, columnTiles, batch}), math.constant(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  place(thread, loop.getInductionVar(), rowTiles, columnTiles, 1);
  SmallVector<Value> sums = sumTiles(*product, math.constant(0), numTerms);
  // The next tile goes where copies may still be on their way, and others still read.
  if (isAnyCopied())
    nvgpu::DeviceAsyncWaitOp::create(b, loc, endGroup(), b.getI32IntegerAttr(0));
  gpu::BarrierOp::create(b, loc);
  storeTile(*product, sums, Value(), Value());
}

} // namespace

int64_t estimateCount(linalg::GenericOp op, ArrayRef<unsigned> loops) {
  constexpr int64_t kMany = 1024;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  int64_t count = 1;
  for (unsigned loop : loops)
    count *= ShapedType::isDynamic(sizes[loop]) ? kMany : sizes[loop];
  return count;
}

std::optional<Contraction> findContraction(linalg::GenericOp op) {
  /// Rows and columns, or terms, that are too few for tiles.
  constexpr int64_t kFewPlaces = 4, kFewTerms = 8;
  if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
    return std::nullopt;
  auto output = cast<MemRefType>(op.getDpsInits()[0].getType());
  SmallVector<Operation *> combiners;
  Value term = matchReduction(op.getRegionOutputArgs(), 0, combiners);
  if (!output.getElementType().isF32() || !term || combiners.size() != 1 ||
      !isa<arith::AddFOp>(combiners.front()))
    return std::nullopt;
  auto product = term.getDefiningOp<arith::MulFOp>();
  llvm::SmallDenseSet<unsigned> left, right;
  if (!product || product->getBlock() != op.getBody() ||
      !collectLoops(op, product.getLhs(), left) || !collectLoops(op, product.getRhs(), right))
    return std::nullopt;
  Contraction contraction;
  contraction.left = product.getLhs();
  contraction.right = product.getRhs();
  AffineMap outputMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (kind == utils::IteratorType::reduction) {
      if (outputMap.isFunctionOfDim(loop))
        return std::nullopt;
      contraction.terms.push_back(loop);
    } else if (left.contains(loop) && right.contains(loop)) {
      contraction.batch.push_back(loop);
    } else {
      (right.contains(loop) ? contraction.columns : contraction.rows).push_back(loop);
    }
  }
  if (estimateCount(op, contraction.rows) < kFewPlaces ||
      estimateCount(op, contraction.columns) < kFewPlaces ||
      estimateCount(op, contraction.terms) < kFewTerms)
    return std::nullopt;
  return contraction;
}

linalg::GenericOp emitContraction(OpBuilder &b, const OperationBody &body,
                                  const Contraction &contraction, ContractionOptions options) {
  return ContractionEmitter(b, body, contraction, options).emit();
}

void emitContractionInBlock(OpBuilder &b, const OperationBody &body, const Contraction &contraction,
                            gpu::LaunchOp launch, SharedScratch &scratch, bool roundsFactors) {
  ContractionOptions options;
  options.roundsFactors = roundsFactors;
  ContractionEmitter(b, body, contraction, options).emitInBlock(launch, scratch);
}

} // namespace nnc
