//===- MergeKernels.cpp - Let equal launches share a kernel ---------------===//
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_MERGEKERNELSPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

/// What a kernel is but for its name and its place in the program.
std::string describe(gpu::GPUFuncOp kernel) {
  std::string text, name = "sym_name = \"" + kernel.getName().str() + "\"";
  llvm::raw_string_ostream stream(text);
  kernel->print(stream, OpPrintingFlags().printGenericOpForm().useLocalScope());
  if (size_t at = text.find(name); at != std::string::npos)
    text.erase(at, name.size());
  return text;
}

class MergeKernels : public impl::MergeKernelsPassBase<MergeKernels> {
  void runOnOperation() override {
    llvm::DenseMap<SymbolRefAttr, SymbolRefAttr> replacements;
    for (auto module : getOperation().getOps<gpu::GPUModuleOp>()) {
      llvm::StringMap<StringAttr> known;
      for (auto kernel : llvm::make_early_inc_range(module.getOps<gpu::GPUFuncOp>())) {
        if (!kernel.isKernel())
          continue;
        StringAttr name = kernel.getNameAttr();
        auto [first, isNew] = known.insert({describe(kernel), name});
        if (isNew)
          continue;
        auto reference = [&](StringAttr kernelName) {
          return SymbolRefAttr::get(module.getNameAttr(), FlatSymbolRefAttr::get(kernelName));
        };
        replacements[reference(name)] = reference(first->second);
        kernel.erase();
      }
    }
    getOperation().walk([&](gpu::LaunchFuncOp launch) {
      if (SymbolRefAttr kernel = replacements.lookup(launch.getKernel()))
        launch.setKernelAttr(kernel);
    });
  }
};

} // namespace
} // namespace nnc
