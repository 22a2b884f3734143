//===- CheckPasses.h - What each pass changes -------------------*- C++ -*-===//
//
// What `--check-passes` does: compares what an entry computes before and after each pass, on small
// inputs drawn at random, and names the first that changes more than rounding may.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_CHECKPASSES_H
#define NNC_DRIVER_CHECKPASSES_H

#include "nnc/Driver/Compiler.h"

namespace nnc {

/// Checks the passes on the named functions of `module`, which is left as it is, if
/// `options.passesChecked` is set. False, with a diagnostic that names the pass, the result and the
/// element, if one changes a result.
bool checkPassesIfWanted(mlir::ModuleOp module, llvm::ArrayRef<std::string> entries,
                         const CompileOptions &options, DiagnosticEngine &diagnostics);

} // namespace nnc

#endif // NNC_DRIVER_CHECKPASSES_H
