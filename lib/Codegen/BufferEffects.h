//===- BufferEffects.h - What an operation does to memory -------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_BUFFEREFFECTS_H
#define NNC_LIB_CODEGEN_BUFFEREFFECTS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace nnc {

/// The buffers (BufferPlaces.h) that some operations read and write.
class BufferEffects {
public:
  BufferEffects() = default;
  explicit BufferEffects(mlir::Operation *op) { add(op); }

  void add(mlir::Operation *op);
  void add(const BufferEffects &other);
  /// Adds what `root` and all in its regions do, by the effects that each operation declares.
  void addDeclared(mlir::Operation *root);
  /// Whether the two may not change places.
  bool conflictsWith(const BufferEffects &other) const;
  bool mayWrite(mlir::Value root) const { return touchesAll || writes.contains(root); }
  bool mayTouch(mlir::Value root) const { return mayWrite(root) || reads.contains(root); }
  /// Whether all that they do is known.
  bool areKnown() const { return !touchesAll; }
  bool empty() const { return !touchesAll && reads.empty() && writes.empty(); }

private:
  llvm::SmallPtrSet<mlir::Value, 8> reads, writes;
  /// For an operation of which it is not known.
  bool touchesAll = false;
};

/// Whether `isExpected` is true of all that may write to `root` or a view of it.
bool areWriters(mlir::Value root, llvm::function_ref<bool(mlir::Operation *)> isExpected);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_BUFFEREFFECTS_H
