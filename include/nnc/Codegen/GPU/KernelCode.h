//===- KernelCode.h - PTX and what ptxas makes of it ------------*- C++ -*-===//
//
// LLVM turns kernels into PTX in process. NVIDIA's assembler, where there is one, turns that into machine
// code and tells what each kernel takes; without it the driver does so when a program starts.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_CODEGEN_GPU_KERNELCODE_H
#define NNC_CODEGEN_GPU_KERNELCODE_H

#include "nnc/Codegen/Target.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/Support/Error.h"

namespace nnc {

/// The kernels of `module`, which are in the LLVM and NVVM dialects, as PTX.
llvm::Expected<std::string> emitPtx(mlir::gpu::GPUModuleOp module, const GpuTarget &target);

/// The shared memory that a block can have on all GPUs that code for `target` runs on.
int64_t mostSharedBytes(const GpuTarget &target);

struct KernelName {
  std::string name;
  /// The line of the program: "net.nn:3:7".
  std::string place;
};
/// The kernels in order: a launch knows them by their number.
std::vector<KernelName> listKernels(mlir::gpu::GPUModuleOp module);

/// What a kernel takes of a multiprocessor, a thread or a block of it.
struct KernelResources {
  std::string name;
  unsigned registers = 0;
  /// Bytes of a thread in far memory, and those that registers are stored to and loaded from.
  unsigned stackBytes = 0, spillStores = 0, spillLoads = 0;
  unsigned sharedBytes = 0;
  unsigned barriers = 0;
};

struct AssembledKernels {
  std::string cubin;
  std::vector<KernelResources> kernels;
  /// Such as that products of matrices wait for each other.
  std::vector<std::string> warnings;
};

/// Lets the kernels in `ptx` that spill have more registers, where that they share a multiprocessor with
/// others of their kind is what keeps these from them; false if there are none.
bool giveRegisters(std::string &ptx, llvm::ArrayRef<KernelResources> kernels);

/// NVIDIA's assembler, a program of its own.
class Ptxas {
public:
  /// That which NNC_PTXAS names (none if it is empty), else the first one in PATH, CUDA_HOME and
  /// /usr/local/cuda; none if there is none.
  static std::optional<Ptxas> find();
  /// The same if it assembles for `target`, which older and newer ones may not; else none, and why in `reason`.
  static std::optional<Ptxas> findFor(const GpuTarget &target, std::string &reason);

  llvm::Expected<AssembledKernels> assemble(llvm::StringRef ptx, const GpuTarget &target) const;

private:
  explicit Ptxas(std::string program) : path(std::move(program)) {}
  std::string path;
};

} // namespace nnc

#endif // NNC_CODEGEN_GPU_KERNELCODE_H
