//===- Tile.h - What a block computes of a contraction ----------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_TILE_H
#define NNC_LIB_CODEGEN_GPU_TILE_H

#include "Contraction.h"

namespace nnc {

/// Who multiplies what is in the block's memory.
enum class ProductUnit {
  /// Each thread, in f32.
  Threads,
  /// Warps, with the unit for matrices (mma.sync).
  Warps,
  /// Groups of four warps, with that which reads the block's memory by itself (wgmma).
  Warpgroups,
};

/// What a block computes, and a thread of it, and of how many terms at a time. A warp has 8 times as many rows as a
/// thread, and 4 times as many columns.
struct Tile {
  int64_t rows, columns, threadRows, threadColumns, terms;
  /// Buffers in shared memory: while one is used the others are filled.
  int64_t stages = 4;
  /// Elements behind each row of a buffer, for its rows to begin in different banks.
  int64_t gap = 4;
  /// Blocks that a multiprocessor should have at once.
  int64_t blocksAtOnce = 2;
  ProductUnit unit = ProductUnit::Threads;
  /// Whether a thread that does nothing else has tensors copied (TMA), not all threads what they multiply.
  bool hasProducer = false;

  int64_t warpRows() const { return 8 * threadRows; }
  int64_t warpColumns() const { return 4 * threadColumns; }
  int64_t warpsAcross() const { return columns / warpColumns(); }
};

/// The tile for `contraction` by `unit`, of factors of `matrixType` if it is one for matrices. Threads bring factors
/// `bytesAtOnce` at a time, or `areTensors` that can be copied tile by tile.
Tile chooseTile(mlir::linalg::GenericOp op, const Contraction &contraction, ProductUnit unit,
                mlir::Type matrixType, int64_t bytesAtOnce, bool areTensors);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_TILE_H
