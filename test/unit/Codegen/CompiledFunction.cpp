// From nn to a loaded object, and calls with guarded buffers.
#include "CompiledFunction.h"

#include "nnc/Codegen/ObjectEmission.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/NN.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"

#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>

using namespace mlir;

namespace nnc::test {
namespace {

/// Memory of `size` bytes, 64-byte aligned, with bytes of a known value on both sides.
class Buffer {
public:
  explicit Buffer(size_t bytes) : size(bytes) {
    memory.reset(static_cast<char *>(std::aligned_alloc(64, (size + 2 * guard + 63) / 64 * 64)));
    std::memset(memory.get(), fill, size + 2 * guard);
  }
  char *data() { return memory.get() + guard; }
  bool isIntact() const {
    for (size_t offset = 0; offset < guard; ++offset)
      if (memory.get()[offset] != fill || memory.get()[guard + size + offset] != fill)
        return false;
    return true;
  }

private:
  static constexpr size_t guard = 64;
  static constexpr char fill = 0x5a;
  struct Free {
    void operator()(char *pointer) const { std::free(pointer); }
  };
  size_t size;
  std::unique_ptr<char, Free> memory;
};

} // namespace

void loadDialects(MLIRContext &context) {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<nn::NNDialect>();
  context.appendDialectRegistry(registry);
  context.loadDialect<nn::NNDialect, func::FuncDialect>();
}

CompiledFunction::CompiledFunction(func::FuncOp function, const CodegenOptions &options,
                                   const std::map<std::string, void *> &hostSymbols,
                                   PipelineBuilder build)
    : name(function.getName()) {
  compile(function, options, hostSymbols, build);
}

void CompiledFunction::compile(func::FuncOp function, const CodegenOptions &options,
                               const std::map<std::string, void *> &hostSymbols,
                               PipelineBuilder build) {
  for (auto [result, type] : llvm::enumerate(function.getResultTypes())) {
    std::optional<unsigned> &updated = updatedArguments.emplace_back();
    auto resultName = function.getResultAttrOfType<StringAttr>(result, nn::nameAttr);
    for (auto [argument, argumentType] : llvm::enumerate(function.getArgumentTypes()))
      if (resultName && !updated && argumentType == type &&
          function.getArgAttrOfType<StringAttr>(argument, nn::nameAttr) == resultName)
        updated = argument;
  }
  OwningOpRef<ModuleOp> module(ModuleOp::create(function.getLoc()));
  module->push_back(function.clone());
  PassManager lowering(module->getContext());
  lowering.addNestedPass<func::FuncOp>(createDecomposePass());
  lowering.addNestedPass<func::FuncOp>(createLowerToLinalgPass());
  ASSERT_TRUE(succeeded(lowering.run(*module)));
  auto lowered = module->lookupSymbol<func::FuncOp>(name);
  for (auto symbol : lowered->getAttrOfType<ArrayAttr>("nn.symbols").getAsRange<StringAttr>())
    symbolNames.push_back(symbol.str());

  PassManager passes(module->getContext());
  build(passes, options);
  ASSERT_TRUE(succeeded(passes.run(*module)));
  auto object = emitOutput(*module, *TargetDescription::forCpu(options.cpu), OutputKind::Object);
  ASSERT_TRUE(bool(object)) << llvm::toString(object.takeError());
  std::string error;
  jit = Jit::load(*object, error, hostSymbols);
  ASSERT_TRUE(jit) << error;
}

std::vector<HostTensor> CompiledFunction::run(ArrayRef<HostTensor> arguments,
                                              ArrayRef<HostTensor> resultShapes,
                                              const SymbolValues &symbols) {
  std::vector<Buffer> buffers;
  auto allocate = [&](const HostTensor &tensor) {
    buffers.emplace_back(tensor.getNumElements() * getElementBytes(tensor.getElementType()));
  };
  for (const HostTensor &argument : arguments) {
    allocate(argument);
    std::vector<char> bytes = argument.toBytes();
    if (!bytes.empty())
      std::memcpy(buffers.back().data(), bytes.data(), bytes.size());
  }
  llvm::for_each(resultShapes, allocate);
  std::vector<void *> pointers;
  for (Buffer &buffer : buffers)
    pointers.push_back(buffer.data());
  std::vector<int64_t> symbolValues;
  for (const std::string &symbol : symbolNames)
    symbolValues.push_back(symbols.at(symbol));

  Buffer workspace(jit->workspace(name)(symbolValues.data()));
  jit->entry(name)(pointers.data(), symbolValues.data(), workspace.data());
  EXPECT_TRUE(workspace.isIntact()) << "wrote beyond the workspace";
  for (auto [number, buffer] : llvm::enumerate(buffers))
    EXPECT_TRUE(buffer.isIntact()) << "wrote beyond buffer " << number;
  auto read = [&](const HostTensor &like, unsigned number) {
    return HostTensor::fromBytes(like.getElementType(), like.getShape(), buffers[number].data());
  };
  for (auto [number, argument] : llvm::enumerate(arguments))
    if (!llvm::is_contained(updatedArguments, std::optional<unsigned>(number)))
      EXPECT_TRUE(read(argument, number) == argument) << "wrote into argument " << number;
  std::vector<HostTensor> results;
  for (auto [number, like] : llvm::enumerate(resultShapes))
    results.push_back(read(like, updatedArguments[number].value_or(arguments.size() + number)));
  return results;
}

} // namespace nnc::test
