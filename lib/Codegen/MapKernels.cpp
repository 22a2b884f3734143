//===- MapKernels.cpp - Let blocks of threads share what computes ---------===//
//
//   in     linalg, copies and scalars on buffers, loops around them
//   out    gpu.launch; on the host stay control flow, allocations and views
//
// What a loop on the host would have to read from buffers is what makes it a loop of a kernel. Such a loop is one
// block: all its threads run it, share its operations between them, and wait for each other around each.
//
//===----------------------------------------------------------------------===//
#include "BlockShare.h"
#include "BufferEffects.h"
#include "BufferPlaces.h"
#include "GPU/Contraction.h"
#include "GPU/Reduction.h"
#include "KernelEpilogue.h"
#include "KernelFills.h"
#include "KernelLoops.h"
#include "RowGroup.h"
#include "ScatterLoop.h"
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_MAPKERNELSPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

Value isZero(OpBuilder &b, Location loc, Value index) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, index, constantIndex(b, loc, 0));
}

//===-- Operations --------------------------------------------------------===//

/// One thread for each element, or each sum in order.
void mapElements(OpBuilder &b, const OperationBody &body) {
  Location loc = body.operation().getLoc();
  Value total = multiply(b, loc, body.sizesOf(body.parallelLoops()));
  Value size = constantIndex(b, loc, kBlockSize);
  Value blocks = b.createOrFold<arith::CeilDivUIOp>(loc, total, size);
  gpu::LaunchOp launch = launchThreads(b, loc, blocks, kBlockSize);
  Value first = arith::MulIOp::create(b, loc, launch.getBlockIds().x, size);
  Value number = arith::AddIOp::create(b, loc, first, launch.getThreadIds().x);
  Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, number, total);
  auto choice = scf::IfOp::create(b, loc, exists, /*withElseRegion=*/false);
  b.setInsertionPointToStart(choice.thenBlock());
  SmallVector<Value> indices(body.operation().getNumLoops());
  body.locate(b, number, body.parallelLoops(), indices);
  body.computeInOrder(b, indices);
}

/// One thread for each few neighbours; what is left of a row that is no multiple of these, one by one.
void mapVectors(OpBuilder &b, const OperationBody &body) {
  Location loc = body.operation().getLoc();
  Value total = multiply(b, loc, body.sizesOf(body.parallelLoops()));
  Value lanes = constantIndex(b, loc, kVectorLanes);
  Value blocks = b.createOrFold<arith::CeilDivUIOp>(
      loc, total, constantIndex(b, loc, kBlockSize * kVectorLanes));
  gpu::LaunchOp launch = launchThreads(b, loc, blocks, kBlockSize);
  Value thread = arith::AddIOp::create(
      b, loc,
      arith::MulIOp::create(b, loc, launch.getBlockIds().x, constantIndex(b, loc, kBlockSize)),
      launch.getThreadIds().x);
  Value first = arith::MulIOp::create(b, loc, thread, lanes);
  Value isWhole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule,
                                        arith::AddIOp::create(b, loc, first, lanes), total);
  auto choice = scf::IfOp::create(b, loc, isWhole, /*withElseRegion=*/true);
  SmallVector<Value> indices(body.operation().getNumLoops());
  b.setInsertionPointToStart(choice.thenBlock());
  body.locate(b, first, body.parallelLoops(), indices);
  body.computeVector(b, indices);
  b.setInsertionPointToStart(choice.elseBlock());
  auto rest = scf::ForOp::create(b, loc, first, total, constantIndex(b, loc, 1));
  b.setInsertionPointToStart(rest.getBody());
  body.locate(b, rest.getInductionVar(), body.parallelLoops(), indices);
  body.computeInOrder(b, indices);
}

