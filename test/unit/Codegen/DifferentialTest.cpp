//===- DifferentialTest.cpp - Generated code agrees with the interpreter --===//
//
// Every op's examples, and their gradients, are compiled and run on this processor, and as kernels on an
// emulated GPU, and interpreted by the reference; the results must agree to the accuracy of the element type.
// Symbolic sizes take several values, none and one included.
//
//===----------------------------------------------------------------------===//
#include "nnc/Autodiff/Autodiff.h"
#include "nnc/Codegen/GPU/Passes.h"
#include "nnc/Codegen/ObjectEmission.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/Driver/Jit.h"
#include "nnc/Emulation/Emulation.h"
#include "nnc/IR/OpTable.h"
#include "nnc/Reference/Compare.h"
#include "nnc/Reference/DrawInputs.h"
#include "nnc/Reference/RandomProgram.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "llvm/Support/Allocator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace mlir;
using namespace nnc;

namespace {

DialectRegistry makeRegistry() {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<nn::NNDialect>();
  registerGradientModels(registry);
  return registry;
}

/// A function of nn ops as machine code.
class Compiled {
public:
  explicit Compiled(func::FuncOp source,
                    void (*build)(OpPassManager &, const CodegenOptions &) = buildCpuPipeline,
                    const std::map<std::string, void *> &hostSymbols = {})
      : function(source) {
    MLIRContext *context = source.getContext();
    OwningOpRef<ModuleOp> module = ModuleOp::create(source.getLoc());
    func::FuncOp copy = source.clone();
    copy.setName("f");
    module->push_back(copy);
    CodegenOptions options;
    PassManager toLinalg(context), toLLVM(context);
    toLinalg.addNestedPass<func::FuncOp>(createDecomposePass());
    buildLinalgStage(toLinalg, options);
    build(toLLVM, options);
    if (failed(toLinalg.run(*module)))
      return;
    for (Attribute name : copy->getAttrOfType<ArrayAttr>("nn.symbols"))
      symbols.push_back(cast<StringAttr>(name).str());
    if (failed(toLLVM.run(*module)))
      return;
    auto object = emitOutput(*module, TargetDescription::host(), OutputKind::Object);
    std::string error = object ? "" : llvm::toString(object.takeError());
    if (error.empty())
      jit = Jit::load(*object, error, hostSymbols);
    EXPECT_EQ(error, "");
  }

  explicit operator bool() const { return jit != nullptr; }

