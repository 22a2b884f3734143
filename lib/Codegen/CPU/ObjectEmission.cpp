//===- ObjectEmission.cpp - From the LLVM dialect to an object ------------===//
//
// One optimisation pipeline over the module, then LLVM's code generator. The loops are vectors
// already, and unrolled as far as the registers go, so that LLVM's own vectorisers and unroller have
// nothing to do and are left out.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/ObjectEmission.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;

namespace nnc {

static void optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

static llvm::Expected<std::string> generate(llvm::Module &module, llvm::TargetMachine &machine,
                                            llvm::CodeGenFileType type) {
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return llvm::createStringError("LLVM has no code generator for this kind of output");
  passes.run(module);
  return bytes.str().str();
}

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
      function.addFnAttr("target-cpu", target.cpu);
      if (!target.features.empty())
        function.addFnAttr("target-features", target.features);
      function.addFnAttr("prefer-vector-width", std::to_string(target.vectorBytes * 8));
    }
  optimise(*llvmModule, *machine);
  if (kind == OutputKind::Assembly)
    return generate(*llvmModule, *machine, llvm::CodeGenFileType::AssemblyFile);
  if (kind == OutputKind::Object)
    return generate(*llvmModule, *machine, llvm::CodeGenFileType::ObjectFile);
  std::string text;
  llvm::raw_string_ostream(text) << *llvmModule;
  return text;
}

} // namespace nnc
