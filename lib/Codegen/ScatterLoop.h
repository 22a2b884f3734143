//===- ScatterLoop.h - Loops that write where data says ---------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_SCATTERLOOP_H
#define NNC_LIB_CODEGEN_SCATTERLOOP_H

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace nnc {

/// If `loop` changes one slice of a buffer after the other, and is short beside what threads can do: makes it a kernel
/// with a thread for each element of the buffer, which runs the loop and changes its element whenever its turn comes.
/// So changes come in the order of the loop, and threads do not wait for each other.
bool mapScatterLoop(mlir::scf::ForOp loop);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_SCATTERLOOP_H
