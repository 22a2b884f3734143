//===- TileProduct.cpp - How threads multiply what is in shared memory ----===//
//
// The block's warps are 2 x 4 parts of the tile, or 8 in a column. In f32 a thread has fours of rows and of columns,
// so that a warp reads from all banks at once: prototypes/gpu/gen_simt.py, 90 % of the loop's instructions are
// multiply-adds. Where both factors are of f16 or bf16, a warp multiplies 16 rows by 8 columns of 16 terms at once
// (mma.sync): the products are exact and summed in f32, as they are elsewhere. Of factors of f32 the unit reads but 10
// bits behind the point (tf32), to which they are rounded where that is asked for. Groups of four warps:
// WarpgroupProduct.cpp.
//
//===----------------------------------------------------------------------===//
#include "TileProduct.h"

#include "Launch.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {
namespace {

/// Zeros, one for each sum.
SmallVector<Value> zeros(OpBuilder &b, Location loc, const Tile &tile) {
  Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
  return SmallVector<Value>(tile.threadRows * tile.threadColumns, zero);
}

/// Where the thread's warp is in the tile, and the thread in it.
struct WarpPlace {
  Value firstRow, firstColumn, lane;
};

WarpPlace findWarp(OpBuilder &b, Location loc, const Tile &tile, Value thread) {
  IndexMath math(b, loc);
  Value warp = math.divide(thread, kWarpSize);
  return {math.scale(math.divide(warp, tile.warpsAcross()), tile.warpRows()),
          math.scale(math.remainder(warp, tile.warpsAcross()), tile.warpColumns()),
          math.remainder(thread, kWarpSize)};
}

//===-- Numbers -----------------------------------------------------------===//

class NumberProduct : public TileProduct {
public:
  NumberProduct(OpBuilder &b, Location where, const Tile &shape, Value thread)
      : loc(where), tile(shape) {
    IndexMath math(b, loc);
    WarpPlace warp = findWarp(b, loc, tile, thread);
    firstRow =
        math.add(warp.firstRow, math.scale(math.divide(warp.lane, 4), group(tile.threadRows)));
    firstColumn = math.add(warp.firstColumn,
                           math.scale(math.remainder(warp.lane, 4), group(tile.threadColumns)));
  }

  SmallVector<Value> rows(OpBuilder &b) const override {
    return places(b, firstRow, tile.threadRows, tile.warpRows());
  }
  SmallVector<Value> columns(OpBuilder &b) const override {
    return places(b, firstColumn, tile.threadColumns, tile.warpColumns());
  }
  int64_t neighbours() const override { return group(tile.threadColumns); }
  SmallVector<Value> start(OpBuilder &b) const override { return zeros(b, loc, tile); }
  SmallVector<Value> add(OpBuilder &b, const TileFactor &left, const TileFactor &right, Value stage,
                         ValueRange sums) const override;

private:
  static int64_t group(int64_t count) { return std::min<int64_t>(count, 4); }
  /// Those of a thread that begins at `first`: groups that are spread over the warp's places.
  SmallVector<Value> places(OpBuilder &b, Value first, int64_t count, int64_t ofWarp) const {
    SmallVector<Value> found;
    for (int64_t i = 0; i < count; ++i)
      found.push_back(IndexMath(b, loc).add(
          first, i / group(count) * (ofWarp * group(count) / count) + i % group(count)));
    return found;
  }
  SmallVector<Value> load(OpBuilder &b, const TileFactor &factor, ArrayRef<Value> places,
                          Value stage, Value term) const;