void mapReduction(OpBuilder &b, const OperationBody &body, ReductionShape shape) {
  Location loc = body.operation().getLoc();
  Value total = multiply(b, loc, body.sizesOf(body.parallelLoops()));
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(loc, total, constantIndex(b, loc, shape.results));
  gpu::LaunchOp launch = launchThreads(b, loc, blocks, kBlockSize);
  emitSharedReduction(b, body, shape, launch);
}

/// Values that outputs are filled with before an operation, by position.
using Fills = SmallVector<linalg::FillOp>;

void mapOperation(linalg::GenericOp op, const Fills &fills, std::optional<Epilogue> epilogue,
                  ContractionOptions options) {
  OpBuilder b(epilogue ? epilogue->op : op);
  OperationBody body(b, op);
  for (auto [output, fill] : llvm::enumerate(fills))
    if (fill)
      body.startFrom(output, linalg::FillOp(fill).value());
  if (epilogue)
    body.setEpilogue(*epilogue);
  ReductionShape shape = chooseReductionShape(op);
  if (std::optional<Contraction> contraction = findContraction(op)) {
    options.isFilled = !fills.empty() && fills[0];
    if (linalg::GenericOp rest = emitContraction(b, body, *contraction, options)) {
      mapOperation(rest, fills, epilogue, options);
      epilogue.reset();
    }
  } else if (body.suitsVectors())
    mapVectors(b, body);
  else if (shape.terms == 1)
    mapElements(b, body);
  else
    mapReduction(b, body, shape);
  op.erase();
  if (epilogue)
    epilogue->op.erase();
}

/// One kernel for all of `group`; `fills` are those before each operation.
void mapRows(RowGroup group, ArrayRef<Fills> fills) {
  OpBuilder b(group.ops.back());
  Location loc = group.ops.back().getLoc();
  std::vector<OperationBody> bodies;
  bodies.reserve(group.ops.size());
  for (auto [op, before] : llvm::zip_equal(group.ops, fills)) {
    OperationBody &body = bodies.emplace_back(b, op);
    for (auto [output, fill] : llvm::enumerate(before))
      if (fill)
        body.startFrom(output, linalg::FillOp(fill).value());
  }
  Value total = multiply(b, loc, bodies.front().sizesOf(bodies.front().parallelLoops()));
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(loc, total, constantIndex(b, loc, group.shape.results));
  gpu::LaunchOp launch = launchThreads(b, loc, blocks, kBlockSize);
  for (OperationBody &body : bodies) {
    if (&body != &bodies.front())
      gpu::BarrierOp::create(b, body.operation().getLoc());
    if (body.reductionLoops().empty())
      emitRowElements(b, body, group, launch);
    else
      emitSharedReduction(b, body, group.shape, launch);
  }
  for (linalg::GenericOp op : group.ops)
    op.erase();
}

//===-- Loops and scalars of the device -----------------------------------===//

/// Whether `value` is a number that follows from what buffers hold, by arithmetic alone.
bool isRead(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<BaseMemRefType>(value.getType()))
    return false;
  if (isa<memref::LoadOp>(op))
    return true;
  return isPure(op) && llvm::any_of(op->getOperands(), isRead);
}

/// Whether the place that `op` works on follows from what buffers hold.
bool isPlacedByData(linalg::LinalgOp op) {
  return llvm::any_of(op->getOperands(), [](Value buffer) {
    for (Operation *view = buffer.getDefiningOp(); isa_and_nonnull<ViewLikeOpInterface>(view);
         view = view->getOperand(0).getDefiningOp())
      if (llvm::any_of(view->getOperands(), isRead))
        return true;
    return false;
  });
}

