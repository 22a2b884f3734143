//===- Tile.cpp - What a block computes of a contraction ------------------===//
#include "Tile.h"

using namespace mlir;

namespace nnc {

namespace {

/// By how many places of the result there are.
struct Tiles {
  Tile large, small, narrow, flat;
};

// Two blocks of 256 threads have all registers of a multiprocessor, and there is shared memory for both.
constexpr Tiles kNumbers{
    {128, 128, 8, 8, 8}, {64, 64, 4, 4, 16}, {128, 16, 8, 1, 16}, {16, 128, 1, 8, 16}};
constexpr Tiles kShortMatrices{{128, 128, 8, 8, 32, 4, 8},
                               {64, 64, 4, 4, 32, 4, 8},
                               {128, 16, 2, 4, 32, 4, 8},
                               {16, 128, 2, 4, 32, 4, 8}};
constexpr Tiles kRoundedMatrices{{128, 128, 8, 8, 16, 4, 8},
                                 {64, 64, 4, 4, 16, 4, 8},
                                 {128, 16, 2, 4, 16, 4, 8},
                                 {16, 128, 2, 4, 16, 4, 8}};

} // namespace

Tile chooseTile(linalg::GenericOp op, const Contraction &contraction, Type matrixType) {
  /// Blocks that a GPU runs at once.
  constexpr int64_t kFewBlocks = 128;
  constexpr int64_t kFew = 16;
  int64_t rows = estimateCount(op, contraction.rows),
          columns = estimateCount(op, contraction.columns);
  const Tiles &tiles = !matrixType           ? kNumbers
                       : matrixType.isTF32() ? kRoundedMatrices
                                             : kShortMatrices;
  if (columns <= kFew)
    return tiles.narrow;
  if (rows <= kFew)
    return tiles.flat;
  int64_t blocks = estimateCount(op, contraction.batch) * rows * columns /
                   (tiles.large.rows * tiles.large.columns);
  return blocks < kFewBlocks ? tiles.small : tiles.large;
}

} // namespace nnc
