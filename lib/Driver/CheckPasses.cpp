//===- CheckPasses.cpp - What each pass changes ---------------------------===//
//
// The interpreter computes what an entry is to give before any pass has run, and again after each
// pass from nn to nn. What the passes after that make has no interpreter: it is compiled and run,
// first without all of the optional ones, then with the first, with the first two, and so on. How much
// rounding may change is told by roundingBounds.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/CheckPasses.h"

#include "nnc/Autodiff/Passes.h"
#include "nnc/Driver/Executable.h"
#include "nnc/Driver/Locations.h"
#include "nnc/IR/NN.h"
#include "nnc/Reference/Compare.h"
#include "nnc/Reference/DrawInputs.h"

#include "mlir/IR/OperationSupport.h"
#include "mlir/Pass/PassInstrumentation.h"

#include <cstring>
#include <fmt/format.h>

using namespace mlir;

namespace nnc {
namespace {

using Tensors = SmallVector<HostTensor>;

//===-- Inputs ------------------------------------------------------------===//

bool meetRequirements(const Signature &signature, const SymbolValues &sizes) {
  std::map<std::string, Dim> values(sizes.begin(), sizes.end());
  return llvm::none_of(signature.requirements, [&](const Requirement &requirement) {
    return requirement.complaint(values).has_value();
  });
}

/// Small sizes, different ones if they may be; two steps.
std::optional<SymbolValues> chooseSizes(const Signature &signature) {
  for (int64_t size = 3; size <= 64; ++size)
    for (int64_t step : {1, 0}) {
      SymbolValues sizes;
      for (auto [number, symbol] : llvm::enumerate(signature.symbols))
        sizes[symbol] = symbol == nn::stepsSymbol ? 2 : size + step * int64_t(number);
      if (meetRequirements(signature, sizes))
        return sizes;
    }
  return std::nullopt;
}

/// Parameters are small, states may hold averages of squares, integers number classes.
Tensors drawArguments(const Signature &signature, const SymbolValues &sizes) {
  std::vector<ExampleInput> inputs;
  for (const Buffer &buffer : signature.buffers) {
    if (buffer.isResult)
      continue;
    bool isFloat = isa<FloatType>(buffer.elementType), isState = buffer.role == "state";
    double high = isFloat                           ? (buffer.role == "param" ? 0.5 : 1)
                  : buffer.elementType.isInteger(1) ? 1
                                                    : 2;
    inputs.push_back({buffer.name, makeTensorType(buffer.shape, buffer.elementType),
                      isFloat && !isState ? -high : 0, high});
  }
  return drawInputs(inputs, /*seed=*/1, sizes);
}

//===-- The interpreter ---------------------------------------------------===//

/// A module with a copy of `function` alone, with its gradients as ops.
OwningOpRef<ModuleOp> withGradients(func::FuncOp function) {
  OwningOpRef<ModuleOp> module(ModuleOp::create(function.getLoc()));
  module->push_back(function.clone());
  PassManager passes(function.getContext());
  passes.addNestedPass<func::FuncOp>(createExpandGradPass());
  return succeeded(passes.run(*module)) ? std::move(module) : nullptr;
}

/// Whether the interpreter, or autodiff, knows all ops of `function`.
bool isInterpretable(func::FuncOp function) {
  return !function
              .walk([](Operation *op) {
                return isa<func::FuncOp, func::ReturnOp>(op) || isa<nn::NNDialect>(op->getDialect())
                           ? WalkResult::advance()
                           : WalkResult::interrupt();
              })
              .wasInterrupted();
}

//===-- The check of an entry ---------------------------------------------===//

class EntryCheck {
public:
  EntryCheck(ModuleOp module, const std::string &name, const CompileOptions &options,
             DiagnosticEngine &diagnostics)
      : module(module), function(module.lookupSymbol<func::FuncOp>(name)),
        signature(getSignature(function)), options(options), diagnostics(diagnostics) {
    prepares = options.prepareParameters && signature.canPrepare();
    this->options.passesChecked = nullptr;
    this->options.prepareParameters = false; // An entry in two functions has another signature.
  }

