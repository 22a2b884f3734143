// Text to machine code by upstream's lowerings, with nothing of this project's but the maths.
#include "Jit.h"

#include "nnc/Codegen/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace nnc::test {

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllToLLVMIRTranslations(registry);
  return registry;
}

Jit::Jit() : context(makeRegistry()) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
}

static LogicalResult lower(ModuleOp module, const std::string &cpu) {
  PassManager passes(module.getContext());
  passes.addPass(createExpandMathPass(ExpandMathPassOptions{cpu}));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createUBToLLVMConversionPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  return passes.run(module);
}

static void optimize(llvm::Module &module, llvm::TargetMachine &target) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&target);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

void Jit::compile(ModuleOp module, const std::string &cpu) {
  ASSERT_TRUE(succeeded(lower(module, cpu)));
  auto llvmContext = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> translated = translateModuleToLLVMIR(module, *llvmContext);
  ASSERT_TRUE(translated);

  auto machine = llvm::cantFail(llvm::orc::JITTargetMachineBuilder::detectHost());
  if (const char *processor = std::getenv("NNC_TEST_CPU"))
    machine = llvm::orc::JITTargetMachineBuilder(machine.getTargetTriple()).setCPU(processor);
  auto target = llvm::cantFail(machine.createTargetMachine());
  translated->setDataLayout(target->createDataLayout());
  translated->setTargetTriple(target->getTargetTriple());
  optimize(*translated, *target);
  if (std::getenv("NNC_TEST_DUMP"))
    translated->print(llvm::errs(), nullptr);

  jit = llvm::cantFail(
      llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(machine)).create());
  llvm::cantFail(jit->addIRModule({std::move(translated), std::move(llvmContext)}));
}

void Jit::compile(const std::string &text, Expander expand, const std::string &cpu) {
  context.allowUnregisteredDialects(expand != nullptr);
  context.loadDialect<arith::ArithDialect, math::MathDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  module->walk([&](Operation *op) {
    if (op->getName().getDialectNamespace() != "test")
      return;
    OpBuilder builder(op);
    op->replaceAllUsesWith(expand(builder, op));
    op->erase();
  });
  compile(*module, cpu);
}

} // namespace nnc::test
