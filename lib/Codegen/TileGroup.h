//===- TileGroup.h - What is done with a matrix tile by tile ----*- C++ -*-===//
//
// Operations that sum along the rows of a matrix, or along its columns, with those that make the matrix: each block of
// threads has some of the rows (or columns), the anchor, and goes along the others, the stream, making a tile of the
// matrix at a time. The matrix as a whole is nowhere. Sums along the stream go on from tile to tile, in order; what
// reads one of them before it is complete is mended (PendingFactors.h).
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_TILEGROUP_H
#define NNC_LIB_CODEGEN_TILEGROUP_H

#include "FusionGroup.h"
#include "PendingFactors.h"

#include "llvm/ADT/MapVector.h"

namespace nnc {

struct TileMember {
  const FusionMember *member;
  /// For each of its loops, the dimension of the group that it goes along.
  llvm::SmallVector<std::optional<unsigned>> dims;
  /// Whether it sums along the stream.
  bool isSum = false;
};

class TileGroup {
public:
  /// `sum` with what makes the matrix that it sums along an axis of, if rows of that matrix do not fit in memory near
  /// a block of threads.
  static std::optional<TileGroup> find(const FusionCandidates &candidates, const FusionMember &sum);
  /// Both in one, if they have parts of a matrix in common.
  std::optional<TileGroup> with(const TileGroup &other) const;

  /// In program order.
  llvm::ArrayRef<TileMember> members() const { return inOrder; }
  const FusionMember &last() const { return *inOrder.back().member; }
  /// Batch, anchor and stream: how long each is, and how much of it a tile has.
  llvm::ArrayRef<int64_t> sizes() const { return dimSizes; }
  int64_t blockOf(unsigned dim) const {
    return dim == anchor() || dim == stream() ? blocks[dim == stream()] : 1;
  }
  unsigned anchor() const { return dimSizes.size() - 2; }
  unsigned stream() const { return dimSizes.size() - 1; }

  /// For each axis of a buffer, the dimension that it goes along.
  using Axes = llvm::SmallVector<std::optional<unsigned>>;
  /// Buffers of which a block has a tile at a time, and those with sums.
  const llvm::MapVector<mlir::Value, Axes> &tiles() const { return tileAxes; }
  const llvm::MapVector<mlir::Value, Axes> &sums() const { return sumAxes; }
  const Pending &pendingOf(mlir::Value sum) const { return pending.find(sum)->second; }
  /// Whether members read the maximum in this buffer while it grows.
  bool isRunningMaximum(mlir::Value root) const { return runningMaxima.contains(root); }
  /// Whether a member reads in `root` a sum that is not complete.
  bool isSumRead(mlir::Value root, const TileMember &by) const;
  /// The shape of what a block has of `root`.
  llvm::SmallVector<int64_t> blockShape(mlir::Value root) const;
  /// The mask that a member compares its place with instead of reading it; null if it reads it, or none.
  const BandMask *maskOf(const TileMember &member, const BufferAccess &access) const;
  /// What the masks of members let through of the stream; all where they let through anything else.
  std::optional<Band> findBand() const;
  /// How many blocks of threads there are.
  double countTurns() const;
  /// Which buffers a member reads from memory as they are.
  llvm::SmallVector<mlir::Value> leavesOf(const TileMember &member) const;
  /// Whether tiles of large matrices are made and used by products.
  bool isOfProducts() const;

private:
  explicit TileGroup(const FusionCandidates &all) : candidates(&all) {}
  bool startFrom(const FusionMember &sum);
  bool pull(const FusionMember &member, const BufferAccess &result, const Axes &axes);
  bool pullInputs(const TileMember &member);
  bool finish();
  bool followPending();
  bool canMend(mlir::Value sum, mlir::Value factors) const;
  bool chooseBlocks();
  Axes axesOf(const TileMember &member, const BufferAccess &access) const;
  bool isMatrix(const Axes &axes) const;

  const FusionCandidates *candidates;
  llvm::SmallVector<int64_t> dimSizes;
  std::array<int64_t, 2> blocks;
  llvm::SmallVector<TileMember> inOrder;
  llvm::MapVector<mlir::Value, Axes> tileAxes, sumAxes;
  llvm::DenseMap<mlir::Value, Pending> pending;
  llvm::DenseSet<mlir::Value> runningMaxima;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_TILEGROUP_H
