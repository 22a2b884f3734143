//===- ObjectEmission.cpp - From the LLVM dialect to an object ------------===//
//
// A short optimisation pipeline over the module, then LLVM's code generator. The loops are vectors already, and
// unrolled and cut into functions as they are to be, so that LLVM's own vectorisers, unroller and inliner would
// have nothing to do. What is left are addresses that are computed twice, or in a loop though they stay the same.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/ObjectEmission.h"

#include "nnc/Codegen/MachineCode.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;

namespace nnc {

/// Each of default<O2>'s passes that make our code better, where it does so. The rest takes four times as long
/// for code of the same speed.
constexpr const char *kPasses =
    "always-inline,ipsccp,"
    "function(early-cse<memssa>,simplifycfg,loop-mssa(loop-rotate,licm),"
    "instcombine<no-verify-fixpoint>,gvn,dse,adce,instcombine<no-verify-fixpoint>,"
    "simplifycfg<sink-common-insts;hoist-common-insts>),"
    "globaldce";

llvm::Expected<std::string> emitOutput(ModuleOp module, const TargetDescription &target,
                                       OutputKind kind) {
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule =
      translateModuleToLLVMIR(module, context, module.getName().value_or("nnc"));
  if (!llvmModule)
    return llvm::createStringError("the module is not in the LLVM dialect");
  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(target);
  llvmModule->setTargetTriple(llvm::Triple(target.triple));
  llvmModule->setDataLayout(machine->createDataLayout());
  for (llvm::Function &function : *llvmModule)
    if (!function.isDeclaration()) {
      function.setDoesNotThrow();
      function.addFnAttr("target-cpu", target.cpu);
      if (!target.features.empty())
        function.addFnAttr("target-features", target.features);
      function.addFnAttr("prefer-vector-width", std::to_string(target.vectorBytes * 8));
    }
  runLLVMPasses(*llvmModule, *machine, kPasses);
  if (kind == OutputKind::Assembly)
    return generateCode(*llvmModule, *machine, llvm::CodeGenFileType::AssemblyFile);
  if (kind == OutputKind::Object)
    return generateCode(*llvmModule, *machine, llvm::CodeGenFileType::ObjectFile);
  std::string text;
  llvm::raw_string_ostream(text) << *llvmModule;
  return text;
}

} // namespace nnc