  bool run() { return computeExpected() && checkTransforms() && checkCode(); }

  /// What `pass` has made of the function. Fails no more than once.
  void checkAfter(StringRef pass, func::FuncOp changed);

  CheckedEntry report() const {
    auto unclear = llvm::count_if(llvm::zip(expected, bounds), [](auto pair) {
      auto &[result, bound] = pair;
      double largest = largestFinite(result);
      return largest > 0 && bound >= largest;
    });
    return {signature.name, passed, unsigned(expected.size()), unsigned(unclear)};
  }

private:
  bool computeExpected();
  bool checkTransforms();
  bool checkCode();
  std::vector<std::string> listOptionalPasses();
  std::map<std::string, Tensor> makeInputs() const;
  Tensors collectResults(const std::map<std::string, Tensor> &inputs,
                         ArrayRef<NamedTensor> outputs) const;
  std::optional<Tensors> runCompiled(const CompileOptions &variant);
  std::optional<Tensors> runPrepared();
  bool compare(StringRef subject, ArrayRef<HostTensor> found);
  bool fail(const std::string &message) {
    diagnostics.error(rangeOf(function.getLoc(), diagnostics), message);
    return false;
  }

  ModuleOp module;
  func::FuncOp function;
  Signature signature;
  CompileOptions options;
  DiagnosticEngine &diagnostics;
  SymbolValues sizes;
  Tensors arguments, expected;
  SmallVector<double> bounds;
  unsigned passed = 0;
  bool failed = false;
  /// Whether parameters are prepared in a function of their own.
  bool prepares;
};

bool EntryCheck::computeExpected() {
  std::optional<SymbolValues> chosen = chooseSizes(signature);
  if (!chosen)
    return fail(
        fmt::format("--check-passes: no small sizes are such that '{}' works, give some with "
                    "--bind",
                    signature.name));
  sizes = std::move(*chosen);
  arguments = drawArguments(signature, sizes);
  OwningOpRef<ModuleOp> expanded = withGradients(function);
  if (!expanded)
    return false;
  auto program = *expanded->getOps<func::FuncOp>().begin();
  llvm::Expected<Tensors> results = interpret(program, arguments, {sizes, nullptr, 0, 0});
  if (!results)
    return fail(fmt::format("--check-passes: '{}' cannot be interpreted: {}", signature.name,
                            llvm::toString(results.takeError())));
  expected = std::move(*results);
  auto found = roundingBounds(program, arguments, expected, sizes);
  if (!found)
    return fail(llvm::toString(found.takeError()));
  bounds = std::move(*found);
  return true;
}

/// "[0, 3]" for the element of that number.
std::string placeText(ArrayRef<int64_t> shape, int64_t number) {
  std::vector<int64_t> index(shape.size());
  for (size_t axis = shape.size(); axis-- > 0; number /= shape[axis])
    index[axis] = number % shape[axis];
  return fmt::format("[{}]", fmt::join(index, ", "));
}

bool EntryCheck::compare(StringRef subject, ArrayRef<HostTensor> found) {
  std::vector<Buffer> results;
  llvm::copy_if(signature.buffers, std::back_inserter(results),
                [](const Buffer &buffer) { return buffer.isResult; });
  for (auto [number, buffer] : llvm::enumerate(results)) {
    std::optional<int64_t> element =
        firstDifference(found[number], expected[number], bounds[number]);
    if (!element)
      continue;
    Value result = function.front().getTerminator()->getOperand(number);
    ArrayRef<int64_t> shape = expected[number].getShape();
    diagnostics
        .error(rangeOf(result.getLoc(), diagnostics),
               fmt::format("{} changes {} '{}' of entry '{}': expected {:.9g}, found {:.9g}{}",
                           subject.str(), buffer.role, buffer.name, signature.name,
                           expected[number].getNumber(*element), found[number].getNumber(*element),
                           shape.empty() ? "" : " at " + placeText(shape, *element)))
        .help(fmt::format("rounding may change it by {:.2g}", bounds[number]));
    failed = true;
    return false;
  }
  ++passed;
  return true;
}

void EntryCheck::checkAfter(StringRef pass, func::FuncOp changed) {
  if (failed || !isInterpretable(changed))
    return;
  OwningOpRef<ModuleOp> expanded = withGradients(changed);
  if (!expanded)
    return;
  auto program = *expanded->getOps<func::FuncOp>().begin();
  llvm::Expected<Tensors> results = interpret(program, arguments, {sizes, nullptr, 0, 0});
  if (results) {
    compare(pass, *results);
    return;
  }
  failed = true;
  fail(fmt::format("{} makes a program of entry '{}' that cannot be interpreted: {}", pass.str(),
                   signature.name, llvm::toString(results.takeError())));
}

//===-- Passes from nn to nn ----------------------------------------------===//

/// Calls the check after each pass that changed the function.
class Watch : public PassInstrumentation {
public:
  explicit Watch(EntryCheck &entry) : check(entry) {}

