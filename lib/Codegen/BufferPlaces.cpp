//===- BufferPlaces.cpp - Where values live in memory ---------------------===//
//
// Two halves around one-shot bufferization. Pointing computations at places is a suggestion: where
// the old contents are still read, bufferization allocates instead. Settling moves all values at
// once, as if in parallel: `a, b = b, a` goes through temporaries.
//
//===----------------------------------------------------------------------===//
#include "BufferPlaces.h"

#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace nnc {

Value rootBuffer(Value view) {
  while (Operation *op = view.getDefiningOp()) {
    if (!isa<memref::SubViewOp, memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp,
             memref::ReinterpretCastOp, memref::ReshapeOp, memref::TransposeOp>(op))
      break;
    view = op->getOperand(0);
  }
  return view;
}

void separateInitialValues(func::FuncOp function) {
  auto separate = [](Operation *op) {
    for (OpOperand &use : llvm::make_early_inc_range(op->getUses()))
      if (!op->hasOneUse())
        use.set(OpBuilder(use.getOwner()).clone(*op)->getResult(0));
  };
  SmallVector<linalg::FillOp> fills;
  function.walk([&](linalg::FillOp op) { fills.push_back(op); });
  for (linalg::FillOp op : fills)
    if (op.output().getDefiningOp<tensor::EmptyOp>())
      separate(op);
  SmallVector<tensor::EmptyOp> empties;
  function.walk([&](tensor::EmptyOp op) { empties.push_back(op); });
  for (tensor::EmptyOp op : empties)
    separate(op);
}

/// `place`, a block argument, in the shape that `reshape` starts from; null if it takes more than a
/// view with known sizes.
static Value reshapedBack(Operation *reshape, Value place) {
  auto type = cast<RankedTensorType>(reshape->getOperand(0).getType());
  OpBuilder builder = OpBuilder::atBlockBegin(cast<BlockArgument>(place).getOwner());
  Location loc = reshape->getLoc();
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(reshape))
    return tensor::CollapseShapeOp::create(builder, loc, type, place,
                                           expand.getReassociationIndices());
  auto collapse = dyn_cast<tensor::CollapseShapeOp>(reshape);
  if (!collapse || !type.hasStaticShape())
    return Value();
  return tensor::ExpandShapeOp::create(builder, loc, type, place,
                                       collapse.getReassociationIndices());
}

void computeIn(OpOperand &value, Value place) {
  OpOperand *use = &value;
  bool isView = false;
  while (true) {
    if (use->get().getType() != place.getType())
      return;
    auto result = dyn_cast<OpResult>(use->get());
    if (!result)
      return;
    Operation *op = result.getOwner();
    if (isa<tensor::EmptyOp>(op)) {
      if (use != &value)
        use->set(place);
      return;
    }
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      use = &loop.getInitsMutable()[result.getResultNumber()];
    } else if (auto destinationStyle = dyn_cast<DestinationStyleOpInterface>(op)) {
      use = destinationStyle.getTiedOpOperand(result);
    } else if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op) && !isView) {
      place = reshapedBack(op, place);
      isView = true;
      if (!place)
        return;
      use = &op->getOpOperand(0);
    } else {
      return;
    }
  }
}

void computeLoopsInPlace(func::FuncOp function) {
  function.walk([](scf::ForOp loop) {
    Operation *yield = loop.getBody()->getTerminator();
    for (auto [argument, value] : llvm::zip(loop.getRegionIterArgs(), yield->getOpOperands()))
      if (isa<RankedTensorType>(argument.getType()))
        computeIn(value, argument);
  });
}

/// Whether nothing in or around the block of `op` reads the memory of `value` after `op`: neither through
/// `value` nor through what it is a view of or what is a view of it.
static bool diesAt(Operation *op, Value value) {
  while (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  auto producer = value.getDefiningOp<linalg::LinalgOp>();
  if (!producer || producer->getBlock() != op->getBlock())
    return false;
  SmallVector<Value> views = {value};
  while (!views.empty()) {
    for (Operation *user : views.pop_back_val().getUsers()) {
      if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp,
              tensor::CastOp>(user)) {
        views.push_back(user->getResult(0));
        continue;
      }
      Operation *ancestor = op->getBlock()->findAncestorOpInBlock(*user);
      if (!ancestor || (ancestor != op && !ancestor->isBeforeInBlock(op)) ||
          !isa<linalg::LinalgOp, tensor::DimOp>(user))
        return false;
    }
  }
  return true;
}

/// Lets `op` read `input`, of which it reads each element once, through a view with the axes of size one that its loops
/// go along and the input lacks.
static void addUnitAxes(linalg::GenericOp op, OpOperand &input, RankedTensorType type) {
  AffineMap map = op.getMatchingIndexingMap(&input);
  auto source = cast<RankedTensorType>(input.get().getType());
  if (source.getElementType() != type.getElementType() || source.getRank() == 0)
    return;
  SmallVector<ReassociationIndices> axes(1);
  unsigned next = 0;
  for (int64_t loop = 0; loop < type.getRank(); ++loop) {
    bool isNext = next < map.getNumResults() &&
                  map.getResult(next) == getAffineDimExpr(loop, op.getContext());
    if (!isNext && type.getDimSize(loop) != 1)
      return;
    if (isNext && next++ != 0)
      axes.emplace_back();
    axes.back().push_back(loop);
  }
  if (next != map.getNumResults() || int64_t(next) == type.getRank())
    return;
  OpBuilder builder(op);
  input.set(tensor::ExpandShapeOp::create(builder, op.getLoc(), type, input.get(), axes));
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps[input.getOperandNumber()] = builder.getMultiDimIdentityMap(type.getRank());
  op.setIndexingMapsAttr(builder.getAffineMapArrayAttr(maps));
}

