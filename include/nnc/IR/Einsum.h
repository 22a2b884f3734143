//===- Einsum.h - What an equation of einsum says ---------------*- C++ -*-===//
//
// "bij,bjk->bik" read for operands of given ranks: a letter for each axis, those that `...` stands
// for included.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_EINSUM_H
#define NNC_IR_EINSUM_H

#include "nnc/IR/NN.h"

namespace nnc {

struct Einsum {
  /// For each operand a letter an axis.
  llvm::SmallVector<std::string> operands;
  std::string result;
  /// The size of each letter's axes, of which some operands may have one only and repeat.
  std::map<char, Dim> sizes;

  /// "ij,jk->ik"
  std::string str() const { return llvm::join(operands, ",") + "->" + result; }
};

/// Reads `equation` for operands of `types`. None, with the message in `problem`, if it does not fit.
std::optional<Einsum> readEinsum(llvm::StringRef equation, mlir::TypeRange types,
                                 std::string &problem);
/// The same for an op already verified.
Einsum readEinsum(nn::EinsumOp op);

/// `labels` with each letter once.
std::string distinctLabels(llvm::StringRef labels);

} // namespace nnc

#endif // NNC_IR_EINSUM_H
