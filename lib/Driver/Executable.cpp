//===- Executable.cpp - Compiled entries, called with tensors -------------===//
//
// Solves for the symbols from the shapes of the arguments, allocates what the entry returns, calls.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Executable.h"

#include "nnc/Driver/CheckPasses.h"
#include "nnc/Driver/GpuCode.h"

#include <fmt/format.h>

using namespace mlir;

namespace nnc {

ElementType hostType(Type type) {
  std::optional<ElementType> found = elementTypeNamed(elementTypeToString(type));
  assert(found && "every element type of the language has a host type");
  return *found;
}

static std::string describe(const Tensor &tensor) {
  return nameOf(tensor.type()) + (tensor.rank() == 0 ? std::string() : toString(tensor.shape()));
}

static std::string describe(const Buffer &buffer) {
  return typeToString(makeTensorType(buffer.shape, buffer.elementType));
}

/// Gives each symbol that stands alone as a dimension the size it has in `tensor`.
static void bindSymbols(const Buffer &buffer, const Tensor &tensor,
                        std::map<std::string, Dim> &values) {
  for (auto [dim, size] : llvm::zip(buffer.shape, tensor.shape())) {
    const auto &terms = dim.getTerms();
    if (terms.size() == 1 && terms.begin()->second == 1 && terms.begin()->first.size() == 1 &&
        !terms.begin()->first.front().numerator)
      values.emplace(terms.begin()->first.front().name, Dim(size));
  }
}

static bool matches(const Buffer &buffer, const Tensor &tensor,
                    const std::map<std::string, Dim> &values) {
  if (hostType(buffer.elementType) != tensor.type() || buffer.shape.size() != tensor.shape().size())
    return false;
  return llvm::all_of(llvm::zip(buffer.shape, tensor.shape()), [&](auto pair) {
    Dim dim = std::get<0>(pair).substitute(values);
    return dim.isConstant() && dim.constant() == std::get<1>(pair);
  });
}

/// ", where N is 2", for the symbols that other arguments than this one have given a size.
static std::string describeSymbols(const Buffer &buffer, const Tensor &tensor,
                                   const std::map<std::string, Dim> &values) {
  std::set<std::string> symbols;
  for (const Dim &dim : buffer.shape)
    dim.collectSymbols(symbols);
  std::map<std::string, Dim> own;
  bindSymbols(buffer, tensor, own);
  std::string text;
  for (const std::string &symbol : symbols) {
    auto value = values.find(symbol);
    auto here = own.find(symbol);
    if (value != values.end() && (here == own.end() || here->second != value->second))
      text += fmt::format("{} {} is {}", text.empty() ? ", where" : " and", symbol,
                          value->second.str());
  }
  return text;
}

std::optional<std::vector<int64_t>>
Entry::solveSymbols(const std::map<std::string, const Tensor *> &arguments,
                    const std::map<std::string, int64_t> &given, std::string &error) const {
  std::map<std::string, Dim> values;
  for (const auto &[symbol, value] : given)
    values.emplace(symbol, Dim(value));
  for (const Buffer &buffer : entrySignature.buffers)
    if (auto found = arguments.find(buffer.name); !buffer.isResult && found != arguments.end())
      bindSymbols(buffer, *found->second, values);
  for (const Buffer &buffer : entrySignature.buffers) {
    if (buffer.isResult)
      continue;
    auto found = arguments.find(buffer.name);
    if (found == arguments.end()) {
      error = fmt::format("'{}' needs a value for '{}' of type {}", entrySignature.name,
                          buffer.name, describe(buffer));
      return std::nullopt;
    }
    if (!matches(buffer, *found->second, values)) {
      error =
          fmt::format("'{}' expects {}, found {}{}", buffer.name, describe(buffer),
                      describe(*found->second), describeSymbols(buffer, *found->second, values));
      return std::nullopt;
    }
  }
  std::vector<int64_t> solved;
  for (const std::string &symbol : entrySignature.symbols) {
    auto found = values.find(symbol);
    if (found == values.end()) {
      error = fmt::format("'{}' needs a size for the dimension '{}'", entrySignature.name, symbol);
      return std::nullopt;
    }
    solved.push_back(found->second.constant());
  }
  if (!meetsRequirements(values, error))
    return std::nullopt;
  return solved;
}

/// " (a.nn:2:10)", or nothing where the location names no file.
static std::string placeOf(Location location) {
  std::string text;
  location->walk([&](Location inner) {
    auto place = dyn_cast<FileLineColRange>(inner);
    if (!place)
      return WalkResult::advance();
    text = fmt::format(" ({}:{}:{})", place.getFilename().str(), place.getStartLine(),
                       place.getStartColumn());
    return WalkResult::interrupt();
  });
  return text;
}

bool Entry::meetsRequirements(const std::map<std::string, Dim> &values, std::string &error) const {
  for (const Requirement &requirement : entrySignature.requirements) {
    std::optional<std::string> complaint = requirement.complaint(values);
    if (!complaint)
      continue;
    error = fmt::format("'{}' {}", entrySignature.name, *complaint);
    error += placeOf(requirement.location);
    return false;
  }
  return true;
}

TensorShape Entry::shapeOf(const Buffer &buffer, ArrayRef<int64_t> symbols) const {
  std::map<std::string, Dim> values;
  for (auto [symbol, value] : llvm::zip(entrySignature.symbols, symbols))
    values.emplace(symbol, Dim(value));
  TensorShape shape;
  for (const Dim &dim : buffer.shape)
    shape.push_back(dim.substitute(values).constant());
  return shape;
}

void Entry::call(ArrayRef<void *> buffers, ArrayRef<int64_t> symbols) {
  int64_t bytes = workspaceBytes(symbols.data());
  if (bytes > int64_t(workspace.sizeInBytes()))
    workspace = Tensor::unfilled(ElementType::U8, {bytes});
  function(buffers.data(), symbols.data(), workspace.data());
}

std::optional<std::vector<NamedTensor>>
Entry::run(std::map<std::string, Tensor *> arguments, std::string &error,
           const std::map<std::string, int64_t> &symbolValues,
           function_ref<void *(const std::string &name)> onDevice) {
  std::map<std::string, const Tensor *> readable(arguments.begin(), arguments.end());
  std::optional<std::vector<int64_t>> symbols = solveSymbols(readable, symbolValues, error);
  if (!symbols)
    return std::nullopt;
  std::vector<NamedTensor> results;
  results.reserve(entrySignature.buffers.size());
  SmallVector<void *> buffers;
  for (const Buffer &buffer : entrySignature.buffers) {
    if (!buffer.isResult || buffer.isUpdate) {
      void *place = onDevice ? onDevice(buffer.name) : nullptr;
      buffers.push_back(place ? place : arguments.at(buffer.name)->data());
      continue;
    }
    results.push_back(
        {buffer.name, Tensor(hostType(buffer.elementType), shapeOf(buffer, *symbols))});
    buffers.push_back(results.back().value.data());
  }
  call(buffers, *symbols);
  return results;
}

static std::string emitObject(ModuleOp module, ArrayRef<std::string> names,
                              const CompileOptions &options, DiagnosticEngine &diagnostics) {
  std::string lacking;
  if (options.gpu)
    return emitGpuObject(module, names, options, *options.gpu, lacking, diagnostics);
  OwningOpRef<ModuleOp> code = extractEntries(module, names);
  if (!runPhases(*code, options, diagnostics))
    return "";
  return emitMachineCode(*code, options, MachineOutput::Object, diagnostics);
}

std::unique_ptr<Executable> Executable::compile(ModuleOp module, ArrayRef<std::string> names,
                                                const CompileOptions &options,
                                                DiagnosticEngine &diagnostics) {
  if (!checkPassesIfWanted(module, names, options, diagnostics))
    return nullptr;
  std::string object = emitObject(module, names, options, diagnostics);
  if (object.empty())
    return nullptr;
  auto executable = std::make_unique<Executable>();
  executable->forGpu = options.gpu.has_value();
  std::string error;
  executable->jit = Jit::load(object, error, options.hostSymbols);
  if (!executable->jit) {
    diagnostics.defect({}, "cannot load the compiled code: " + error);
    return nullptr;
  }
  for (const std::string &name : names) {
    Signature signature = getSignature(module.lookupSymbol<func::FuncOp>(name));
    std::string raw = signature.rawName();
    executable->entries.emplace(name, Entry(std::move(signature), executable->jit->entry(raw),
                                            executable->jit->workspace(raw)));
  }
  return executable;
}

} // namespace nnc
