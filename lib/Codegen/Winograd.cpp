//===- Winograd.cpp - Convolutions with fewer products --------------------===//
//
//   in     linalg.generic on buffers, layouts assigned, epilogues fused
//   out    the same; convolutions over windows of three by three, where it pays, as loops over blocks of
//          transformed tiles
//
//===----------------------------------------------------------------------===//
#include "BindingTime.h"
#include "BufferPlaces.h"
#include "CPU/KernelBody.h"
#include "CPU/KernelCost.h"
#include "KernelFills.h"
#include "PackOperands.h"
#include "PassTarget.h"
#include "WinogradEmitter.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace nnc::winograd;

namespace nnc {
#define GEN_PASS_DEF_WINOGRADPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// One contraction over windows, and what its two ways cost.
class Candidate {
public:
  Candidate(const WindowContraction &contraction, const TargetDescription &description,
            bool filtersAreFree)
      : window(contraction), target(description), hasFreeFilters(filtersAreFree) {}

  /// Whether it can be written so at all.
  bool isPossible();
  /// How many times as long the plain sums take.
  double gain();
  /// Brings the operands into the order that the emitter wants.
  void turnOperands(IRRewriter &rewriter);
  int64_t countParts(int64_t grain);
  WinogradBlocks blocks();

private:
  bool isLast(OpOperand *operand, unsigned loop);
  bool canFinish();
  double countImages() { return double(typicalSize(window.size(window.image))); }
  double countTiles();
  double depth() { return double(window.size(window.channel)); }
  double width() { return double(window.size(window.filter)); }
  double transformedCycles();