void computeInDyingInputs(func::FuncOp function) {
  function.walk([](linalg::GenericOp op) {
    OpOperand *output = op.getNumDpsInits() == 1 ? op.getDpsInitOperand(0) : nullptr;
    if (!output || !output->get().getDefiningOp<tensor::EmptyOp>() ||
        op.getNumParallelLoops() != op.getNumLoops() || op.payloadUsesValueFromOperand(output) ||
        !op.getMatchingIndexingMap(output).isIdentity())
      return;
    for (OpOperand *input : op.getDpsInputOperands())
      if (diesAt(op, input->get()))
        addUnitAxes(op, *input, cast<RankedTensorType>(output->get().getType()));
    for (OpOperand *input : op.getDpsInputOperands()) {
      bool readsAlike = llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *other) {
        return other->get() != input->get() || op.getMatchingIndexingMap(other).isIdentity();
      });
      if (readsAlike && input->get().getType() == output->get().getType() &&
          diesAt(op, input->get())) {
        output->set(input->get());
        remarkDone(op.getLoc(), "bufferize")
            << "computed in the memory of what it reads for the last time";
        return;
      }
    }
  });
}

Value allocateInOrder(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> order,
                      Type element) {
  auto type = cast<MemRefType>(source.getType());
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamicSizes;
  for (int64_t axis : order) {
    shape.push_back(type.getDimSize(axis));
    if (type.isDynamicDim(axis))
      dynamicSizes.push_back(memref::DimOp::create(builder, loc, source, axis));
  }
  return memref::AllocOp::create(builder, loc,
                                 MemRefType::get(shape, element ? element : type.getElementType()),
                                 dynamicSizes);
}

static Value copyToTemporary(OpBuilder &builder, Location loc, Value source) {
  int64_t rank = cast<MemRefType>(source.getType()).getRank();
  Value copy = allocateInOrder(builder, loc, source, llvm::to_vector(llvm::seq<int64_t>(rank)));
  memref::CopyOp::create(builder, loc, source, copy);
  return copy;
}

/// Whether `value` is all of `buffer`, element by element: reshapes that end in its shape.
static bool isReshapeOf(Value value, Value buffer) {
  Type type = value.getType();
  while (isa_and_nonnull<memref::ExpandShapeOp, memref::CollapseShapeOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value == buffer && type == buffer.getType();
}

/// Copies each of `values` to its destination as if all were read before any is overwritten.
static void moveAll(OpBuilder &builder, Location loc, ArrayRef<Value> values,
                    ArrayRef<Value> destinations) {
  struct Move {
    Value source, destination;
  };
  SmallVector<Move> moves;
  for (auto [value, destination] : llvm::zip(values, destinations))
    if (!isReshapeOf(value, destination))
      moves.push_back({value, destination});
  // What is in memory that cannot be told from a destination is safe in a temporary.
  auto isKnown = [](Value root) {
    return isa<BlockArgument>(root) ||
           isa<memref::AllocOp, memref::GetGlobalOp>(root.getDefiningOp());
  };
  for (Move &move : moves)
    if (!isKnown(rootBuffer(move.source)))
      move.source = copyToTemporary(builder, loc, move.source);
  while (!moves.empty()) {
    auto *next = llvm::find_if(moves, [&](Move &move) {
      return llvm::none_of(moves, [&](Move &other) {
        return &other != &move && rootBuffer(other.source) == move.destination;
      });
    });
    // A cycle: its first source steps aside.
    if (next == moves.end()) {
      moves.front().source = copyToTemporary(builder, loc, moves.front().source);
      continue;
    }
    bool overlapsItself = rootBuffer(next->source) == next->destination;
    Value source = overlapsItself ? copyToTemporary(builder, loc, next->source) : next->source;
    memref::CopyOp::create(builder, loc, source, next->destination);
    moves.erase(next);
  }
}

void settleLoops(func::FuncOp function) {
  // Inner loops first: their results are buffers of the outer one by then.
  function.walk<WalkOrder::PostOrder>([](scf::ForOp loop) {
    Operation *yield = loop.getBody()->getTerminator();
    SmallVector<Value> values, destinations;
    for (auto [argument, value] : llvm::zip(loop.getRegionIterArgs(), yield->getOperands()))
      if (isa<MemRefType>(argument.getType())) {
        values.push_back(value);
        destinations.push_back(argument);
      }
    OpBuilder builder(yield);
    moveAll(builder, loop.getLoc(), values, destinations);
    for (auto [argument, value, init, result] :
         llvm::zip(loop.getRegionIterArgs(), yield->getOpOperands(), loop.getInitArgs(),
                   loop.getResults()))
      if (isa<MemRefType>(argument.getType())) {
        value.set(init);
        argument.replaceAllUsesWith(init);
        result.replaceAllUsesWith(init);
      }
  });
}

void settleResults(func::FuncOp function, ValueRange destinations) {
  auto terminator = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  OpBuilder builder(terminator);
  moveAll(builder, terminator.getLoc(), llvm::to_vector_of<Value>(terminator.getOperands()),
          llvm::to_vector_of<Value>(destinations));
  terminator.getOperandsMutable().clear();
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getArgumentTypes(), {}));
}

} // namespace nnc