/// Whether threads can run all of `loop`, and should: the host would have to wait for what it reads.
bool isDeviceLoop(scf::ForOp loop) {
  bool touchesBuffers = false;
  WalkResult result = loop.getBody()->walk([&](Operation *op) {
    if (auto operation = dyn_cast<linalg::LinalgOp>(op)) {
      touchesBuffers = true;
      return isPlacedByData(operation) ? WalkResult::skip() : WalkResult::interrupt();
    }
    if (isa<memref::LoadOp, memref::StoreOp>(op))
      touchesBuffers = true;
    else if (!isa<scf::ForOp, scf::IfOp, scf::YieldOp>(op) && !isPure(op))
      return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return touchesBuffers && !result.wasInterrupted();
}

/// Whether the threads of a block run a loop around `op`.
bool isInDeviceLoop(Operation *op) {
  if (op->getParentOfType<scf::ParallelOp>())
    return true;
  for (auto loop = op->getParentOfType<scf::ForOp>(); loop;
       loop = loop->getParentOfType<scf::ForOp>())
    if (isDeviceLoop(loop))
      return true;
  return false;
}

/// Whether each iteration of `loop`, which reads and writes scalars, touches only its own part of what any writes: all
/// of that is placed, on one axis, by the number of the iteration.
bool hasOwnPlaces(scf::ForOp loop) {
  struct Access {
    Value buffer;
    ValueRange indices;
    bool writes;
  };
  SmallVector<Access> accesses;
  loop.walk([&](Operation *op) {
    if (auto load = dyn_cast<memref::LoadOp>(op))
      accesses.push_back({load.getMemRef(), load.getIndices(), false});
    if (auto store = dyn_cast<memref::StoreOp>(op))
      accesses.push_back({store.getMemRef(), store.getIndices(), true});
  });
  return llvm::all_of(accesses, [&](const Access &written) {
    if (!written.writes)
      return true;
    auto number = llvm::find(written.indices, loop.getInductionVar());
    if (number == written.indices.end())
      return false;
    auto axis = std::distance(written.indices.begin(), number);
    return llvm::all_of(accesses, [&](const Access &access) {
      return rootBuffer(access.buffer) != rootBuffer(written.buffer) ||
             (access.buffer == written.buffer && access.indices[axis] == *number);
    });
  });
}

/// The outermost loops of the nest that begins with `loop`, as far as threads can share their iterations.
SmallVector<scf::ForOp> findSharedLoops(scf::ForOp outermost) {
  SmallVector<scf::ForOp> shared;
  auto isOutside = [&](Value bound) { return outermost.isDefinedOutsideOfLoop(bound); };
  for (scf::ForOp loop = outermost; loop;) {
    if (loop.getNumResults() != 0 || getConstantIntValue(loop.getLowerBound()) != 0 ||
        getConstantIntValue(loop.getStep()) != 1 || !isOutside(loop.getUpperBound()) ||
        !hasOwnPlaces(loop))
      break;
    shared.push_back(loop);
    auto inner = loop.getBody()->getOps<scf::ForOp>();
    bool isNest = llvm::all_of(loop.getBody()->without_terminator(),
                               [](Operation &op) { return isPure(&op) || isa<scf::ForOp>(op); });
    loop = isNest && llvm::hasSingleElement(inner) ? *inner.begin() : nullptr;
  }
  return shared;
}

/// A thread for each iteration of the loops that can be shared; false if there are none.
bool mapSharedLoops(scf::ForOp outermost) {
  SmallVector<scf::ForOp> shared = findSharedLoops(outermost);
  if (shared.empty())
    return false;
  OpBuilder b(outermost);
  Location loc = outermost.getLoc();
  SmallVector<Value> sizes =
      llvm::map_to_vector(shared, [](scf::ForOp loop) { return loop.getUpperBound(); });
  Value total = multiply(b, loc, sizes), width = constantIndex(b, loc, kWarpSize);
  // Few threads a block: each has much to do by itself.
  gpu::LaunchOp launch =
      launchThreads(b, loc, b.createOrFold<arith::CeilDivUIOp>(loc, total, width), kWarpSize);
  Value first = arith::MulIOp::create(b, loc, launch.getBlockIds().x, width);
  Value number = arith::AddIOp::create(b, loc, first, launch.getThreadIds().x);
  Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, number, total);
  auto choice = scf::IfOp::create(b, loc, exists, /*withElseRegion=*/false);
  b.setInsertionPointToStart(choice.thenBlock());
  for (scf::ForOp loop : llvm::reverse(shared)) {
    Value index = b.createOrFold<arith::RemUIOp>(loc, number, loop.getUpperBound());
    number = b.createOrFold<arith::DivUIOp>(loc, number, loop.getUpperBound());
    loop.setLowerBound(index);
    loop.setUpperBound(arith::AddIOp::create(b, loc, index, constantIndex(b, loc, 1)));
  }
  outermost->moveBefore(choice.thenBlock()->getTerminator());
  return true;
}

/// A kernel for a loop, of one block if it is no scatter, or for a store that the host would do.
void mapSerial(Operation *op) {
  auto loop = dyn_cast<scf::ForOp>(op);
  bool isShared =
      op->walk([](linalg::LinalgOp) { return WalkResult::interrupt(); }).wasInterrupted();
  if (loop && (isShared ? mapScatterLoop(loop) : mapSharedLoops(loop)))
    return;
  OpBuilder b(op);
  Location loc = op->getLoc();
  gpu::LaunchOp launch =
      launchThreads(b, loc, constantIndex(b, loc, 1), isShared ? kBlockSize : kWarpSize);
  Value thread = launch.getThreadIds().x;
  if (isShared) {
    op->moveBefore(launch.getBody().front().getTerminator());
    return shareInBlock(op, launch, /*roundsFactors=*/false);
  }
  auto choice = scf::IfOp::create(b, loc, isZero(b, loc, thread), /*withElseRegion=*/false);
  op->moveBefore(choice.thenBlock(), choice.thenBlock()->begin());
}

/// Whether `value` is used in a kernel, itself or through arithmetic.
bool reachesKernel(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    if (user->getParentOfType<gpu::LaunchOp>())
      return true;
    return isPure(user) && llvm::any_of(user->getResults(), reachesKernel);
  });
}

