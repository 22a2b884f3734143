//===- ExplainRun.h - Time each kernel of a function ------------*- C++ -*-===//
#ifndef NNC_LIB_DRIVER_EXPLAINRUN_H
#define NNC_LIB_DRIVER_EXPLAINRUN_H

#include "KernelClock.h"
#include "nnc/Driver/Explain.h"

namespace nnc {

/// Memory for all buffers of a call. Floats are drawn between zero and one, which no function of the language
/// minds; integers are zero, so that they index something.
class CallArguments {
public:
  CallArguments(const Entry &entry, llvm::ArrayRef<int64_t> symbols);

  /// The values that each call starts from.
  void restore();
  llvm::ArrayRef<void *> pointers() const { return addresses; }

private:
  std::vector<Tensor> tensors, initial;
  llvm::SmallVector<void *> addresses;
};

/// Values for the symbols of an entry, in its order.
llvm::SmallVector<int64_t> symbolsOf(const Entry &entry, const SizeValues &sizes);

/// Compiles the function with `options`, whose hooks fill in the kernels, runs it on numbers that are made
/// up, and gives each kernel its time. False, with diagnostics, on failure.
bool measureEntry(Session &session, const CompileOptions &options, ExplainedEntry &entry);

} // namespace nnc

#endif // NNC_LIB_DRIVER_EXPLAINRUN_H
