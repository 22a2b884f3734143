//===- WinogradBlocks.cpp - How the pixels of a convolution are cut -------===//
#include "WinogradBlocks.h"

#include "WinogradTransforms.h"

using namespace mlir;
using namespace nnc::winograd;

namespace nnc {

/// The largest divisor of `size` that is at most `limit`.
static int64_t largestDivisor(int64_t size, int64_t limit) {
  int64_t divisor = std::max<int64_t>(1, std::min(size, limit));
  while (size % divisor != 0)
    --divisor;
  return divisor;
}

WinogradBlocks chooseBlocks(const WindowContraction &contraction, int64_t wantedTiles) {
  WinogradBlocks blocks;
  for (unsigned axis = 0; axis < 2; ++axis) {
    blocks.pixels[axis] = contraction.axes[axis].pixels;
    blocks.wholeTiles[axis] = blocks.pixels[axis] / kPixels;
  }
  int64_t limit = wantedTiles + wantedTiles / 2, row = blocks.tiles(1),
          image = blocks.tiles(0) * row;
  blocks.rows = blocks.wholeTiles[0];
  if (image > limit) {
    blocks.rows = largestDivisor(blocks.wholeTiles[0], limit / row);
    return blocks;
  }
  int64_t images = contraction.size(contraction.image);
  blocks.images = std::max<int64_t>(1, wantedTiles / image);
  if (!ShapedType::isDynamic(images))
    blocks.images = largestDivisor(images, blocks.images);
  return blocks;
}

} // namespace nnc
