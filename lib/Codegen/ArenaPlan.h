//===- ArenaPlan.h - Where temporaries lie in the workspace -----*- C++ -*-===//
//
// A buffer lives from its first use to its last; buffers whose lives do not overlap may share memory.
// The plan says which buffer lies above which, so that it holds for all sizes: an offset is the largest
// end of the buffers below. Which order needs least is tried out on sizes that TypicalSize.h states.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_ARENAPLAN_H
#define NNC_LIB_CODEGEN_ARENAPLAN_H

#include "SymbolicSizes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace nnc {

struct ArenaBuffer {
  mlir::memref::AllocOp alloc;
  mlir::SmallVector<Dim> dynamicSizes;
  /// A multiple of the alignment.
  Dim bytes;
  /// First and last operation that uses it, in program order.
  unsigned begin = 0, end = 0;
  /// The buffers on which it rests: those that live with it and lie below, but for what lies below these.
  mlir::SmallVector<unsigned> below;
  /// Bytes and place for sizes as they typically are.
  int64_t sampleBytes = 0, sampleOffset = 0;

  bool overlaps(const ArenaBuffer &other) const { return begin <= other.end && other.begin <= end; }
};

class ArenaPlan {
public:
  static constexpr int64_t kAlignment = 64;

  /// None, with an error emitted, if a size is not a function of the symbols.
  static std::optional<ArenaPlan> make(mlir::func::FuncOp function);

  mlir::ArrayRef<ArenaBuffer> buffers() const { return all; }
  /// Computes the offsets of all buffers where `builder` stands, and the bytes of the workspace.
  std::vector<mlir::Value> materialize(mlir::OpBuilder &builder, mlir::Location loc,
                                       const std::map<std::string, mlir::Value> &symbols,
                                       mlir::Value &total) const;

private:
  mlir::LogicalResult collect(mlir::func::FuncOp function);
  /// The most of the sample that lives at the same time.
  int64_t sampleBound() const;
  void place();
  void settle();

  /// From the lowest to the highest, once placed.
  std::vector<ArenaBuffer> all;
  /// The buffers with none above.
  mlir::SmallVector<unsigned> top;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_ARENAPLAN_H
