//===- Schedule.cpp - Read and apply a researcher's schedule --------------===//
//
// The transform dialect and its extensions are loaded when the first schedule is read: programs without one
// start as fast as ever.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Schedule.h"
#include "nnc/Driver/Locations.h"

#include "mlir/Dialect/Bufferization/TransformOps/BufferizationTransformOps.h"
#include "mlir/Dialect/Func/TransformOps/FuncTransformOps.h"
#include "mlir/Dialect/Linalg/TransformOps/DialectExtension.h"
#include "mlir/Dialect/Linalg/Transforms/TilingInterfaceImpl.h"
#include "mlir/Dialect/SCF/TransformOps/SCFTransformOps.h"
#include "mlir/Dialect/Tensor/IR/TensorTilingInterfaceImpl.h"
#include "mlir/Dialect/Tensor/TransformOps/TensorTransformOps.h"
#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/Dialect/Transform/IR/TransformOps.h"
#include "mlir/Dialect/Transform/LoopExtension/LoopExtension.h"
#include "mlir/Dialect/Transform/Transforms/TransformInterpreterUtils.h"
#include "mlir/Dialect/Vector/TransformOps/VectorTransformOps.h"
#include "mlir/Dialect/Vector/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

namespace nnc {
namespace {

constexpr StringRef kEntry = transform::TransformDialect::kTransformEntryPointSymbolName;

void loadTransforms(MLIRContext &context) {
  DialectRegistry registry;
  registry.insert<transform::TransformDialect>();
  bufferization::registerTransformDialectExtension(registry);
  func::registerTransformDialectExtension(registry);
  linalg::registerTransformDialectExtension(registry);
  linalg::registerTilingInterfaceExternalModels(registry);
  scf::registerTransformDialectExtension(registry);
  tensor::registerTilingInterfaceExternalModels(registry);
  tensor::registerTransformDialectExtension(registry);
  transform::registerLoopExtension(registry);
  vector::registerTransformDialectExtension(registry);
  vector::registerBufferizableOpInterfaceExternalModels(registry);
  context.appendDialectRegistry(registry);
  context.loadDialect<transform::TransformDialect>();
}

/// The sequence to run; null, with a diagnostic, if there is none that takes the program.
transform::NamedSequenceOp findEntry(ModuleOp module, const SourceFile &file,
                                     DiagnosticEngine &diagnostics) {
  auto entry = module.lookupSymbol<transform::NamedSequenceOp>(kEntry);
  if (!entry) {
    nnc::Diagnostic &missing = diagnostics.error(
        SourceRange::whole(file),
        "expected a schedule: 'transform.named_sequence @" + kEntry.str() + "', found none");
    for (auto sequence : module.getOps<transform::NamedSequenceOp>())
      missing.note(rangeOf(sequence.getLoc(), diagnostics),
                   "this sequence is named @" + sequence.getName().str());
    return nullptr;
  }
  if (entry.isDeclaration() || entry.getFunctionType().getNumInputs() != 1) {
    diagnostics.error(rangeOf(entry.getLoc(), diagnostics),
                      "expected @" + kEntry.str() + " to take one argument, the program, found " +
                          std::to_string(entry.getFunctionType().getNumInputs()));
    return nullptr;
  }
  return entry;
}

class ApplySchedule : public PassWrapper<ApplySchedule, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ApplySchedule)

  explicit ApplySchedule(ModuleOp schedule) : module(schedule) {}
  StringRef getArgument() const override { return "codegen-apply-schedule"; }

private:
  void runOnOperation() override {
    auto entry = module.lookupSymbol<transform::NamedSequenceOp>(kEntry);
    if (failed(transform::applyTransformNamedSequence(getOperation(), entry, module,
                                                      transform::TransformOptions())))
      signalPassFailure();
  }

  ModuleOp module;
};

} // namespace

std::shared_ptr<Schedule> Schedule::open(const std::string &path, MLIRContext &context,
                                         DiagnosticEngine &diagnostics) {
  std::string error;
  std::unique_ptr<SourceFile> opened = SourceFile::open(path, error);
  if (!opened) {
    diagnostics.error("--schedule: " + error);
    return nullptr;
  }
  const SourceFile &file = diagnostics.own(std::move(opened));
  loadTransforms(context);
  DiagnosticCapture capture(&context, diagnostics);
  capture.enter("schedule", /*speaksToReader=*/true);
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(file.text(), ParserConfig(&context), file.path());
  if (!module || !findEntry(*module, file, diagnostics))
    return nullptr;
  return std::shared_ptr<Schedule>(new Schedule(std::move(module)));
}

std::unique_ptr<Pass> Schedule::createPass() const {
  return std::make_unique<ApplySchedule>(module.get());
}

} // namespace nnc