  WindowContraction window;
  const TargetDescription &target;
  bool hasFreeFilters;
};

/// Whether neighbours along `loop` are neighbours in memory.
bool Candidate::isLast(OpOperand *operand, unsigned loop) {
  return classifyAccess(window.op.getMatchingIndexingMap(operand), operand->get().getType(),
                        loop) == Access::Contiguous;
}

/// Whether what is made of the sums can be computed for single tiles.
bool Candidate::canFinish() {
  linalg::GenericOp op = window.op;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (&operand != window.x && !map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return false;
    if (op.isDpsInit(&operand) && hasEpilogue(op) && !window.sumsPixels() &&
        !isLast(&operand, window.filter))
      return false;
  }
  OpOperand *other = window.sumsPixels() ? window.pixels : window.filters;
  for (Operation *inner : epilogueBody(op))
    if (llvm::is_contained(inner->getOperands(), op.getMatchingBlockArgument(window.x)) ||
        llvm::is_contained(inner->getOperands(), op.getMatchingBlockArgument(other)))
      return false;
  return true;
}

bool Candidate::isPossible() {
  linalg::GenericOp op = window.op;
  if (window.axes.size() != 2 || !getElementTypeOrSelf(window.x->get()).isF32() ||
      !getElementTypeOrSelf(op.getOutputs().front()).isF32())
    return false;
  for (const WindowLoops &axis : window.axes)
    if (axis.taps != kTaps || axis.pixels < kTile)
      return false;
  linalg::FillOp fill = findFill(op, *op.getDpsInitOperand(0));
  return fill && matchPattern(fill.value(), m_AnyZeroFloat()) && canFinish();
}

double Candidate::countTiles() {
  double tiles = countImages();
  for (const WindowLoops &axis : window.axes)
    tiles *= double((axis.pixels + 1) / kPixels);
  return tiles;
}

WinogradBlocks Candidate::blocks() {
  // Tiles fill a good part of a second-level cache, and are many enough beside what else is read for them.
  constexpr int64_t kNear = 512 << 10, kFewest = 64, kFewestInSums = 96;
  int64_t bytes = kTile * kTile * int64_t(depth() + width()) * 4;
  return chooseBlocks(window,
                      std::max(kNear / bytes, window.sumsPixels() ? kFewestInSums : kFewest));
}

/// Cycles with fewer products. A vector of a tile takes the transforms some 60 cycles, memory included, an
/// element of transformed filters some 20.
double Candidate::transformedCycles() {
  constexpr double kTile16 = kTile * kTile, kTileCycles = 60, kFilterCycles = 20;
  double lanes = target.lanes(32);
  double cycles = kTile16 * depth() * width() * countTiles() / (2 * lanes) +
                  countTiles() * (depth() + width()) / lanes * kTileCycles;
  if (!hasFreeFilters)
    cycles += depth() * width() * kFilterCycles;
  double pixels = kPixels * kPixels * countTiles();
  if (!isLast(window.x, window.channel))
    cycles += pixels * depth() * kTurnCost;
  if (!isLast(window.pixels, window.filter))
    cycles += pixels * width() * kTurnCost;
  return cycles;
}

double Candidate::gain() {
  double products = double(kTaps * kTaps) * depth() * width() * countImages();
  for (const WindowLoops &axis : window.axes)
    products *= double(axis.pixels);
  return products / (2.0 * target.lanes(32)) / transformedCycles();
}

void Candidate::turnOperands(IRRewriter &rewriter) {
  auto layLast = [&](OpOperand *operand, unsigned loop) {
    if (isLast(operand, loop))
      return;
    if (window.op.isDpsInit(operand))
      turnOutput(rewriter, window.op, loop);
    else
      turnInput(rewriter, window.op, *operand, loop);
  };
  layLast(window.x, window.channel);
  layLast(window.pixels, window.filter);
  if (!window.sumsPixels())
    layLast(window.filters, window.filter);
}

/// Groups of blocks that threads may share; 1 if it is too little for that.
int64_t Candidate::countParts(int64_t grain) {
  // Each has memory of its own, so that more are not free.
  constexpr int64_t kMostParts = 16;
  if (window.sumsPixels() || grain == 0 || transformedCycles() < 2.0 * double(grain))
    return 1;
  WinogradBlocks cut = blocks();
  int64_t images = window.size(window.image);
  if (ShapedType::isDynamic(images))
    return kMostParts;
  return std::min(kMostParts, images / cut.images * (cut.wholeTiles[0] / cut.rows));
}

class Winograd : public impl::WinogradPassBase<Winograd> {
  using WinogradPassBase::WinogradPassBase;

  void runOnOperation() override {
    std::optional<TargetDescription> target = findPassTarget(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    DenseSet<Value> early;
    if (splitsPreparation)
      early = BindingTimes(getOperation()).earlyValues();
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) { ops.push_back(op); });
    for (linalg::GenericOp op : ops)
      if (std::optional<WindowContraction> window = matchWindowContraction(op))
        rewrite(rewriter, *window, *target, early);
  }

  void rewrite(IRRewriter &rewriter, WindowContraction window, const TargetDescription &target,
               const DenseSet<Value> &early) {
    constexpr double kWorthIt = 1.3;
    bool hasFreeFilters = early.contains(rootBuffer(window.filters->get()));
    Candidate candidate(window, target, hasFreeFilters);
    if (!candidate.isPossible())
      return;
    Location loc = window.op.getLoc();
    double gain = candidate.gain();
    if (gain < kWorthIt) {
      remarkLeft(loc, "winograd") << "computed as it is: there is too little of it beside the "
                                     "transforms that would spare products";
      return;
    }
    remarkDone(loc, "winograd") << remark::add(
        "computed in tiles of four by four, which take 16 products instead of 36: about {0:f1} "
        "times as fast",
        gain);
    int64_t parts = candidate.countParts(grain);
    candidate.turnOperands(rewriter);
    // Two vectors, as for any product of matrices.
    WinogradEmitter(rewriter, window, candidate.blocks(), parts, 2 * target.lanes(32)).replace();
  }
};

} // namespace
} // namespace nnc
