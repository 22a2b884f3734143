//===- Bindings.h - Values for symbolic dimensions --------------*- C++ -*-===//
#ifndef NNC_DRIVER_BINDINGS_H
#define NNC_DRIVER_BINDINGS_H

#include "nnc/Support/Diagnostics.h"

#include "mlir/IR/BuiltinOps.h"

#include <map>
#include <string>

namespace nnc {

/// Replaces symbols by sizes everywhere in `module`. A symbol that occurs nowhere is an error.
bool bindSymbols(mlir::ModuleOp module, const std::map<std::string, int64_t> &bindings,
                 DiagnosticEngine &diagnostics);

} // namespace nnc

#endif // NNC_DRIVER_BINDINGS_H
