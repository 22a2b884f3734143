// A func of .nn text, up to the kernels that the back half makes of it.
#ifndef NNC_TEST_UNIT_CODEGEN_TEXTFUNCTION_H
#define NNC_TEST_UNIT_CODEGEN_TEXTFUNCTION_H

#include "CompiledFunction.h"

#include "nnc/Reference/DrawInputs.h"
#include "nnc/Syntax/Elaborate.h"

#include <optional>

namespace nnc::test {

class TextFunction {
public:
  /// Derivatives are expanded. A test fails where the text is not right.
  explicit TextFunction(const char *text);

  mlir::func::FuncOp function() { return *program->module->getOps<mlir::func::FuncOp>().begin(); }
  /// Numbers for its arguments, the same ones for each call.
  mlir::SmallVector<HostTensor> drawArguments(const SymbolValues &symbols);
  /// What codegen-prepare-kernels leaves.
  mlir::OwningOpRef<mlir::ModuleOp> prepareKernels(const CodegenOptions &options);

private:
  mlir::MLIRContext context;
  std::optional<Program> program;
};

} // namespace nnc::test

#endif // NNC_TEST_UNIT_CODEGEN_TEXTFUNCTION_H
