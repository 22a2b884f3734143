//===- Registration.h - The dialects and interfaces in use ------*- C++ -*-===//
#ifndef NNC_DRIVER_REGISTRATION_H
#define NNC_DRIVER_REGISTRATION_H

#include "mlir/IR/DialectRegistry.h"

namespace nnc {
/// Adds every dialect, interface and translation that the phases of Compiler.h need.
void registerEverything(mlir::DialectRegistry &registry);
} // namespace nnc

#endif // NNC_DRIVER_REGISTRATION_H