  Location loc;
  Tile tile;
  Value firstRow, firstColumn;
};

SmallVector<Value> NumberProduct::load(OpBuilder &b, const TileFactor &factor,
                                       ArrayRef<Value> places, Value stage, Value term) const {
  SmallVector<Value> values;
  int64_t width = group(places.size());
  auto type = VectorType::get(width, factor.elementType());
  for (size_t i = 0; i < places.size(); i += width) {
    Value vector = vector::LoadOp::create(
        b, loc, type, factor.memory(), factor.at(b, stage, places[i], term), /*nontemporal=*/false,
        llvm::MaybeAlign(width * factor.elementType().getIntOrFloatBitWidth() / 8));
    for (int64_t lane = 0; lane < width; ++lane)
      values.push_back(vector::ExtractOp::create(b, loc, vector, lane));
  }
  return values;
}

SmallVector<Value> NumberProduct::add(OpBuilder &b, const TileFactor &left, const TileFactor &right,
                                      Value stage, ValueRange sums) const {
  IndexMath math(b, loc);
  SmallVector<Value> rowsHere = rows(b), columnsHere = columns(b);
  auto loop = scf::ForOp::create(b, loc, math.constant(0), math.constant(tile.terms),
                                 math.constant(1), sums);
  // Of all terms at once ptxas would load everything before it multiplies, and run out of registers.
  setUnrolling(loop, sums.size() > 32 ? 2 : 4);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value term = loop.getInductionVar();
  SmallVector<Value> ofRows = load(b, left, rowsHere, stage, term),
                     ofColumns = load(b, right, columnsHere, stage, term);
  SmallVector<Value> next;
  for (auto [index, sum] : llvm::enumerate(loop.getRegionIterArgs()))
    next.push_back(math::FmaOp::create(b, loc, ofRows[index / tile.threadColumns],
                                       ofColumns[index % tile.threadColumns], sum));
  scf::YieldOp::create(b, loc, next);
  return llvm::to_vector_of<Value>(loop.getResults());
}

//===-- Matrices ----------------------------------------------------------===//

/// A warp has products of 16 x 8; of each a lane has two neighbours in row lane / 4, and two 8 rows below.
class MatrixProduct : public TileProduct {
public:
  MatrixProduct(OpBuilder &b, Location where, const Tile &shape, Type factorType, Value thread)
      : loc(where), tile(shape), type(factorType), warp(findWarp(b, where, shape, thread)) {}

  SmallVector<Value> rows(OpBuilder &b) const override {
    IndexMath math(b, loc);
    Value first = math.add(warp.firstRow, math.divide(warp.lane, 4));
    SmallVector<Value> found;
    for (int64_t i = 0; i < tile.threadRows; ++i)
      found.push_back(math.add(first, 8 * i));
    return found;
  }
  SmallVector<Value> columns(OpBuilder &b) const override {
    IndexMath math(b, loc);
    Value first = math.add(warp.firstColumn, math.scale(math.remainder(warp.lane, 4), 2));
    SmallVector<Value> found;
    for (int64_t i = 0; i < tile.threadColumns; ++i)
      found.push_back(math.add(first, i / 2 * 8 + i % 2));
    return found;
  }
  int64_t neighbours() const override { return 2; }
  SmallVector<Value> start(OpBuilder &b) const override { return zeros(b, loc, tile); }
  SmallVector<Value> add(OpBuilder &b, const TileFactor &left, const TileFactor &right, Value stage,
                         ValueRange sums) const override;

private:
  /// What a lane has of a factor for some products.
  using Fragments = SmallVector<SmallVector<Value>>;

  bool isRounded() const { return type.isTF32(); }
  SmallVector<Value> load(OpBuilder &b, const TileFactor &factor, Value firstPlace, Value stage,
                          int64_t firstTerm, bool placesFirst) const;
  Value loadRounded(OpBuilder &b, const TileFactor &factor, Value firstPlace, Value stage,
                    int64_t firstTerm) const;
  SmallVector<Value> loadRow(OpBuilder &b, const TileFactor &factor, int64_t i, Value stage,
                             int64_t firstTerm) const;
  Fragments loadColumns(OpBuilder &b, const TileFactor &factor, Value stage,
                        int64_t firstTerm) const;

