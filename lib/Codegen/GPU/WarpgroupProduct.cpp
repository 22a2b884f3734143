//===- WarpgroupProduct.cpp - Products by groups of four warps ------------===//
//
// wgmma multiplies 64 rows by up to 256 columns of 16 terms, which it reads from shared memory by itself, while the
// threads go on: prototypes/gpu/gen_wgmma.py. The products of a stage are one group; when the next one's are on
// their way a thread waits for it, so that the unit always has work. Until then the registers of the sums are
// the unit's: they are one value, a structure, that is taken apart only behind the wait.
//
// The unit reads through the asynchronous proxy: what threads write, and what cp.async writes for them, it sees if
// they fence that before they meet.
//
//===----------------------------------------------------------------------===//
#include "TileProduct.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace nnc {
namespace {

constexpr int64_t kGroupSize = 128, kGroupRows = 64, kWarpRows = 16, kTermsAtOnce = 16;

class WarpgroupProduct : public TileProduct {
public:
  WarpgroupProduct(OpBuilder &b, Location where, const Tile &shape, Type factorType, Value thread);

  SmallVector<Value> rows(OpBuilder &b) const override;
  SmallVector<Value> columns(OpBuilder &b) const override;
  int64_t neighbours() const override { return 2; }

  int64_t stagesBehind() const override { return 1; }
  void publish(OpBuilder &b) const override;
  SmallVector<Value> start(OpBuilder &b) const override;
  SmallVector<Value> add(OpBuilder &b, const TileFactor &left, const TileFactor &right, Value stage,
                         ValueRange carried) const override;
  SmallVector<Value> finish(OpBuilder &b, ValueRange carried) const override;

private:
  int64_t numSums() const { return tile.threadRows * tile.threadColumns; }
  Type sumsType(OpBuilder &b) const {
    return LLVM::LLVMStructType::getLiteral(b.getContext(),
                                            SmallVector<Type>(numSums(), b.getF32Type()));
  }

  Location loc;
  Tile tile;
  NVVM::WGMMATypes type;
  /// Of the group in the tile, and of the thread in the group.
  Value groupRow, groupColumn, row, column;
};

WarpgroupProduct::WarpgroupProduct(OpBuilder &b, Location where, const Tile &shape, Type factorType,
                                   Value thread)
    : loc(where), tile(shape),
      type(factorType.isF16() ? NVVM::WGMMATypes::f16 : NVVM::WGMMATypes::bf16) {
  IndexMath math(b, loc);
  Value group = math.divide(thread, kGroupSize), inGroup = math.remainder(thread, kGroupSize);
  groupRow = math.scale(math.divide(group, tile.warpsAcross()), kGroupRows);
  groupColumn = math.scale(math.remainder(group, tile.warpsAcross()), tile.warpColumns());
  Value lane = math.remainder(inGroup, 32);
  row = math.add(math.scale(math.divide(inGroup, 32), kWarpRows), math.divide(lane, 4));
  column = math.scale(math.remainder(lane, 4), 2);
}

/// A lane has two neighbours in row lane / 4 of its warp's, of each eight columns, and two 8 rows below.
SmallVector<Value> WarpgroupProduct::rows(OpBuilder &b) const {
  IndexMath math(b, loc);
  Value first = math.add(groupRow, row);
  return {first, math.add(first, 8)};
}

SmallVector<Value> WarpgroupProduct::columns(OpBuilder &b) const {
  IndexMath math(b, loc);
  Value first = math.add(groupColumn, column);
  SmallVector<Value> found;
  for (int64_t i = 0; i < tile.threadColumns; ++i)
    found.push_back(math.add(first, i / 2 * 8 + i % 2));
  return found;
}

void WarpgroupProduct::publish(OpBuilder &b) const {
  auto space = NVVM::SharedSpaceAttr::get(b.getContext(), NVVM::SharedSpace::shared_cta);
  NVVM::FenceProxyOp::create(b, loc, NVVM::ProxyKind::async_shared, space);
}

SmallVector<Value> WarpgroupProduct::start(OpBuilder &b) const {
  return {LLVM::ZeroOp::create(b, loc, sumsType(b))};
}

SmallVector<Value> WarpgroupProduct::add(OpBuilder &b, const TileFactor &left,
                                         const TileFactor &right, Value stage,
                                         ValueRange carried) const {
  auto *context = b.getContext();
  auto shape =
      NVVM::MMAShapeAttr::get(context, kGroupRows, int(tile.warpColumns()), int(kTermsAtOnce));
  auto rowLayout = left.termsLieTogether() ? NVVM::MMALayout::row : NVVM::MMALayout::col;
  auto columnLayout = right.termsLieTogether() ? NVVM::MMALayout::col : NVVM::MMALayout::row;
  Value ofRows = left.describe(b, stage, groupRow),
        ofColumns = right.describe(b, stage, groupColumn), sums = carried.front();
  NVVM::WgmmaFenceAlignedOp::create(b, loc);
  for (int64_t term = 0; term < tile.terms; term += kTermsAtOnce)
    sums = NVVM::WgmmaMmaAsyncOp::create(
        b, loc, sums.getType(), sums, left.describe(b, ofRows, term),
        right.describe(b, ofColumns, term), shape, type, type, NVVM::WGMMATypes::f32,
        NVVM::WGMMAScaleOut::one, NVVM::WGMMAScaleIn::one, NVVM::WGMMAScaleIn::one, rowLayout,
        columnLayout, NVVM::MMAIntOverflowAttr());
  NVVM::WgmmaGroupSyncAlignedOp::create(b, loc);
  NVVM::WgmmaWaitGroupSyncOp::create(b, loc, stagesBehind());
  return {sums};
}

SmallVector<Value> WarpgroupProduct::finish(OpBuilder &b, ValueRange carried) const {
  NVVM::WgmmaWaitGroupSyncOp::create(b, loc, 0);
  SmallVector<Value> sums;
  for (int64_t i = 0; i < tile.threadRows; ++i)
    for (int64_t j = 0; j < tile.threadColumns; ++j)
      sums.push_back(
          LLVM::ExtractValueOp::create(b, loc, carried.front(), j / 2 * 4 + 2 * i + j % 2));
  return sums;
}

} // namespace

std::unique_ptr<TileProduct> createWarpgroupProduct(OpBuilder &b, Location loc, const Tile &tile,
                                                    Type matrixType, Value thread) {
  return std::make_unique<WarpgroupProduct>(b, loc, tile, matrixType, thread);
}

} // namespace nnc
