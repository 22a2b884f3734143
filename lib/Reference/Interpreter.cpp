//===- Interpreter.cpp - A slow, obvious interpreter of the nn dialect ----===//
//
// Binds arguments and symbols, then runs op by op. Each result's shape is compared with its type,
// so that a wrong shape rule is found where it is first used.
//
//===----------------------------------------------------------------------===//
#include "nnc/Reference/Interpreter.h"
#include "Rules.h"

using namespace mlir;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace nnc {

static Registry makeRegistry() {
  Registry registry;
  registerElementwise(registry);
  registerReduction(registry);
  registerLinear(registry);
  registerWindow(registry);
  registerShape(registry);
  registerOrder(registry);
  registerCreation(registry);
  registerControl(registry);
  return registry;
}

static const Registry &getRegistry() {
  static const Registry registry = makeRegistry();
  return registry;
}

bool hasInterpretation(llvm::StringRef name) { return getRegistry().lookup(name); }

//===-- Symbols -----------------------------------------------------------===//

static Dim substituted(const Dim &dim, const SymbolValues &symbols) {
  std::map<std::string, Dim> dims;
  for (const auto &[name, value] : symbols)
    dims[name] = Dim(value);
  return dim.substitute(dims);
}

/// Binds the symbols that stand alone as a dimension of the argument.
static void bindSymbols(Type type, const HostTensor &argument, SymbolValues &symbols) {
  for (auto [dim, size] : llvm::zip_equal(getShape(type), argument.getShape())) {
    std::set<std::string> names;
    dim.collectSymbols(names);
    if (names.size() == 1 && dim == Dim::symbol(*names.begin()) && *names.begin() != "?")
      symbols.try_emplace(*names.begin(), size);
  }
}

static std::string describe(const HostTensor &tensor) {
  return typeToString(RankedTensorType::get(tensor.getShape(), tensor.getElementType()));
}

static Error checkShape(unsigned number, Type type, const HostTensor &argument,
                        const SymbolValues &symbols) {
  for (auto [dim, size] : llvm::zip_equal(getShape(type), argument.getShape())) {
    Dim value = substituted(dim, symbols);
    if (dim == Dim::symbol("?") || value == Dim(size))
      continue;
    if (!value.isConstant())
      return createStringError("expected arguments that tell the value of the dimension " +
                               dim.str());
    std::string where = dim.isConstant() ? "" : " with " + dim.str() + " = " + value.str();
    return createStringError("expected argument " + std::to_string(number) + " of type " +
                             typeToString(type) + where + ", found " + describe(argument));
  }
  return Error::success();
}

Expected<SymbolValues> resolveSymbols(func::FuncOp function, ArrayRef<HostTensor> arguments,
                                      SymbolValues symbols) {
  if (arguments.size() != function.getNumArguments())
    return createStringError("expected " + std::to_string(function.getNumArguments()) +
                             " arguments, found " + std::to_string(arguments.size()));
  for (auto [number, type] : llvm::enumerate(function.getArgumentTypes())) {
    const HostTensor &argument = arguments[number];
    auto tensorType = cast<RankedTensorType>(type);
    if (tensorType.getRank() != argument.getRank() ||
        tensorType.getElementType() != argument.getElementType())
      return createStringError("expected argument " + std::to_string(number) + " of type " +
                               typeToString(type) + ", found " + describe(argument));
    bindSymbols(type, argument, symbols);
  }
  for (auto [number, type] : llvm::enumerate(function.getArgumentTypes()))
    if (Error error = checkShape(number, type, arguments[number], symbols))
      return error;
  return symbols;
}

//===-- Frame -------------------------------------------------------------===//

const HostTensor &Frame::get(Value value) const {
  auto found = values.find(value);
  assert(found != values.end() && "operands are computed before their uses");
  return found->second;
}

Expected<int64_t> Frame::resolve(const Dim &dim) const {
  Dim value = substituted(dim, symbols);
  if (!value.isConstant())
    return createStringError("expected arguments that tell the value of the dimension " +
                             dim.str());
  return value.constant();
}

Expected<llvm::SmallVector<int64_t>> Frame::resolve(ArrayRef<Dim> shape) const {
  llvm::SmallVector<int64_t> sizes;
  for (const Dim &dim : shape) {
    Expected<int64_t> size = resolve(dim);
    if (!size)
      return size.takeError();
    sizes.push_back(*size);
  }
  return sizes;
}

Error Frame::checkResults(Operation &op, ArrayRef<HostTensor> results) const {
  for (auto [result, tensor] : llvm::zip_equal(op.getResults(), results)) {
    Expected<llvm::SmallVector<int64_t>> shape = resolve(getShape(result));
    if (!shape) {
      // A dimension without a name is not known before the op has run.
      llvm::consumeError(shape.takeError());
      continue;
    }
    if (tensor.getShape() != ArrayRef<int64_t>(*shape) ||
        tensor.getElementType() != nnc::getElementType(result))
      return createStringError("'" + op.getName().getStringRef() + "' expects a result of type " +
                               typeToString(result.getType()) + ", computed " + describe(tensor));
  }
  return Error::success();
}

Error Frame::runOp(Operation &op) {
  const Rule *rule = getRegistry().lookup(op.getName().getStringRef());
  if (!rule)
    return createStringError("'" + op.getName().getStringRef() + "' has no interpretation");
  Expected<Tensors> results = rule->compute(&op, *this);
  if (!results)
    return results.takeError();
  if (Error error = checkResults(op, *results))
    return error;
  if (options.noise != 0)
    if (Error error = addNoise(op, *rule, *results))
      return error;
  if (options.afterOp)
    if (Error error = options.afterOp(&op, *results))
      return error;
  for (auto [result, tensor] : llvm::zip_equal(op.getResults(), *results))
    set(result, std::move(tensor));
  return Error::success();
}

Expected<Tensors> Frame::run(Block &block) {
  for (Operation &op : block.without_terminator())
    if (Error error = runOp(op))
      return error;
  Tensors yielded;
  for (Value value : block.getTerminator()->getOperands())
    yielded.push_back(get(value));
  return yielded;
}

Expected<llvm::SmallVector<HostTensor>>
interpret(func::FuncOp function, ArrayRef<HostTensor> arguments, const InterpretOptions &options) {
  Expected<SymbolValues> symbols = resolveSymbols(function, arguments, options.symbols);
  if (!symbols)
    return symbols.takeError();
  Frame frame(std::move(*symbols), options);
  for (auto [argument, tensor] : llvm::zip_equal(function.getArguments(), arguments))
    frame.set(argument, tensor);
  return frame.run(function.front());
}

} // namespace nnc
