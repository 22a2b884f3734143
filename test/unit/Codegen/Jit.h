// Compiles MLIR text for this machine, so that a test can call what the compiler emits.
#ifndef NNC_TEST_UNIT_CODEGEN_JIT_H
#define NNC_TEST_UNIT_CODEGEN_JIT_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace nnc::test {

class Jit {
public:
  /// Gives the values that replace an op of the dialect "test", which does not exist.
  using Expander = std::function<std::vector<mlir::Value>(mlir::OpBuilder &, mlir::Operation *)>;

  Jit();

  /// Expands the module's maths as for `cpu`, lowers it to this processor's code and loads it. A test
  /// fails where that does.
  void compile(mlir::ModuleOp module, const std::string &cpu);
  void compile(const std::string &text, Expander expand = {}, const std::string &cpu = "x86-64-v3");

  /// The address of a compiled function.
  template <typename Function> Function *lookup(const std::string &name) {
    return llvm::cantFail(jit->lookup(name)).toPtr<Function *>();
  }

  mlir::MLIRContext context;

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace nnc::test

#endif // NNC_TEST_UNIT_CODEGEN_JIT_H
