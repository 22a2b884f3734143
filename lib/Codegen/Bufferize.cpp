//===- Bufferize.cpp - Turn tensors into buffers that the caller provides -===//
//
// Settles on tensors where each result is to live: in a destination argument, or in the argument
// that it updates. Then one-shot bufferization writes straight into these places. The tensors that
// a loop carries are settled the same way, so that a loop allocates nothing that outlives a trip.
//
//===----------------------------------------------------------------------===//
#include "SymbolicSizes.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_BUFFERIZEPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// Appends the symbols of `function` that are not arguments yet, and expresses the sizes of the
/// arguments in them.
void addSymbolArguments(func::FuncOp function) {
  MLIRContext *context = function.getContext();
  std::map<std::string, Value> known = SymbolicSizes(function).getSymbols();
  if (auto symbols = function->getAttrOfType<ArrayAttr>(kSymbolsAttr))
    for (StringAttr symbol : symbols.getAsRange<StringAttr>()) {
      if (known.count(symbol.str()))
        continue;
      DictionaryAttr attrs = DictionaryAttr::get(
          context, NamedAttribute(StringAttr::get(context, kSymbolAttr), symbol));
      (void)function.insertArgument(function.getNumArguments(), IndexType::get(context), attrs,
                                    function.getLoc());
    }
  SymbolicSizes sizes(function);
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  function.walk([&](tensor::DimOp op) {
    if (std::optional<Dim> dim = sizes.dimOf(op)) {
      op.replaceAllUsesWith(
          SymbolicSizes::materialize(builder, op.getLoc(), *dim, sizes.getSymbols()));
      op.erase();
    }
  });
}

/// The initial value of the loop that gives `value`, null if none does.
OpOperand *loopInit(Value value) {
  auto result = dyn_cast<OpResult>(value);
  auto loop = result ? dyn_cast<scf::ForOp>(result.getOwner()) : nullptr;
  return loop ? &loop.getInitsMutable()[result.getResultNumber()] : nullptr;
}

/// Whether `value` is the outcome of loops that update `destination` and nothing else.
bool isUpdatedByLoop(Value value, Value destination) {
  OpOperand *init = loopInit(value);
  if (!init)
    return false;
  auto placed = init->get().getDefiningOp<bufferization::MaterializeInDestinationOp>();
  return (placed ? placed.getDest() : init->get()) == destination ||
         isUpdatedByLoop(init->get(), destination);
}

/// The value in whose memory `value` may be without anything being computed into a place of its
/// own: through slices, reshapes, casts, and loops, which update what they start from.
Value memoryOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (OpOperand *init = loopInit(value))
      value = init->get();
    else if (isa<tensor::ExtractSliceOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp,
                 tensor::CastOp, tensor::ReshapeOp>(op))
      value = op->getOperand(0);
    else
      break;
  }
  return value;
}

Value copyOf(OpBuilder &builder, Location loc, Value value) {
  return bufferization::AllocTensorOp::create(builder, loc, cast<RankedTensorType>(value.getType()),
                                              ValueRange(), value);
}

Value materialize(OpBuilder &builder, Location loc, Value value, Value destination) {
  return bufferization::MaterializeInDestinationOp::create(builder, loc, value, destination)
      .getResult();
}

/// Starts the loop that gives `value` from `destination`, which nothing else reads, so that the
/// loop works there. False if `value` is not such a loop's.
bool startLoopIn(Value value, Value destination) {
  OpOperand *init = loopInit(value);
  if (!init || !value.hasOneUse())
    return false;
  Operation *loop = init->getOwner();
  OpBuilder builder(loop);
  if (init->get().getDefiningOp<tensor::EmptyOp>())
    init->set(destination);
  else if (!startLoopIn(init->get(), destination))
    init->set(materialize(builder, loop->getLoc(), init->get(), destination));
  return true;
}

/// Ends a block so that each `values[i]` is in the memory of `destinations[i]`, and gives the
/// values to be returned. A value that is in the memory of another destination is copied first,
/// because that destination changes: `a, b = b, a`.
SmallVector<Value> settle(OpBuilder &builder, Location loc, ArrayRef<Value> values,
                          ArrayRef<Value> destinations) {
  SmallVector<Value> settled(values);
  for (auto [value, destination] : llvm::zip(settled, destinations))
    if (value != destination && !isUpdatedByLoop(value, destination) &&
        llvm::is_contained(destinations, memoryOf(value)))
      value = copyOf(builder, loc, value);
  // A value that is wanted twice is copied from where it is first.
  DenseMap<Value, Value> places;
  for (auto [value, destination] : llvm::zip(settled, destinations)) {
    auto [place, isFirst] = places.try_emplace(value, value);
    if (value != destination && (!isFirst || !isUpdatedByLoop(value, destination)))
      place->second = materialize(builder, loc, place->second, destination);
    value = place->second;
  }
  return settled;
}

