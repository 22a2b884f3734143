//===- OpsTest.cpp - Every op becomes PTX ---------------------------------===//
//
// The examples of every op, with each element type and with symbols for sizes, go all the way to PTX. What they
// compute is tested on the emulated GPU, which stops short of the NVVM dialect; here ptxas, where there is one,
// takes what comes of it.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/GPU/KernelCode.h"
#include "nnc/Codegen/GPU/Passes.h"
#include "nnc/IR/Examples.h"
#include "nnc/IR/OpTable.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace mlir;

namespace nnc {
namespace {

class OpsTest : public testing::Test {
protected:
  OpsTest() {
    DialectRegistry registry;
    registerAllDialects(registry);
    registerAllExtensions(registry);
    registry.insert<nn::NNDialect>();
    registerKernelDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadDialect<nn::NNDialect, func::FuncDialect>();
    // Examples that do not fit another type are left out: their errors are no news.
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      diagnostics += diagnostic.str() + "\n";
      return success();
    });
  }

  /// False if `text` does not build.
  bool compile(const std::string &text, bool assembles) {
    llvm::Expected<Example> example = buildExample(context, text);
    if (!example) {
      llvm::consumeError(example.takeError());
      return false;
    }
    SCOPED_TRACE(text);
    diagnostics.clear();
    CodegenOptions options;
    PassManager passes(&context);
    passes.addNestedPass<func::FuncOp>(createDecomposePass());
    buildLinalgStage(passes, options);
    buildFusionStage(passes, options);
    buildBufferizeStage(passes, options);
    buildGpuStage(passes);
    buildKernelCodeStage(passes);
    buildLaunchStage(passes, options);
    bool isLowered = succeeded(passes.run(*example->module));
    EXPECT_TRUE(isLowered) << diagnostics;
    if (isLowered)
      for (auto kernels : example->module->getOps<gpu::GPUModuleOp>())
        emit(kernels, assembles);
    return true;
  }

  void emit(gpu::GPUModuleOp kernels, bool assembles) {
    GpuTarget target = *GpuTarget::forArch("sm_80");
    llvm::Expected<std::string> ptx = emitPtx(kernels, target);
    ASSERT_TRUE(bool(ptx)) << llvm::toString(ptx.takeError());
    // A call would be of a function that nobody has.
    EXPECT_EQ(ptx->find("call"), std::string::npos) << *ptx;
    if (!assembles || !ptxas)
      return;
    llvm::Expected<AssembledKernels> code = ptxas->assemble(*ptx, target);
    ASSERT_TRUE(bool(code)) << llvm::toString(code.takeError());
  }

  MLIRContext context;
  std::string diagnostics;
  std::optional<Ptxas> ptxas = Ptxas::find();
};

/// `text` with the types before the arrow replaced.
std::string withType(std::string text, const std::string &from, const std::string &to) {
  size_t arrow = text.find("->");
  for (size_t at = text.find(": " + from); at < arrow; at = text.find(": " + from, at + 1))
    text.replace(at + 2, from.size(), to);
  return text;
}

class OpsOnType : public OpsTest, public testing::WithParamInterface<const char *> {};

INSTANTIATE_TEST_SUITE_P(Types, OpsOnType,
                         testing::Values("f64", "f32", "f16", "bf16", "i64", "i32", "i8", "u8",
                                         "bool"),
                         [](const auto &info) { return std::string(info.param); });

TEST_P(OpsOnType, BecomePtx) {
  std::string type = GetParam();
  unsigned count = 0;
  for (const OpInfo &op : getOpTable())
    for (const std::string &text : op.examples) {
      std::string changed = withType(text, "f64", type);
      count += (type == "f64" || changed != text) && compile(changed, type == "f32");
      if (type != "f32")
        break;
    }
  EXPECT_GT(count, type == "bool" ? 15u : 30u);
}

} // namespace
} // namespace nnc
