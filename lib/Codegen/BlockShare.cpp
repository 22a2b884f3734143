//===- BlockShare.cpp - What the threads of one block share ---------------===//
#include "BlockShare.h"

#include "GPU/Contraction.h"
#include "GPU/Reduction.h"
#include "KernelFills.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {
namespace {

/// The threads meet at `b`, if they have not just done so.
void meet(OpBuilder &b, Location loc) {
  Operation *before = nullptr;
  if (b.getInsertionPoint() != b.getInsertionBlock()->begin())
    before = &*std::prev(b.getInsertionPoint());
  // Fills that are left are what sums start from.
  while (before && (isPure(before) || isa<linalg::FillOp>(before)))
    before = before->getPrevNode();
  if (!isa_and_nonnull<gpu::BarrierOp>(before))
    gpu::BarrierOp::create(b, loc);
}

class BlockShare {
public:
  BlockShare(gpu::LaunchOp kernel, bool doesRound)
      : launch(kernel), scratch(kernel), roundsFactors(doesRound) {}

  /// Finds what operations of `root` write, and what sums start from.
  SmallVector<Operation *> collect(Operation *root);
  void store(memref::StoreOp op);
  void compute(linalg::GenericOp op);

private:
  gpu::LaunchOp launch;
  SharedScratch scratch;
  bool roundsFactors;
  DenseMap<Operation *, SmallVector<linalg::FillOp>> fills;
};

SmallVector<Operation *> BlockShare::collect(Operation *root) {
  llvm::SetVector<Operation *> writers, absorbed;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (generic && generic.getNumReductionLoops() != 0)
      for (OpOperand &output : generic.getDpsInitsMutable()) {
        linalg::FillOp fill = findFill(generic, output);
        fills[op].push_back(fill);
        if (fill)
          absorbed.insert(fill);
      }
    if (!isa<linalg::GenericOp, linalg::FillOp, memref::StoreOp>(op))
      return WalkResult::advance();
    writers.insert(op);
    return WalkResult::skip();
  });
  writers.set_subtract(absorbed);
  return writers.takeVector();
}

void BlockShare::store(memref::StoreOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, launch.getThreadIds().x,
                                        constantIndex(b, loc, 0));
  auto choice = scf::IfOp::create(b, loc, isFirst, /*withElseRegion=*/false);
  op->moveBefore(choice.thenBlock(), choice.thenBlock()->begin());
}

void BlockShare::compute(linalg::GenericOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  OperationBody body(b, op);
  for (auto [output, fill] : llvm::enumerate(fills.lookup(op)))
    if (fill)
      body.startFrom(output, linalg::FillOp(fill).value());
  if (std::optional<Contraction> contraction = findContraction(op)) {
    emitContractionInBlock(b, body, *contraction, launch, scratch, roundsFactors);
  } else if (!emitReductionByWarps(b, body, launch)) {
    Value total = multiply(b, loc, body.sizesOf(body.parallelLoops()));
    auto loop = scf::ForOp::create(b, loc, launch.getThreadIds().x, total,
                                   constantIndex(b, loc, kBlockSize));
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> indices(op.getNumLoops());
    body.locate(b, loop.getInductionVar(), body.parallelLoops(), indices);
    body.computeInOrder(b, indices);
  }
  SmallVector<linalg::FillOp> done = fills.lookup(op);
  op.erase();
  for (linalg::FillOp fill : done)
    if (fill)
      fill.erase();
}

} // namespace

void shareInBlock(Operation *root, gpu::LaunchOp launch, bool roundsFactors) {
  BlockShare block(launch, roundsFactors);
  for (Operation *op : block.collect(root)) {
    if (auto fill = dyn_cast<linalg::FillOp>(op)) {
      IRRewriter rewriter(fill);
      op = *linalg::generalizeNamedOp(rewriter, fill);
    }
    Location loc = op->getLoc();
    OpBuilder b(op);
    // What others have still to read must not be overwritten.
    meet(b, loc);
    b.setInsertionPointAfter(op);
    gpu::BarrierOp::create(b, loc);
    if (auto store = dyn_cast<memref::StoreOp>(op))
      block.store(store);
    else
      block.compute(cast<linalg::GenericOp>(op));
  }
}

void mapBlocks(scf::ParallelOp loop, bool roundsFactors) {
  OpBuilder b(loop);
  Location loc = loop.getLoc();
  gpu::LaunchOp launch = launchThreads(b, loc, loop.getUpperBound().front(), kBlockSize);
  loop.getInductionVars().front().replaceAllUsesWith(launch.getBlockIds().x);
  Operation *end = launch.getBody().front().getTerminator();
  for (Operation &op : llvm::make_early_inc_range(loop.getBody()->without_terminator()))
    op.moveBefore(end);
  loop.erase();
  launch.getBody().walk([&](memref::AllocOp alloc) {
    MemRefType type = alloc.getType();
    b.setInsertionPoint(alloc);
    Value memory = addSharedMemory(launch, type.getShape(), type.getElementType());
    alloc.replaceAllUsesWith(memref::MemorySpaceCastOp::create(b, loc, type, memory).getResult());
    alloc.erase();
  });
  shareInBlock(launch, launch, roundsFactors);
}

} // namespace nnc