/// Makes `load` one of a buffer that is written once, right there, so that kernels can load it again. Returns what
/// writes it.
memref::StoreOp keepScalar(memref::LoadOp load) {
  OpBuilder b(load.getContext());
  b.setInsertionPointAfter(load);
  Location loc = load.getLoc();
  auto type = MemRefType::get({}, load.getType());
  Value kept = memref::AllocOp::create(b, loc, type, b.getI64IntegerAttr(64));
  auto store = memref::StoreOp::create(b, loc, load.getResult(), kept, ValueRange());
  auto again = memref::LoadOp::create(b, loc, kept, ValueRange());
  load.getResult().replaceAllUsesExcept(again, store);
  return store;
}

class MapKernels : public impl::MapKernelsPassBase<MapKernels> {
  using MapKernelsPassBase::MapKernelsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration())
      return;
    IRRewriter rewriter(&getContext());
    ContractionOptions options;
    options.roundsFactors = roundsFactors;
    options.hasWarpgroups = hasWarpgroups;
    kernels.clear();
    loads.clear();
    fills.clear();
    absorbed.clear();
    epilogues.clear();
    following.clear();
    groups.clear();
    generalize(rewriter);
    collect();
    for (Operation *op : kernels) {
      rewriter.setInsertionPoint(op);
      if (auto fill = dyn_cast<linalg::FillOp>(op))
        mapOperation(*linalg::generalizeNamedOp(rewriter, fill), {}, std::nullopt, options);
      else if (auto blocks = dyn_cast<scf::ParallelOp>(op))
        mapBlocks(blocks, roundsFactors);
      else if (auto group = groups.find(op); group != groups.end())
        mapRows(group->second,
                llvm::map_to_vector(group->second.ops, [&](linalg::GenericOp member) {
                  return fills.lookup(member);
                }));
      else if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
        auto epilogue = epilogues.find(op);
        mapOperation(generic, fills.lookup(op),
                     epilogue == epilogues.end() ? std::nullopt : std::optional(epilogue->second),
                     options);
      } else
        mapSerial(op);
    }
    for (linalg::FillOp fill : absorbed)
      fill.erase();
    auto isConstant = [](memref::LoadOp load) {
      return areWriters(rootBuffer(load.getMemRef()), llvm::IsaPred<memref::LoadOp>);
    };
    for (memref::LoadOp load : loads)
      if (reachesKernel(load.getResult()) && !isConstant(load))
        mapSerial(keepScalar(load));
  }

  /// Finds what becomes kernels, in order, and what sums start from.
  void collect() {
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      auto loop = dyn_cast<scf::ForOp>(op);
      if (auto generic = dyn_cast<linalg::GenericOp>(op); generic && generic.getNumReductionLoops())
        for (OpOperand &output : generic.getDpsInitsMutable()) {
          linalg::FillOp fill = findFill(generic, output);
          fills[op].push_back(fill);
          if (fill)
            absorbed.insert(fill);
        }
      if (isa<linalg::GenericOp, linalg::FillOp, memref::StoreOp>(op) || isa<scf::ParallelOp>(op) ||
          (loop && isDeviceLoop(loop))) {
        kernels.push_back(op);
        return WalkResult::skip();
      }
      if (auto load = dyn_cast<memref::LoadOp>(op))
        loads.push_back(load);
      return WalkResult::advance();
    });
    llvm::erase_if(kernels, [&](Operation *op) {
      auto fill = dyn_cast<linalg::FillOp>(op);
      return (fill && absorbed.contains(fill)) || following.contains(op);
    });
  }

  /// Writes everything as linalg.generic of few loops.
  void generalize(IRRewriter &rewriter) {
    func::FuncOp function = getOperation();
    generalizeKernels(rewriter, function);
    SmallVector<linalg::GenericOp> generics;
    function.walk([&](linalg::GenericOp op) { generics.push_back(op); });
    llvm::SmallPtrSet<Operation *, 8> grouped;
    for (linalg::GenericOp op : generics) {
      if (grouped.contains(op) || isInDeviceLoop(op))
        continue;
      std::optional<RowGroup> group = findRowGroup(op);
      if (!group)
        continue;
      grouped.insert(group->ops.begin(), group->ops.end());
      // The last one stands for all.
      following.insert(group->ops.begin(), std::prev(group->ops.end()));
      groups.insert({group->ops.back(), *group});
    }
    for (linalg::GenericOp op : generics) {
      if (grouped.contains(op))
        continue;
      std::optional<Epilogue> epilogue = findEpilogue(op);
      if (epilogue && !grouped.contains(epilogue->op) && !isInDeviceLoop(op) &&
          following.insert(epilogue->op).second)
        epilogues.insert({op, *epilogue});
    }
    for (linalg::GenericOp op : generics)
      if (!epilogues.count(op) && !following.contains(op) && !grouped.contains(op))
        (void)simplifyLoops(rewriter, op);
    // A block shares the fills in its loops as all else.
    SmallVector<linalg::FillOp> inLoops;
    function.walk([&](linalg::FillOp fill) {
      if (isInDeviceLoop(fill) && !fill->getParentOfType<scf::ParallelOp>())
        inLoops.push_back(fill);
    });
    for (linalg::FillOp fill : inLoops) {
      rewriter.setInsertionPoint(fill);
      (void)linalg::generalizeNamedOp(rewriter, fill);
    }
  }

  SmallVector<Operation *> kernels;
  SmallVector<memref::LoadOp> loads;
  DenseMap<Operation *, Fills> fills;
  llvm::SetVector<linalg::FillOp> absorbed;
  /// What operations do with their results, and groups by their last operation.
  DenseMap<Operation *, Epilogue> epilogues;
  DenseMap<Operation *, RowGroup> groups;
  /// Operations that the kernels of others compute.
  llvm::SmallPtrSet<Operation *, 8> following;
};

} // namespace
} // namespace nnc
