//===- MemoryLimit.h - Fitting compiled code into memory --------*- C++ -*-===//
//
// What an entry needs is its workspace, its parameters and states, its inputs and outputs. Where that is
// more than is allowed, more is computed again instead of being kept, the cheapest first.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_MEMORYLIMIT_H
#define NNC_DRIVER_MEMORYLIMIT_H

#include "nnc/Driver/Compiler.h"

namespace nnc {

/// An entry that is to fit, and the sizes of its symbolic dimensions.
struct FittedEntry {
  std::string function;
  std::map<std::string, int64_t> sizes;
};

/// Sets the options so that each of the entries, which are compiled together, needs at most `limit` bytes.
/// False, with a diagnostic that states the least they need, if that cannot be.
bool fitMemory(mlir::ModuleOp module, llvm::ArrayRef<FittedEntry> entries, int64_t limit,
               CompileOptions &options, DiagnosticEngine &diagnostics);

/// Reads "64MiB", "1.5 GB" or "4096"; none if it is not of that form.
std::optional<int64_t> parseBytes(llvm::StringRef text);
/// "1.5 MiB".
std::string bytesText(int64_t bytes);

} // namespace nnc

#endif // NNC_DRIVER_MEMORYLIMIT_H
