//===- ConcreteSizes.h - Sizes for given symbols ----------------*- C++ -*-===//
//
// The numbers behind the sizes of a function when its symbols have values.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CONCRETESIZES_H
#define NNC_LIB_CODEGEN_CONCRETESIZES_H

#include "SymbolicSizes.h"
#include "nnc/Codegen/KernelReport.h"

namespace nnc {

class ConcreteSizes {
public:
  ConcreteSizes(mlir::func::FuncOp function, const SizeValues &given);

  /// None if it is not a function of the symbols.
  std::optional<int64_t> valueOf(mlir::Value index) const;
  std::optional<int64_t> extentOf(mlir::Value buffer, unsigned dim) const;
  /// The elements of a buffer; extents that are not known count as one, and `isExact` becomes false.
  int64_t elementsOf(mlir::Value buffer, bool &isExact) const;
  /// "f32[64, 10]", with "?" where an extent is not known.
  std::string typeOf(mlir::Value buffer) const;

private:
  std::optional<int64_t> numberOf(const std::optional<Dim> &dim) const;

  SymbolicSizes sizes;
  std::map<std::string, Dim> values;
  /// What sums and extremes are, which share terms.
  mutable llvm::DenseMap<mlir::Value, std::optional<int64_t>> numbers;
};

/// `number`, a formula of symbols, as a value of which LLVM sees only that it is a number. It would write the
/// formula out again for each address that depends on it: a residual net took a minute to compile. Here it
/// can be seen through.
mlir::Value hideFormula(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value number);

/// Bytes of one element in memory.
int64_t elementBytes(mlir::Type bufferType);
/// The name of the value that `buffer` holds: an argument's, or that of what is computed into it.
std::string nameOfBuffer(mlir::Value buffer);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CONCRETESIZES_H
