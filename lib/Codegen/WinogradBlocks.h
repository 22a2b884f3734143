//===- WinogradBlocks.h - How the pixels of a convolution are cut -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_WINOGRADBLOCKS_H
#define NNC_LIB_CODEGEN_WINOGRADBLOCKS_H

#include "WindowContraction.h"

namespace nnc {

/// How the pixels of a contraction are cut: into tiles, and these into blocks whose transformed elements stay
/// in a near cache. A block is some images, or of one image some rows of tiles.
struct WinogradBlocks {
  /// Pixels, and whole tiles, along each axis; what is left over is one tile more, of which the second pixel
  /// counts alone.
  int64_t pixels[2], wholeTiles[2];
  int64_t images = 1, rows = 0;

  int64_t tiles(unsigned axis) const { return (pixels[axis] + 1) / 2; }
  bool takesWholeImages() const { return rows == wholeTiles[0]; }
  /// Most tiles in a block.
  int64_t rowsInBuffer() const { return takesWholeImages() ? tiles(0) : rows; }
};

/// Cuts so that about this many tiles are a block.
WinogradBlocks chooseBlocks(const WindowContraction &contraction, int64_t wantedTiles);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_WINOGRADBLOCKS_H
