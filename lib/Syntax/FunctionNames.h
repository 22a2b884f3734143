//===- FunctionNames.h - Names for the values of a function -----*- C++ -*-===//
//
// Decides, before a function is printed, what each value is called and which ops need no line of
// their own. Names come from the source: arguments and results have them as attributes, ops as name
// locations. They are made unique, and keep apart from dimensions and reserved words, because the
// printed function has one name space.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_SYNTAX_FUNCTIONNAMES_H
#define NNC_LIB_SYNTAX_FUNCTIONNAMES_H

#include "nnc/IR/NN.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

#include <set>

namespace nnc {

class FunctionNames {
public:
  explicit FunctionNames(mlir::func::FuncOp function);

  const std::string &of(mlir::Value value) const { return names.find(value)->second; }
  /// The op is a scalar literal, written where it is used.
  bool isLiteral(mlir::Operation *op) const;
  /// The op is written within the one op that uses it.
  bool isInlined(mlir::Operation *op) const { return inlined.contains(op); }
  /// The yielded value is written under the name of the carried value that it becomes.
  bool isRenamed(mlir::Value yielded) const { return renamed.contains(yielded); }
  /// The results are given by assigning to their names; otherwise by `return`.
  bool assignsResults() const { return assigned; }

private:
  void reserveDims(mlir::Value value);
  void nameArguments();
  void nameResults();
  void nameBlock(mlir::Block &block);
  void nameScan(nn::ScanOp scan);
  void findInlined(mlir::Block &block);
  /// The op in whose line `op` is written.
  mlir::Operation *lineOf(mlir::Operation *op) const;
  bool canRename(nn::ScanOp scan, unsigned carried) const;
  void set(mlir::Value value, llvm::StringRef wish);
  std::string unique(llvm::StringRef wish);

  mlir::func::FuncOp function;
  llvm::DenseMap<mlir::Value, std::string> names;
  llvm::DenseSet<mlir::Operation *> inlined;
  llvm::DenseSet<mlir::Value> renamed;
  std::set<std::string> used;
  unsigned nextFresh = 1;
  bool assigned = false;
};

} // namespace nnc

#endif // NNC_LIB_SYNTAX_FUNCTIONNAMES_H
