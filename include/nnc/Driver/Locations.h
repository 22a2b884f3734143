//===- Locations.h - MLIR locations and places in .nn text ------*- C++ -*-===//
//
// Ops carry the place in the .nn file they come from as a FileLineColRange. DiagnosticCapture turns
// what MLIR reports at such a location into a diagnostic of ours, while it lives. Passes that the
// reader's program can make fail speak of the program; what any other pass says is not for the
// reader, and becomes an internal error at the place in the program.
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

  /// Says which phase runs now, whether its errors are for the reader, and what they begin with then.
  void enter(const std::string &name, bool speaksToReader, const std::string &prefix = "");

private:
  void report(mlir::Diagnostic &diagnostic);

  DiagnosticEngine &engine;
  std::string phase, prefix;
  bool isForReader = true;
  mlir::ScopedDiagnosticHandler handler;
};

/// The first place that `location` names in a file of `engine`; nowhere if there is none.
SourceRange rangeOf(mlir::Location location, const DiagnosticEngine &engine);

} // namespace nnc

#endif // NNC_DRIVER_LOCATIONS_H
