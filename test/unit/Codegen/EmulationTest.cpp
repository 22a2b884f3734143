//===- EmulationTest.cpp - Programs compute what they mean on a GPU --------===//
//
// Random programs mapped to GPU kernels, which lib/Emulation runs in several orders of the threads, beside the
// interpreter: the results are right, the same bits in each order, and no thread gets in another's way.
// Programs of each kind of kernel (GpuPrograms.h) likewise. NNC_RANDOM_PROGRAMS and NNC_RANDOM_SEED as in RandomProgramTest.cpp.
//
//===----------------------------------------------------------------------===//
#include "GpuPrograms.h"
#include "TextFunction.h"

#include "nnc/Codegen/GPU/Passes.h"
#include "nnc/Emulation/Emulation.h"
#include "nnc/Reference/Compare.h"
#include "nnc/Reference/RandomProgram.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

#include <cstdlib>

using namespace mlir;

namespace nnc::test {
namespace {

uint64_t fromEnvironment(const char *name, uint64_t otherwise) {
  const char *text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

llvm::Expected<SmallVector<HostTensor>>
runEmulated(func::FuncOp function, ArrayRef<HostTensor> arguments, PipelineBuilder build) {
  llvm::Expected<SymbolValues> symbols = resolveSymbols(function, arguments);
  if (!symbols)
    return symbols.takeError();
  // For the shapes of the results.
  llvm::Expected<SmallVector<HostTensor>> like = interpret(function, arguments);
  if (!like)
    return like.takeError();
  CompiledFunction compiled(function, {}, emulationSymbols(), build);
  if (!compiled.isLoaded())
    return llvm::createStringError("it does not compile");
  std::vector<HostTensor> results;
  for (uint64_t order : {1, 2}) {
    startEmulation(order);
    std::vector<HostTensor> found = compiled.run(arguments, *like, *symbols);
    if (std::string report = emulationReport(); !report.empty())
      return llvm::createStringError(report);
    if (!results.empty() && found != results)
      return llvm::createStringError("another order of the threads computes something else");
    results = std::move(found);
  }
  return SmallVector<HostTensor>(results.begin(), results.end());
}

TEST(EmulatedRandomPrograms, agreeWithTheInterpreter) {
  uint64_t count = fromEnvironment("NNC_RANDOM_PROGRAMS", 30);
  uint64_t first = fromEnvironment("NNC_RANDOM_SEED", 0);
  MLIRContext context;
  loadDialects(context);
  std::string diagnostics;
  context.getDiagEngine().registerHandler(
      [&](mlir::Diagnostic &diagnostic) { diagnostics += diagnostic.str() + "\n"; });
  auto run = [](func::FuncOp function, ArrayRef<HostTensor> arguments) {
    return runEmulated(function, arguments, buildEmulationPipeline);
  };
  for (uint64_t seed = first; seed < first + count; ++seed) {
    RandomProgramOptions options;
    options.numOps = 2 + seed % 24;
    options.withSymbols = seed % 3 != 0;
    RandomProgram program = buildRandomProgram(context, seed, options);
    Type type = seed % 2 ? Type(Float32Type::get(&context)) : Type(Float64Type::get(&context));
    auto differs = [&](RandomProgram &candidate) {
      diagnostics.clear();
      return !compareInPrecision(candidate, type, run).empty();
    };
    if (!differs(program))
      continue;
    RandomProgram small = reduceProgram(program, differs);
    diagnostics.clear();
    std::string difference = compareInPrecision(small, type, run);
    ADD_FAILURE() << "seed " << seed << ", " << (seed % 2 ? "f32" : "f64") << ": " << difference
                  << "\n"
                  << diagnostics;
    small.module->dump();
    break;
  }
}

class EmulatedPrograms : public testing::TestWithParam<GpuProgram> {};

INSTANTIATE_TEST_SUITE_P(Kernels, EmulatedPrograms, testing::ValuesIn(gpuPrograms),
                         [](const auto &info) { return std::string(info.param.name); });

void expectAgreement(const GpuProgram &program, PipelineBuilder build) {
  TextFunction text(program.text);
  SmallVector<HostTensor> arguments = text.drawArguments({{"N", program.size}, {"T", 150}});
  auto expected = interpret(text.function(), arguments);
  ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
  auto found = runEmulated(text.function(), arguments, build);
  ASSERT_TRUE(bool(found)) << llvm::toString(found.takeError());
  EXPECT_GT(emulatedLaunches(), 0u);
  for (auto [index, result] : llvm::enumerate(*expected))
    EXPECT_EQ(describeDifference((*found)[index], result, 1e-6 * (4 + program.terms)), "")
        << "result " << index;
}

TEST_P(EmulatedPrograms, agreeWithTheInterpreter) {
  expectAgreement(GetParam(), GetParam().roundsFactors ? buildRoundedEmulationPipeline
                                                       : buildEmulationPipeline);
}

/// What differs there are products of numbers of 16 bits.
TEST_P(EmulatedPrograms, agreeWithTheInterpreterOnHopper) {
  if (StringRef(GetParam().text).contains("f16["))
    expectAgreement(GetParam(), buildHopperEmulationPipeline);
}

} // namespace
} // namespace nnc::test