void settleLoops(func::FuncOp function) {
  function.walk([](scf::ForOp loop) {
    auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    OpBuilder builder(yield);
    SmallVector<Value> values, destinations;
    SmallVector<unsigned> positions;
    for (auto [position, argument] : llvm::enumerate(loop.getRegionIterArgs())) {
      if (!isa<RankedTensorType>(argument.getType()))
        continue;
      positions.push_back(position);
      values.push_back(yield.getOperand(position));
      destinations.push_back(argument);
      // An inner loop works in memory of its own where more than it needs the old value.
      bool updates = argument.hasOneUse() && isUpdatedByLoop(values.back(), argument);
      if (loopInit(values.back()) && !updates)
        values.back() = copyOf(builder, loop.getLoc(), values.back());
    }
    SmallVector<Value> settled = settle(builder, loop.getLoc(), values, destinations);
    for (auto [position, value] : llvm::zip(positions, settled))
      yield.setOperand(position, value);
  });
}

/// The argument that result `index` updates, none if it has its own buffer.
std::optional<unsigned> updatedArgument(func::FuncOp function, unsigned index) {
  auto name = function.getResultAttrOfType<StringAttr>(index, kNameAttr);
  for (unsigned argument = 0; name && argument < function.getNumArguments(); ++argument)
    if (function.getArgAttrOfType<StringAttr>(argument, kNameAttr) == name &&
        function.getArgumentTypes()[argument] == function.getResultTypes()[index])
      return argument;
  return std::nullopt;
}

/// Gives every result a destination among the arguments, whose positions it returns, and numbers
/// the buffers.
SmallVector<unsigned> settleResults(func::FuncOp function) {
  MLIRContext *context = function.getContext();
  Builder attributes(context);
  unsigned numInputs = 0;
  for (unsigned argument = 0; argument < function.getNumArguments(); ++argument)
    if (isa<RankedTensorType>(function.getArgumentTypes()[argument])) {
      function.setArgAttr(argument, kBufferAttr, attributes.getI64IntegerAttr(numInputs++));
      function.setArgAttr(argument, "bufferization.writable", attributes.getBoolAttr(false));
    }
  auto terminator = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  SmallVector<Value> destinations;
  SmallVector<unsigned> positions;
  SmallVector<Value> values(terminator.getOperands());
  for (unsigned index = 0; index < function.getNumResults(); ++index) {
    unsigned argument = function.getNumArguments();
    if (std::optional<unsigned> updated = updatedArgument(function, index)) {
      argument = *updated;
    } else {
      NamedAttrList attrs(function.getResultAttrDict(index));
      attrs.set(kBufferAttr, attributes.getI64IntegerAttr(numInputs + index));
      (void)function.insertArgument(argument, function.getResultTypes()[index],
                                    attrs.getDictionary(context), function.getLoc());
      startLoopIn(values[index], function.getArgument(argument));
    }
    function.setArgAttr(argument, "bufferization.writable", attributes.getBoolAttr(true));
    destinations.push_back(function.getArgument(argument));
    positions.push_back(argument);
  }
  OpBuilder builder(terminator);
  terminator.getOperandsMutable().assign(
      settle(builder, terminator.getLoc(), values, destinations));
  function.removeResAttrsAttr();
  return positions;
}

/// Results are in their destinations now; a copy of a buffer to itself folds away.
void dropResults(func::FuncOp function, ArrayRef<unsigned> destinations) {
  auto terminator = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  OpBuilder builder(terminator);
  for (auto [value, destination] : llvm::zip(terminator.getOperands(), destinations))
    memref::CopyOp::create(builder, terminator.getLoc(), value, function.getArgument(destination));
  terminator.getOperandsMutable().clear();
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getArgumentTypes(), {}));
}

class Bufferize : public impl::BufferizePassBase<Bufferize> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isDeclaration())
        functions.push_back(function);
    std::vector<SmallVector<unsigned>> destinations;
    for (func::FuncOp function : functions) {
      settleLoops(function);
      destinations.push_back(settleResults(function));
      addSymbolArguments(function);
    }

    IRRewriter rewriter(&getContext());
    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.setFunctionBoundaryTypeConversion(bufferization::LayoutMapOption::IdentityLayoutMap);
    options.unknownTypeConverterFn = [](TensorType type, Attribute space,
                                        const bufferization::BufferizationOptions &) {
      return bufferization::getMemRefTypeWithStaticIdentityLayout(type, space);
    };
    bufferization::BufferizationState state;
    if (failed(bufferization::eliminateEmptyTensors(rewriter, getOperation())) ||
        failed(bufferization::runOneShotModuleBufferize(getOperation(), options, state)))
      return signalPassFailure();
    bufferization::removeBufferizationAttributesInModule(getOperation());
    for (auto [function, positions] : llvm::zip(functions, destinations))
      dropResults(function, positions);
  }
};

} // namespace
} // namespace nnc
