//===- Locations.h - MLIR locations and places in .nn text ------*- C++ -*-===//
//
// Ops carry the place in the .nn file they come from as a FileLineColRange. DiagnosticCapture turns
// what MLIR reports at such a location into a diagnostic of ours, while it lives.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_LOCATIONS_H
#define NNC_DRIVER_LOCATIONS_H

#include "nnc/Support/Diagnostics.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"

namespace nnc {

class DiagnosticCapture {
public:
  DiagnosticCapture(mlir::MLIRContext *context, DiagnosticEngine &engine);

private:
  mlir::ScopedDiagnosticHandler handler;
};

/// "file:line:col" of the first place in a file that `location` names, or "".
std::string placeOf(mlir::Location location);

} // namespace nnc

#endif // NNC_DRIVER_LOCATIONS_H
