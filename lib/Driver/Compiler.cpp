//===- Compiler.cpp - From a .nn file to an object ------------------------===//
//
// The table of contents of the compiler is getPhases() below.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Compiler.h"

#include "nnc/Autodiff/Passes.h"
#include "nnc/Codegen/GPU/KernelCode.h"
#include "nnc/Codegen/GPU/Passes.h"
#include "nnc/Codegen/ObjectEmission.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/Driver/Locations.h"
#include "nnc/Driver/Registration.h"
#include "nnc/Driver/Schedule.h"
#include "nnc/IR/NN.h"
#include "nnc/Package/Signature.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace nnc {

static CodegenOptions codegenOptions(const CompileOptions &options) {
  CodegenOptions result;
  result.cpu = options.cpu;
  result.traceKernels = options.traceKernels;
  result.choosePass = options.choosePass;
  result.splitPreparation = options.prepareParameters;
  result.lowersTransfers = options.schedule != nullptr;
  return result;
}

static bool isChosen(const CompileOptions &options, StringRef pass) {
  return !options.choosePass || options.choosePass(pass);
}

const std::vector<Phase> &getPhases() {
  static const std::vector<Phase> phases = {
      {"stabilize", "write logarithms of probabilities so that they do not overflow",
       [](OpPassManager &passes, const CompileOptions &) {
         passes.addNestedPass<func::FuncOp>(createStabilizePass());
       }},
      {"autodiff", "derive the backward graph: every grad becomes nn ops",
       [](OpPassManager &passes, const CompileOptions &) {
         passes.addNestedPass<func::FuncOp>(createExpandGradPass());
       },
       /*speaksToReader=*/true},
      {"simplify", "fold constants, merge equal values, apply algebraic identities",
       [](OpPassManager &passes, const CompileOptions &options) {
         // Canonicalizes too, and keeps the names of values, which the canonicalizer would not.
         passes.addNestedPass<func::FuncOp>(createSimplifyPass());
         passes.addPass(createCSEPass());
         passes.addNestedPass<func::FuncOp>(createSimplifyPass());
         passes.addNestedPass<func::FuncOp>(
             createFoldScalesPass(FoldScalesPassOptions{options.prepareParameters}));
       }},
      {"decompose", "write composite ops with primitive ones",
       [](OpPassManager &passes, const CompileOptions &) {
         passes.addNestedPass<func::FuncOp>(createDecomposePass());
         passes.addNestedPass<func::FuncOp>(createSimplifyPass());
         passes.addPass(createCSEPass());
       }},
      {"recompute", "compute early what takes less memory then, and cheap values again",
       [](OpPassManager &passes, const CompileOptions &options) {
         passes.addNestedPass<func::FuncOp>(createComputeEarlyPass());
         RecomputePassOptions recompute;
         recompute.ratio = options.recomputeRatio;
         passes.addNestedPass<func::FuncOp>(createRecomputePass(recompute));
       }},
      {"linalg", "lower nn ops to linalg on tensors",
       [](OpPassManager &passes, const CompileOptions &) {
         passes.addNestedPass<func::FuncOp>(createLowerToLinalgPass());
       }},
      {"fusion", "merge elementwise chains and reductions into one loop nest",
       [](OpPassManager &passes, const CompileOptions &options) {
         buildFusionStage(passes, codegenOptions(options));
       }},
      {"schedule", "apply the schedule that --schedule gives",
       [](OpPassManager &passes, const CompileOptions &options) {
         if (options.schedule && isChosen(options, "codegen-apply-schedule")) {
           passes.addPass(options.schedule->createPass());
           passes.addPass(createCanonicalizerPass());
           passes.addPass(createCSEPass());
         }
       },
       /*speaksToReader=*/true},
      {"bufferize", "give results and temporaries memory",
       [](OpPassManager &passes, const CompileOptions &options) {
         buildBufferizeStage(passes, codegenOptions(options));
       }},
      {"prepare", "write what computes as kernels, pack and turn what lies the wrong way",
       [](OpPassManager &passes, const CompileOptions &options) {
         if (options.gpu)
           return;
         buildPrepareStage(passes, codegenOptions(options));
         if (options.tiles)
           passes.addPass(createApplyTilesPass(options.tiles));
       }},
      {"kernels", "emit loops and vectors, plan the workspace",
       [](OpPassManager &passes, const CompileOptions &options) {
         if (options.gpu)
           buildGpuStage(passes, {*options.gpu, options.roundsFactors});
         else
           buildKernelStage(passes, codegenOptions(options));
       }},
      {"llvm", "lower to the LLVM dialect with the C interface",
       [](OpPassManager &passes, const CompileOptions &options) {
         if (options.gpu) {
           buildKernelCodeStage(passes, options.hasLines);
           buildLaunchStage(passes, codegenOptions(options));
           return;
         }
         buildLLVMStage(passes, codegenOptions(options));
       }},
  };
  return phases;
}

