//===- VisibleColumns.h - The columns that a mask lets a group see -*- C++ -*-===//
//
// Where a mask hides most of a row from attention, what a group computes for that part of the row changes nothing: its
// weights are 0, and nobody else looks at it. The group leaves it out.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_VISIBLECOLUMNS_H
#define NNC_LIB_CODEGEN_VISIBLECOLUMNS_H

#include "BandMask.h"
#include "FusionGroup.h"

#include "llvm/ADT/MapVector.h"

namespace nnc {

/// A buffer that is 0 outside of a band of two of its axes, and stays so except for what these operations do.
struct BandMatrix {
  unsigned rowAxis, columnAxis;
  Band band;
  /// In its block, from where to where it is written.
  mlir::Operation *first, *last;
};
using BandMatrices = llvm::DenseMap<mlir::Value, BandMatrix>;

struct VisibleColumns {
  Band band;
  /// How many rows and columns there are.
  int64_t numRows, numColumns;
  /// For each member, its loop over the columns, if it has one.
  llvm::SmallVector<std::optional<unsigned>> loops;
  /// The axes of the buffers that have rows and columns.
  struct Axes {
    unsigned row, column;
  };
  llvm::MapVector<mlir::Value, Axes> matrices;
  /// Those of them that others read, too, and that nothing is known of yet: they are to be 0 where they are hidden.
  llvm::SmallVector<mlir::Value> cleared;

  /// The columns that rows [begin, end) see, at least one.
  std::pair<int64_t, int64_t> of(int64_t begin, int64_t end) const;
};

/// What the mask that a member reads lets the last shared loop see, if all that is computed for the rest of its rows is
/// without effect. `known` are matrices that former groups wrote.
std::optional<VisibleColumns> findVisibleColumns(const FusionGroup &group,
                                                 const BandMatrices &known);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_VISIBLECOLUMNS_H