  void runBeforePass(Pass *pass, Operation *op) override {
    // What only hands operations to other passes has no flag.
    if (!pass->getArgument().empty())
      before.emplace(op);
  }
  void runAfterPass(Pass *pass, Operation *op) override {
    if (pass->getArgument().empty() || (before && *before == OperationFingerPrint(op)))
      return;
    op->walk([&](func::FuncOp function) { check.checkAfter(pass->getArgument(), function); });
  }

private:
  EntryCheck &check;
  std::optional<OperationFingerPrint> before;
};

bool EntryCheck::checkTransforms() {
  OwningOpRef<ModuleOp> code = extractEntries(module, {signature.name});
  CompileOptions watched = options;
  watched.beforePhase = [&](StringRef phase, PassManager &passes) {
    if (options.beforePhase)
      options.beforePhase(phase, passes);
    passes.addInstrumentation(std::make_unique<Watch>(*this));
  };
  return runPhases(*code, watched, diagnostics, "recompute") && !failed;
}

//===-- Passes of the back half -------------------------------------------===//

std::vector<std::string> EntryCheck::listOptionalPasses() {
  std::vector<std::string> names;
  CompileOptions listing = options;
  listing.choosePass = [&](StringRef pass) {
    names.push_back(pass.str());
    return true;
  };
  PassManager passes(module.getContext());
  for (const Phase &phase : getPhases())
    phase.build(passes, listing);
  return names;
}

std::map<std::string, Tensor> EntryCheck::makeInputs() const {
  std::map<std::string, Tensor> inputs;
  for (auto [buffer, argument] : llvm::zip(signature.buffers, arguments)) {
    TensorShape shape(argument.getShape().begin(), argument.getShape().end());
    Tensor tensor(hostType(argument.getElementType()), shape);
    std::vector<char> bytes = argument.toBytes();
    std::memcpy(tensor.data(), bytes.data(), bytes.size());
    inputs.emplace(buffer.name, std::move(tensor));
  }
  return inputs;
}

/// All results: updates are where their arguments were.
Tensors EntryCheck::collectResults(const std::map<std::string, Tensor> &inputs,
                                   ArrayRef<NamedTensor> outputs) const {
  Tensors results;
  for (const Buffer &buffer : signature.buffers) {
    if (!buffer.isResult)
      continue;
    const Tensor &tensor = buffer.isUpdate ? inputs.at(buffer.name) : outputs.front().value;
    outputs = outputs.drop_front(!buffer.isUpdate);
    results.push_back(HostTensor::fromBytes(buffer.elementType, tensor.shape(),
                                            static_cast<const char *>(tensor.data())));
  }
  return results;
}

std::optional<Tensors> EntryCheck::runCompiled(const CompileOptions &variant) {
  std::unique_ptr<Executable> executable =
      Executable::compile(module, {signature.name}, variant, diagnostics);
  if (!executable)
    return std::nullopt;
  std::map<std::string, Tensor> inputs = makeInputs();
  std::map<std::string, Tensor *> byName;
  for (auto &[name, tensor] : inputs)
    byName[name] = &tensor;
  std::string error;
  auto outputs = executable->entry(signature.name).run(byName, error, sizes);
  if (outputs)
    return collectResults(inputs, *outputs);
  fail(error);
  return std::nullopt;
}

/// As the two functions that --prepare makes of an entry.
std::optional<Tensors> EntryCheck::runPrepared() {
  CompileOptions variant = options;
  variant.prepareParameters = true;
  OwningOpRef<ModuleOp> code = extractEntries(module, {signature.name});
  if (!runPhases(*code, variant, diagnostics))
    return std::nullopt;
  std::string object = emitMachineCode(*code, variant, MachineOutput::Object, diagnostics);
  if (object.empty())
    return std::nullopt;
  std::string error;
  std::unique_ptr<Jit> jit = Jit::load(object, error, options.hostSymbols);
  if (!jit) {
    diagnostics.defect({}, "cannot load the compiled code: " + error);
    return std::nullopt;
  }
  SmallVector<int64_t> symbols;
  for (const std::string &symbol : signature.symbols)
    symbols.push_back(sizes.at(symbol));
  std::string raw = signature.rawName(), prepare = raw + "_prepare";
  auto preparedBytes = reinterpret_cast<WorkspaceFunction>(jit->find(prepare + "d_bytes"));
  Tensor prepared(ElementType::U8, {preparedBytes(symbols.data())});
  std::map<std::string, Tensor> inputs = makeInputs();
  std::vector<NamedTensor> outputs;
  outputs.reserve(signature.buffers.size());
  auto call = [&](Entry entry) {
    SmallVector<void *> buffers;
    for (const Buffer &buffer : entry.signature().buffers) {
      if (buffer.role == "prepared") {
        buffers.push_back(prepared.data());
      } else if (!buffer.isResult || buffer.isUpdate) {
        buffers.push_back(inputs.at(buffer.name).data());
      } else {
        outputs.push_back(
            {buffer.name, Tensor(hostType(buffer.elementType), entry.shapeOf(buffer, symbols))});
        buffers.push_back(outputs.back().value.data());
      }
    }
    entry.call(buffers, symbols);
  };
  call(Entry(signature.prepare(), jit->entry(prepare), jit->workspace(prepare)));
  call(Entry(signature.prepared(), jit->entry(raw), jit->workspace(raw)));
  return collectResults(inputs, outputs);
}

bool EntryCheck::checkCode() {
  std::vector<std::string> optional = listOptionalPasses();
  for (size_t count = 0; count <= optional.size(); ++count) {
    std::set<std::string> chosen(optional.begin(), optional.begin() + count);
    CompileOptions variant = options;
    variant.choosePass = [&](StringRef pass) { return chosen.count(pass.str()) != 0; };
    std::optional<Tensors> found = runCompiled(variant);
    std::string subject =
        count == 0 ? "code generation without optional passes" : optional[count - 1];
    if (!found || !compare(subject, *found))
      return false;
  }
  if (!prepares)
    return true;
  std::optional<Tensors> found = runPrepared();
  return found && compare("codegen-split-preparation", *found);
}

} // namespace

bool checkPassesIfWanted(ModuleOp module, ArrayRef<std::string> entries,
                         const CompileOptions &options, DiagnosticEngine &diagnostics) {
  if (!options.passesChecked)
    return true;
  for (const std::string &entry : entries) {
    EntryCheck check(module, entry, options, diagnostics);
    if (!check.run())
      return false;
    options.passesChecked(check.report());
  }
  return true;
}

} // namespace nnc