  Location loc;
  Tile tile;
  Type type;
  WarpPlace warp;
};

/// Four matrices of 8 places by 8 terms as the unit takes them, the next ones 8 places or 8 terms on: of the left
/// factor places first, of the right one terms.
SmallVector<Value> MatrixProduct::load(OpBuilder &b, const TileFactor &factor, Value firstPlace,
                                       Value stage, int64_t firstTerm, bool placesFirst) const {
  IndexMath math(b, loc);
  // A lane says where one row of one matrix is: lanes 0 to 7 of the first, and so on.
  Value inMatrix = math.remainder(warp.lane, 8),
        near = math.scale(math.remainder(math.divide(warp.lane, 8), 2), 8),
        far = math.scale(math.divide(warp.lane, 16), 8);
  Value place = math.add(firstPlace, placesFirst ? near : far),
        term = math.add(placesFirst ? far : near, firstTerm);
  bool isTurned = !factor.termsLieTogether();
  if (isTurned)
    term = math.add(term, inMatrix);
  else
    place = math.add(place, inMatrix);
  Value matrices = nvgpu::LdMatrixOp::create(b, loc, VectorType::get({4, 2}, type), factor.memory(),
                                             factor.at(b, stage, place, term), isTurned, 4);
  SmallVector<Value> pairs;
  for (int64_t i = 0; i < 4; ++i) {
    Value pair = vector::ExtractOp::create(b, loc, matrices, i);
    if (!type.isF16()) {
      Value bits = vector::BitCastOp::create(b, loc, VectorType::get(1, b.getI32Type()), pair);
      pair = vector::ExtractOp::create(b, loc, bits, 0);
    }
    pairs.push_back(pair);
  }
  return pairs;
}

/// One of 8 places and 4 terms, with the 10 bits that the unit reads.
Value MatrixProduct::loadRounded(OpBuilder &b, const TileFactor &factor, Value firstPlace,
                                 Value stage, int64_t firstTerm) const {
  IndexMath math(b, loc);
  Value place = math.add(firstPlace, math.divide(warp.lane, 4)),
        term = math.add(math.remainder(warp.lane, 4), firstTerm);
  Value number = memref::LoadOp::create(b, loc, factor.memory(), factor.at(b, stage, place, term));
  return NVVM::ConvertFloatToTF32Op::create(b, loc, b.getI32Type(), number,
                                            NVVM::FPRoundingMode::RNA);
}

/// Of 16 rows and a step's terms.
SmallVector<Value> MatrixProduct::loadRow(OpBuilder &b, const TileFactor &factor, int64_t i,
                                          Value stage, int64_t firstTerm) const {
  IndexMath math(b, loc);
  Value upper = math.add(warp.firstRow, 8 * i);
  if (!isRounded())
    return load(b, factor, upper, stage, firstTerm, /*placesFirst=*/true);
  Value lower = math.add(upper, 8);
  return {loadRounded(b, factor, upper, stage, firstTerm),
          loadRounded(b, factor, lower, stage, firstTerm),
          loadRounded(b, factor, upper, stage, firstTerm + 4),
          loadRounded(b, factor, lower, stage, firstTerm + 4)};
}

/// Of all columns, 8 each.
MatrixProduct::Fragments MatrixProduct::loadColumns(OpBuilder &b, const TileFactor &factor,
                                                    Value stage, int64_t firstTerm) const {
  IndexMath math(b, loc);
  Fragments fragments;
  for (int64_t j = 0; j < tile.threadColumns; j += 4) {
    Value first = math.add(warp.firstColumn, 4 * j), second = math.add(first, 8);
    if (isRounded()) {
      for (Value place : {first, second})
        fragments.push_back({loadRounded(b, factor, place, stage, firstTerm),
                             loadRounded(b, factor, place, stage, firstTerm + 4)});
      continue;
    }
    SmallVector<Value> both = load(b, factor, first, stage, firstTerm, /*placesFirst=*/false);
    fragments.push_back({both[0], both[1]});
    fragments.push_back({both[2], both[3]});
  }
  return fragments;
}

SmallVector<Value> MatrixProduct::add(OpBuilder &b, const TileFactor &left, const TileFactor &right,
                                      Value stage, ValueRange sums) const {
  SmallVector<Value> next(sums);
  Type result =
      LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  NVVM::MMATypes factorType = isRounded()    ? NVVM::MMATypes::tf32
                              : type.isF16() ? NVVM::MMATypes::f16
                                             : NVVM::MMATypes::bf16;
  int64_t termsAtOnce = isRounded() ? 8 : 16;
  for (int64_t term = 0; term < tile.terms; term += termsAtOnce) {
    Fragments ofColumns = loadColumns(b, right, stage, term);
    for (int64_t i = 0; i < tile.threadRows; i += 2) {
      SmallVector<Value> ofRows = loadRow(b, left, i, stage, term);
      for (int64_t j = 0; j < tile.threadColumns; j += 2) {
        auto sumAt = [&](int64_t part) -> Value & {
          return next[(i + part / 2) * tile.threadColumns + j + part % 2];
        };
        auto product = NVVM::MmaOp::create(b, loc, result, ofRows, ofColumns[j / 2],
                                           ValueRange{sumAt(0), sumAt(1), sumAt(2), sumAt(3)},
                                           ArrayRef<int64_t>{16, 8, termsAtOnce}, std::nullopt,
                                           std::nullopt, std::array{factorType, factorType},
                                           std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
        for (int64_t part = 0; part < 4; ++part)
          sumAt(part) = LLVM::ExtractValueOp::create(b, loc, product, part);
      }
    }
  }
  return next;
}

} // namespace

std::unique_ptr<TileProduct> createTileProduct(OpBuilder &b, Location loc, const Tile &tile,
                                               Type matrixType, Value thread) {
  switch (tile.unit) {
  case ProductUnit::Threads:
    return std::make_unique<NumberProduct>(b, loc, tile, thread);
  case ProductUnit::Warps:
    return std::make_unique<MatrixProduct>(b, loc, tile, matrixType, thread);
  case ProductUnit::Warpgroups:
    return createWarpgroupProduct(b, loc, tile, matrixType, thread);
  }
  llvm_unreachable("all units are there");
}

} // namespace nnc
