//===- MappedKernelsTest.cpp - Kernels that fit a GPU's registers ---------===//
//
// Each kind of kernel (GpuPrograms.h) is assembled for a GPU of 2020 and one of 2022: nothing is kept in far memory
// that should be in a register. Where there is no ptxas, this is skipped.
//
//===----------------------------------------------------------------------===//
#include "GpuPrograms.h"
#include "TextFunction.h"

#include "nnc/Codegen/GPU/KernelCode.h"
#include "nnc/Codegen/GPU/Passes.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"

#include <gmock/gmock.h>

using namespace mlir;

namespace nnc::test {
namespace {

/// Whether a multiprocessor is to have one block of the kernel at once.
bool isAlone(StringRef ptx, const std::string &kernel) {
  StringRef entry = ptx.substr(ptx.find(".entry " + kernel + "("));
  return entry.take_until([](char c) { return c == '{'; }).contains(".minnctapersm 1\n");
}

class MappedKernels : public testing::TestWithParam<GpuProgram> {};

INSTANTIATE_TEST_SUITE_P(Kernels, MappedKernels, testing::ValuesIn(gpuPrograms),
                         [](const auto &info) { return std::string(info.param.name); });

TEST_P(MappedKernels, fitInRegisters) {
  std::optional<Ptxas> ptxas = Ptxas::find();
  if (!ptxas)
    GTEST_SKIP() << "no ptxas";
  TextFunction text(GetParam().text);
  MLIRContext *context = text.function().getContext();
  DialectRegistry registry;
  registerKernelDialects(registry);
  context->appendDialectRegistry(registry);
  for (const char *arch : {"sm_80", "sm_90a"}) {
    SCOPED_TRACE(arch);
    auto target = GpuTarget::forArch(arch);
    OwningOpRef<ModuleOp> module(ModuleOp::create(text.function().getLoc()));
    module->push_back(text.function().clone());
    PassManager passes(context);
    passes.addNestedPass<func::FuncOp>(createDecomposePass());
    passes.addNestedPass<func::FuncOp>(createLowerToLinalgPass());
    buildFusionStage(passes, {});
    buildBufferizeStage(passes, {});
    buildGpuStage(passes, {*target, GetParam().roundsFactors});
    buildKernelCodeStage(passes);
    ASSERT_TRUE(succeeded(passes.run(*module)));
    auto ptx = emitPtx(*module->getOps<gpu::GPUModuleOp>().begin(), *target);
    ASSERT_TRUE(bool(ptx)) << llvm::toString(ptx.takeError());
    auto assembled = ptxas->assemble(*ptx, *target);
    ASSERT_TRUE(bool(assembled)) << llvm::toString(assembled.takeError());
    EXPECT_THAT(assembled->warnings, testing::IsEmpty());
    for (const KernelResources &kernel : assembled->kernels) {
      SCOPED_TRACE(kernel.name);
      EXPECT_EQ(kernel.spillStores + kernel.spillLoads + kernel.stackBytes, 0u);
      // The 65536 registers of a multiprocessor are for two blocks of 256 threads, if the kernel does not say one.
      EXPECT_LE(kernel.registers, isAlone(*ptx, kernel.name) ? 255u : 128u);
      EXPECT_LE(kernel.sharedBytes, target->sharedBytes);
      if (std::getenv("NNC_TEST_DUMP"))
        llvm::outs() << kernel.name << ": " << kernel.registers << " registers, "
                     << kernel.spillStores + kernel.spillLoads << " bytes spilled, "
                     << kernel.stackBytes << " of stack, " << kernel.sharedBytes << " shared\n";
    }
  }
}

} // namespace
} // namespace nnc::test