std::unique_ptr<MLIRContext> makeContext() {
  DialectRegistry registry;
  registerEverything(registry);
  auto context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

bool runPhases(ModuleOp module, const CompileOptions &options, DiagnosticEngine &diagnostics,
               StringRef lastPhase, StringRef firstPhase) {
  DiagnosticCapture capture(module.getContext(), diagnostics);
  bool isScheduled = false, hasBegun = firstPhase.empty();
  for (const Phase &phase : getPhases()) {
    hasBegun |= phase.name == firstPhase;
    if (!hasBegun) {
      isScheduled |= options.schedule && phase.name == "schedule";
      continue;
    }
    PassManager passes(module.getContext());
    // Once a phase, below: after each pass it takes a tenth of all the time.
    passes.enableVerifier(false);
    phase.build(passes, options);
    if (options.beforePhase)
      options.beforePhase(phase.name, passes);
    capture.enter(phase.name, phase.speaksToReader || isScheduled,
                  isScheduled ? "phase '" + phase.name + "' cannot take what the schedule made: "
                              : "");
    isScheduled |= options.schedule && phase.name == "schedule";
    if (failed(passes.run(module)) || failed(verify(module))) {
      if (!diagnostics.hasErrors())
        diagnostics.defect({}, "internal error in phase '" + phase.name + "'");
      return false;
    }
    if (options.afterPhase)
      options.afterPhase(phase.name, module);
    if (phase.name == lastPhase)
      break;
  }
  return true;
}

OwningOpRef<ModuleOp> extractEntries(ModuleOp module, ArrayRef<std::string> entries,
                                     StringRef suffix) {
  OwningOpRef<ModuleOp> result = ModuleOp::create(module.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(result->getBody());
  for (const std::string &entry : entries) {
    auto function = module.lookupSymbol<func::FuncOp>(entry);
    assert(function && "an entry of the module");
    auto copy = cast<func::FuncOp>(builder.clone(*function));
    copy.setName(getSignature(function).rawName() + suffix.str());
  }
  return result;
}

std::string emitMachineCode(ModuleOp module, const CompileOptions &options, MachineOutput output,
                            DiagnosticEngine &diagnostics) {
  std::optional<TargetDescription> target = TargetDescription::forCpu(options.cpu);
  if (!target) {
    diagnostics.error("unknown processor '" + options.cpu + "'");
    return "";
  }
  OutputKind kind = output == MachineOutput::LLVMText   ? OutputKind::LLVMText
                    : output == MachineOutput::Assembly ? OutputKind::Assembly
                                                        : OutputKind::Object;
  llvm::Expected<std::string> bytes = emitOutput(module, *target, kind);
  if (bytes)
    return *bytes;
  std::string reason = llvm::toString(bytes.takeError());
  nnc::Diagnostic &defect = diagnostics.defect({}, "internal error in code generation");
  if (std::getenv("NNC_DETAILS"))
    defect.help("details: " + reason);
  return "";
}

} // namespace nnc
