//===- ExplainRun.h - Time each kernel of a function ------------*- C++ -*-===//
#ifndef NNC_LIB_DRIVER_EXPLAINRUN_H
#define NNC_LIB_DRIVER_EXPLAINRUN_H

#include "KernelClock.h"
#include "nnc/Driver/Explain.h"

namespace nnc {

/// Compiles the function with `options`, whose hooks fill in the kernels, runs it on numbers that are made
/// up, and gives each kernel its time. False, with diagnostics, on failure.
bool measureEntry(Session &session, const CompileOptions &options, ExplainedEntry &entry);

} // namespace nnc

#endif // NNC_LIB_DRIVER_EXPLAINRUN_H
