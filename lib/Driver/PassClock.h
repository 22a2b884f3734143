//===- PassClock.h - When each pass runs ------------------------*- C++ -*-===//
#ifndef NNC_LIB_DRIVER_PASSCLOCK_H
#define NNC_LIB_DRIVER_PASSCLOCK_H

#include "nnc/Driver/Explain.h"

namespace nnc {

/// Fills `passes` from now on with what runs under the pass managers that it is given.
void watchPasses(mlir::PassManager &manager, const std::string &phase,
                 std::vector<PassTime> &passes);

} // namespace nnc

#endif // NNC_LIB_DRIVER_PASSCLOCK_H
