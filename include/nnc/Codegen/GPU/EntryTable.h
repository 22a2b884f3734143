//===- EntryTable.h - What an object tells the runtime ----------*- C++ -*-===//
//
// The tables of nnc_device.h as constants of the LLVM dialect: the kernels of a module, and for each entry
// point its code for the CPU and for the GPU. The function that a C program calls hands its entry to the
// runtime.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_CODEGEN_GPU_ENTRYTABLE_H
#define NNC_CODEGEN_GPU_ENTRYTABLE_H

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace nnc {

struct KernelTable {
  /// Of the gpu.module that launches name.
  std::string module;
  std::string arch, ptx;
  /// Empty without ptxas.
  std::string cubin;
  std::vector<std::string> names;
};

struct EntryTable {
  /// As in the program: "lenet.step".
  std::string name;
  /// The C function: "lenet_step_raw". Its code is NAME_cpu and NAME_ARCH for each kind of GPU, in this object or
  /// another, each with a NAME_…_workspace. NAME_ARCH_bytes_SLOT of the first kind tells the size of a buffer.
  std::string function;
  std::vector<std::string> archs;
  /// nnc_buffer_read, nnc_buffer_written, both, or 0, by slot.
  std::vector<int64_t> uses;
  int64_t numSymbols = 0;
};

void addKernelTable(mlir::ModuleOp module, const KernelTable &kernels);
void addEntryPoint(mlir::ModuleOp module, const EntryTable &entry);

} // namespace nnc

#endif // NNC_CODEGEN_GPU_ENTRYTABLE_H
