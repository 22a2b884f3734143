//===- OpTable.cpp - What is known of each op -----------------------------===//
//
// The table is generated from ODS by utils/gen-op-table.py.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/OpTable.h"

#include "llvm/ADT/STLExtras.h"

namespace nnc {

llvm::ArrayRef<OpInfo> getOpTable() {
  static const std::vector<OpInfo> table = {
#include "nnc/IR/OpTable.inc"
  };
  return table;
}

const OpInfo *lookupOp(llvm::StringRef name) {
  llvm::ArrayRef<OpInfo> table = getOpTable();
  const OpInfo *found = llvm::lower_bound(
      table, name, [](const OpInfo &op, llvm::StringRef key) { return op.name < key; });
  return found != table.end() && found->name == name ? found : nullptr;
}

} // namespace nnc