  /// Runs on `inputs`; the results have the shapes and types of `like`.
  std::vector<HostTensor> run(ArrayRef<HostTensor> inputs, ArrayRef<HostTensor> like,
                              const SymbolValues &values) const {
    llvm::BumpPtrAllocator memory;
    auto allocate = [&](size_t bytes) { return memory.Allocate(bytes + 64, llvm::Align(64)); };
    std::vector<void *> buffers;
    for (const HostTensor &input : inputs) {
      std::vector<char> bytes = input.toBytes();
      buffers.push_back(allocate(bytes.size()));
      std::memcpy(buffers.back(), bytes.data(), bytes.size());
    }
    for (const HostTensor &result : like)
      buffers.push_back(allocate(result.toBytes().size()));
    std::vector<int64_t> sizes;
    for (const std::string &symbol : symbols)
      sizes.push_back(values.at(symbol));
    void *workspace = allocate(jit->workspace("f")(sizes.data()));
    jit->entry("f")(buffers.data(), sizes.data(), workspace);
    std::vector<HostTensor> results;
    for (auto [index, result] : llvm::enumerate(like))
      results.push_back(
          HostTensor::fromBytes(result.getElementType(), result.getShape(),
                                static_cast<const char *>(buffers[inputs.size() + index])));
    return results;
  }

private:
  func::FuncOp function;
  std::vector<std::string> symbols;
  std::unique_ptr<Jit> jit;
};

double tolerance(Type type) {
  if (type.isF64())
    return 1e-12;
  return type.isF32() ? 1e-5 : 2e-2;
}

void expectClose(const HostTensor &found, const HostTensor &expected) {
  double bound = tolerance(expected.getElementType());
  for (int64_t i = 0; i < expected.getNumElements(); ++i) {
    double want = expected.getNumber(i), have = found.getNumber(i);
    if (want == have || (std::isnan(want) && std::isnan(have)))
      continue;
    ASSERT_LE(std::abs(want - have), expected.isFloat() ? bound * (1 + std::abs(want)) : 0)
        << "element " << i << ": expected " << want << ", found " << have;
  }
}

void compare(func::FuncOp function, ArrayRef<ExampleInput> inputs, bool hasSymbols) {
  Compiled compiled(function), emulated(function, buildEmulationPipeline, emulationSymbols());
  ASSERT_TRUE(compiled);
  ASSERT_TRUE(emulated);
  for (int64_t size : hasSymbols ? std::vector<int64_t>{3, 1, 37, 0} : std::vector<int64_t>{3}) {
    SCOPED_TRACE(fmt::format("size {}", size));
    SymbolValues symbols;
    for (StringRef name : {"N", "M", "K", "B", "T", "D", "H", "W"})
      symbols[name.str()] = size;
    SmallVector<HostTensor> arguments = drawInputs(inputs, 5, symbols);
    InterpretOptions options;
    options.symbols = symbols;
    auto expected = interpret(function, arguments, options);
    if (!expected) {
      llvm::consumeError(expected.takeError());
      continue;
    }
    std::vector<HostTensor> found = compiled.run(arguments, *expected, symbols);
    startEmulation(/*seed=*/size);
    std::vector<HostTensor> foundEmulated = emulated.run(arguments, *expected, symbols);
    EXPECT_EQ(emulationReport(), "");
    for (auto [index, result] : llvm::enumerate(*expected)) {
      SCOPED_TRACE(fmt::format("result {}", index));
      expectClose(found[index], result);
      SCOPED_TRACE("on an emulated GPU");
      expectClose(foundEmulated[index], result);
    }
  }
}

/// Random programs with loops, in both precisions; the bound comes from what rounding does to each.
TEST(DifferentialProgram, RandomProgramsAgree) {
  MLIRContext context(makeRegistry());
  context.loadAllAvailableDialects();
  Runner runner = [](func::FuncOp function,
                     ArrayRef<HostTensor> arguments) -> llvm::Expected<SmallVector<HostTensor>> {
    auto symbols = resolveSymbols(function, arguments);
    auto like = interpret(function, arguments);
    if (!symbols || !like)
      return llvm::createStringError("the interpreter failed");
    Compiled compiled(function);
    if (!compiled)
      return llvm::createStringError("does not compile");
    return llvm::to_vector(compiled.run(arguments, *like, *symbols));
  };
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    RandomProgram program = buildRandomProgram(context, seed);
    for (Type type : {Type(Float32Type::get(&context)), Type(Float64Type::get(&context))}) {
      std::string difference = compareInPrecision(program, type, runner);
      std::string text;
      llvm::raw_string_ostream(text) << *program.module;
      EXPECT_EQ(difference, "") << text;
    }
  }
}

bool hasSymbols(ArrayRef<ExampleInput> inputs) {
  return llvm::any_of(inputs,
                      [](const ExampleInput &input) { return !input.type.hasStaticShape(); });
}

class Differential : public testing::TestWithParam<const OpInfo *> {
protected:
  Differential() : context(makeRegistry()) { context.loadAllAvailableDialects(); }
  MLIRContext context;
};

std::vector<const OpInfo *> opsWithExamples() {
  std::vector<const OpInfo *> ops;
  for (const OpInfo &op : getOpTable())
    if (!op.examples.empty() && op.name != "normal")
      ops.push_back(&op);
  return ops;
}

INSTANTIATE_TEST_SUITE_P(Ops, Differential, testing::ValuesIn(opsWithExamples()),
                         [](const auto &info) { return info.param->name; });

TEST_P(Differential, ExamplesAgree) {
  for (const std::string &text : GetParam()->examples) {
    SCOPED_TRACE(text);
    Example example = llvm::cantFail(buildExample(context, text));
    compare(example.function, example.inputs, hasSymbols(example.inputs));
  }
}

TEST_P(Differential, GradientsAgree) {
  for (const std::string &text : GetParam()->examples) {
    SCOPED_TRACE(text);
    Example example = llvm::cantFail(buildExample(context, text));
    std::vector<std::string> wrt;
    for (const ExampleInput &input : example.inputs)
      if (isa<FloatType>(input.type.getElementType()))
        wrt.push_back(input.name);
    if (wrt.empty() ||
        !isa<FloatType>(getElementType(example.function.front().getTerminator()->getOperand(0))))
      continue;
    FailureOr<func::FuncOp> gradient = buildGradientFunction(example.function, wrt);
    ASSERT_TRUE(succeeded(gradient));
    std::vector<ExampleInput> inputs = example.inputs;
    for (Type type : gradient->getArgumentTypes().drop_front(inputs.size()))
      inputs.push_back({"cotangent", cast<RankedTensorType>(type), -1, 1});
    compare(*gradient, inputs, hasSymbols(example.inputs));
  }
}

} // namespace
