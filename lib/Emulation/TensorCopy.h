//===- TensorCopy.h - What copies tiles of tensors --------------*- C++ -*-===//
#ifndef NNC_LIB_EMULATION_TENSORCOPY_H
#define NNC_LIB_EMULATION_TENSORCOPY_H

#include <cstdint>
#include <functional>

namespace nnc {

/// A tensor in far memory and the box of it that a copy takes, as cuTensorMapEncodeTiled is told; axes from the outermost
/// on. A kernel has it in the 128 bytes of its parameter.
struct TensorMap {
  static constexpr int32_t kMostAxes = 5;
  struct Axis {
    uint32_t size, box;
    int64_t strideBytes;
  };

  const char *base;
  int32_t elementBytes, numAxes;
  Axis axes[kMostAxes];

  int64_t boxElements() const;
  int64_t boxBytes() const { return boxElements() * elementBytes; }
  /// Calls `use` for each element of the box at `coordinates`, the innermost first: where it is in the tensor (null if
  /// that ends before), and where in the memory of a block, the lines of which change places.
  void visit(const int32_t (&coordinates)[kMostAxes], const char *to,
             const std::function<void(const char *from, char *to)> &use) const;
};
static_assert(sizeof(TensorMap) <= 128, "as large as a tensor map");

} // namespace nnc

#endif // NNC_LIB_EMULATION_TENSORCOPY_H
