//===- Tiles.h - Tiles of kernels that measurement chooses ------*- C++ -*-===//
//
// The compiler computes a tile for each kernel. `nnc tune` tries others, and those that are faster on a
// machine are known by a key of the kernel: its loops, how its operands lie, and what it computes. No tile
// changes a result: each element is the same sum in the same order.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_CODEGEN_TILES_H
#define NNC_CODEGEN_TILES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nnc {

struct Tile {
  /// Rows, and vectors of each, whose sums are in registers.
  int64_t rows = 1, columns = 1;
  /// How many terms of a long sum a tile takes at once; 0 where it takes all.
  int64_t block = 0;

  bool operator==(const Tile &other) const {
    return rows == other.rows && columns == other.columns && block == other.block;
  }
  /// "14 x 2", "14 x 2, 256 terms at once".
  std::string str() const;
};

/// By the key of the kernel.
using TunedTiles = std::map<std::string, Tile>;

struct TunableKernel {
  std::string key;
  /// "128 x 64 x sum of 256, f32".
  std::string description;
  /// The one it has, and others worth a try, the likeliest first; none if it has no tile to choose.
  Tile tile;
  std::vector<Tile> others;
};

/// All kernels of a function on buffers, after the phase "prepare", by their numbers.
std::vector<TunableKernel> listTunableKernels(mlir::func::FuncOp function, llvm::StringRef cpu);

/// Gives each kernel that `tiles` knows its tile, as an attribute that planning honours; after the phase
/// "prepare".
std::unique_ptr<mlir::Pass> createApplyTilesPass(std::shared_ptr<const TunedTiles> tiles);

} // namespace nnc

#endif // NNC_CODEGEN_TILES_H
