//===- Schedule.h - A schedule that a researcher gives ----------*- C++ -*-===//
//
// A module of the transform dialect with a named sequence @__transform_main, which `nnc compile --schedule`
// applies to linalg on tensors, between the phases "fusion" and "bufferize": it may tile, interchange, fuse
// or vectorize operations that it matches. docs/tuning.md has an example.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_SCHEDULE_H
#define NNC_DRIVER_SCHEDULE_H

#include "nnc/Support/Diagnostics.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace nnc {

class Schedule {
public:
  /// Reads the file at `path`; null, with diagnostics, on failure. It must not outlive the context.
  static std::shared_ptr<Schedule> open(const std::string &path, mlir::MLIRContext &context,
                                        DiagnosticEngine &diagnostics);

  /// Applies the sequence to a module.
  std::unique_ptr<mlir::Pass> createPass() const;

private:
  explicit Schedule(mlir::OwningOpRef<mlir::ModuleOp> read) : module(std::move(read)) {}

  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace nnc

#endif // NNC_DRIVER_SCHEDULE_H
