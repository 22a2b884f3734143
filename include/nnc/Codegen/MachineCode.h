//===- MachineCode.h - LLVM's own passes and code generators ----*- C++ -*-===//
#ifndef NNC_CODEGEN_MACHINECODE_H
#define NNC_CODEGEN_MACHINECODE_H

#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"

#include <string>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace nnc {

/// Runs `passes`, as LLVM's opt names them, on `module`.
void runLLVMPasses(llvm::Module &module, llvm::TargetMachine &machine, llvm::StringRef passes);

/// The code that `machine` makes of `module`, as text or as an object. Fails where it makes no such thing.
llvm::Expected<std::string> generateCode(llvm::Module &module, llvm::TargetMachine &machine,
                                         llvm::CodeGenFileType type);

} // namespace nnc

#endif // NNC_CODEGEN_MACHINECODE_H
