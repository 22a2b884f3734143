//===- TensorCopy.cpp - What copies tiles of tensors ----------------------===//
#include "TensorCopy.h"

namespace nnc {

int64_t TensorMap::boxElements() const {
  int64_t count = 1;
  for (int32_t axis = 0; axis < numAxes; ++axis)
    count *= axes[axis].box;
  return count;
}

void TensorMap::visit(const int32_t (&coordinates)[kMostAxes], const char *to,
                      const std::function<void(const char *, char *)> &use) const {
  const Axis &innermost = axes[numAxes - 1];
  int64_t numLines = boxElements() / innermost.box;
  for (int64_t line = 0; line < numLines; ++line) {
    int64_t rest = line, offset = 0;
    bool exists = true;
    for (int32_t axis = numAxes - 1; axis-- > 0; rest /= axes[axis].box) {
      int64_t index = coordinates[numAxes - 1 - axis] + rest % axes[axis].box;
      exists &= index >= 0 && index < axes[axis].size;
      offset += index * axes[axis].strideBytes;
    }
    for (int64_t column = 0; column < innermost.box; ++column) {
      int64_t index = coordinates[0] + column;
      // Lines of 128 bytes: the number of one among eight flips its units of 16.
      uintptr_t address = reinterpret_cast<uintptr_t>(to) +
                          uintptr_t((line * innermost.box + column) * elementBytes);
      address ^= (address >> 7 & 7) << 4;
      use(exists && index >= 0 && index < innermost.size ? base + offset + index * elementBytes
                                                         : nullptr,
          reinterpret_cast<char *>(address));
    }
  }
}

} // namespace nnc
