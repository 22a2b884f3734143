// A function of nn ops compiled through the whole back half and loaded, to be called with the
// tensors of the reference interpreter.
#ifndef NNC_TEST_UNIT_CODEGEN_COMPILEDFUNCTION_H
#define NNC_TEST_UNIT_CODEGEN_COMPILEDFUNCTION_H

#include "nnc/Codegen/Passes.h"
#include "nnc/Driver/Jit.h"
#include "nnc/Reference/Interpreter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nnc::test {

/// Registers what a module of nn ops needs on its way to an object.
void loadDialects(mlir::MLIRContext &context);

/// From linalg to the LLVM dialect.
using PipelineBuilder = void (*)(mlir::OpPassManager &, const CodegenOptions &);

class CompiledFunction {
public:
  /// Compiles `function` alone, which stays as it is; `hostSymbols` are for what the object calls. A test
  /// fails where that does.
  CompiledFunction(mlir::func::FuncOp function, const CodegenOptions &options = {},
                   const std::map<std::string, void *> &hostSymbols = {},
                   PipelineBuilder build = buildCpuPipeline);

  bool isLoaded() const { return jit != nullptr; }
  /// The results on `arguments`. Memory around the buffers is checked to be untouched, and that of
  /// an argument that no result updates.
  std::vector<HostTensor> run(llvm::ArrayRef<HostTensor> arguments,
                              llvm::ArrayRef<HostTensor> resultShapes, const SymbolValues &symbols);

private:
  void compile(mlir::func::FuncOp function, const CodegenOptions &options,
               const std::map<std::string, void *> &hostSymbols, PipelineBuilder build);

  std::string name;
  std::vector<std::string> symbolNames;
  /// For each result the argument that it updates, if it has no buffer of its own.
  std::vector<std::optional<unsigned>> updatedArguments;
  std::unique_ptr<Jit> jit;
};

} // namespace nnc::test

#endif // NNC_TEST_UNIT_CODEGEN_COMPILEDFUNCTION_H
