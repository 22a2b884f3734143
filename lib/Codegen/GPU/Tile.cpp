//===- Tile.cpp - What a block computes of a contraction ------------------===//
#include "Tile.h"

using namespace mlir;

namespace nnc {

namespace {

/// By how many places of the result there are.
struct Tiles {
  /// The largest first.
  ArrayRef<Tile> square;
  Tile narrow, flat;
};

constexpr auto kWarps = ProductUnit::Warps;
constexpr auto kWarpgroups = ProductUnit::Warpgroups;

// Two blocks of 256 threads have all registers of a multiprocessor, and there is shared memory for both.
constexpr Tile kNumbers[] = {{128, 128, 8, 8, 8}, {64, 64, 4, 4, 16}};
constexpr Tile kShortMatrices[] = {{128, 128, 8, 8, 32, 4, 8, 2, kWarps},
                                   {64, 64, 4, 4, 32, 4, 8, 2, kWarps}};
constexpr Tile kRoundedMatrices[] = {{128, 128, 8, 8, 16, 4, 8, 2, kWarps},
                                     {64, 64, 4, 4, 16, 4, 8, 2, kWarps}};
// Each of two warpgroups has 64 rows, or half of the columns. The largest has one multiprocessor by itself.
constexpr Tile kAlignedMatrices[] = {{128, 256, 2, 64, 64, 4, 0, 1, kWarpgroups},
                                     {128, 128, 2, 32, 64, 3, 0, 2, kWarpgroups},
                                     {64, 64, 2, 8, 64, 4, 0, 2, kWarpgroups}};
// The same with all of a multiprocessor's memory, and a warpgroup that only copies.
constexpr Tile kTensors[] = {{128, 256, 2, 64, 64, 4, 0, 1, kWarpgroups, true},
                             {128, 128, 2, 32, 64, 6, 0, 1, kWarpgroups, true},
                             {64, 64, 2, 8, 64, 4, 0, 2, kWarpgroups}};
// What comes in small pieces comes in many: of fewer terms at a time, threads have registers for all.
constexpr Tile kLooseMatrices[] = {{128, 128, 2, 32, 32, 4, 0, 2, kWarpgroups},
                                   {64, 64, 2, 8, 32, 4, 0, 2, kWarpgroups}};

Tiles findTiles(ProductUnit unit, Type matrixType, int64_t bytesAtOnce, bool areTensors) {
  /// What a thread copies at once.
  constexpr int64_t kWhole = 16;
  switch (unit) {
  case ProductUnit::Threads:
    return {kNumbers, {128, 16, 8, 1, 16}, {16, 128, 1, 8, 16}};
  case ProductUnit::Warps: {
    int64_t terms = matrixType.isTF32() ? 16 : 32;
    return {matrixType.isTF32() ? kRoundedMatrices : kShortMatrices,
            {128, 16, 2, 4, terms, 4, 8, 2, kWarps},
            {16, 128, 2, 4, terms, 4, 8, 2, kWarps}};
  }
  case ProductUnit::Warpgroups:
    if (bytesAtOnce < kWhole)
      return {kLooseMatrices, {128, 16, 2, 4, 32, 4, 0, 2, kWarpgroups}, {}};
    return {areTensors ? ArrayRef(kTensors) : ArrayRef(kAlignedMatrices),
            {128, 16, 2, 4, 64, 4, 0, 2, kWarpgroups},
            {}};
  }
  llvm_unreachable("all units are there");
}

} // namespace

Tile chooseTile(linalg::GenericOp op, const Contraction &contraction, ProductUnit unit,
                Type matrixType, int64_t bytesAtOnce, bool areTensors) {
  /// Blocks that a GPU runs at once.
  constexpr int64_t kFewBlocks = 128;
  constexpr int64_t kFew = 16;
  int64_t rows = estimateCount(op, contraction.rows),
          columns = estimateCount(op, contraction.columns);
  Tiles tiles = findTiles(unit, matrixType, bytesAtOnce, areTensors);
  if (columns <= kFew)
    return tiles.narrow;
  if (rows <= kFew)
    return tiles.flat;
  int64_t results = estimateCount(op, contraction.batch) * rows * columns;
  for (const Tile &tile : tiles.square) {
    bool isHalfEmpty = rows <= tile.rows / 2 || columns <= tile.columns / 2;
    if (!isHalfEmpty && results / (tile.rows * tile.columns) >= kFewBlocks)
      return tile;
  }
  return tiles.square.back();
}

} // namespace nnc
