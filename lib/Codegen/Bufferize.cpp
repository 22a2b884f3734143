//===- Bufferize.cpp - Turn tensors into buffers that the caller provides -===//
//
// Decides where each result is to live, in a destination argument or in the argument that it
// updates, and lets one-shot bufferization compute it there.
//
//===----------------------------------------------------------------------===//
#include "BufferPlaces.h"
#include "SymbolicSizes.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/NN.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_BUFFERIZEPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

constexpr llvm::StringLiteral kWritableAttr = "bufferization.writable";

/// Appends the symbols of `function` that are not arguments yet, and expresses the sizes of the
/// arguments in them.
void addSymbolArguments(func::FuncOp function) {
  MLIRContext *context = function.getContext();
  std::map<std::string, Value> known = SymbolicSizes(function).getSymbols();
  if (auto symbols = function->getAttrOfType<ArrayAttr>(kSymbolsAttr))
    for (StringAttr symbol : symbols.getAsRange<StringAttr>()) {
      if (known.count(symbol.str()))
        continue;
      DictionaryAttr attrs = DictionaryAttr::get(
          context, NamedAttribute(StringAttr::get(context, kSymbolAttr), symbol));
      (void)function.insertArgument(function.getNumArguments(), IndexType::get(context), attrs,
                                    function.getLoc());
    }
  SymbolicSizes sizes(function);
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  function.walk([&](tensor::DimOp op) {
    if (std::optional<Dim> dim = sizes.dimOf(op)) {
      op.replaceAllUsesWith(
          SymbolicSizes::materialize(builder, op.getLoc(), *dim, sizes.getSymbols()));
      op.erase();
    }
  });
}

/// Removes the copies that kept what is computed again apart from the first time.
void dropCopies(func::FuncOp function) {
  function.walk([](bufferization::AllocTensorOp copy) {
    if (!copy->hasAttr(nn::againAttr))
      return;
    copy.replaceAllUsesWith(copy.getCopy());
    copy.erase();
  });
}

/// The argument that result `index` updates, none if it has its own buffer.
std::optional<unsigned> updatedArgument(func::FuncOp function, unsigned index) {
  auto name = function.getResultAttrOfType<StringAttr>(index, kNameAttr);
  for (unsigned argument = 0; name && argument < function.getNumArguments(); ++argument)
    if (function.getArgAttrOfType<StringAttr>(argument, kNameAttr) == name &&
        function.getArgumentTypes()[argument] == function.getResultTypes()[index])
      return argument;
  return std::nullopt;
}

/// Gives every result a destination among the arguments, whose positions it returns, and numbers
/// the buffers.
SmallVector<unsigned> addDestinations(func::FuncOp function) {
  MLIRContext *context = function.getContext();
  Builder attributes(context);
  unsigned numInputs = 0;
  for (unsigned argument = 0; argument < function.getNumArguments(); ++argument)
    if (isa<RankedTensorType>(function.getArgumentTypes()[argument])) {
      function.setArgAttr(argument, kBufferAttr, attributes.getI64IntegerAttr(numInputs++));
      function.setArgAttr(argument, kWritableAttr, attributes.getBoolAttr(false));
    }
  SmallVector<unsigned> positions;
  for (unsigned index = 0; index < function.getNumResults(); ++index) {
    unsigned argument = function.getNumArguments();
    if (std::optional<unsigned> updated = updatedArgument(function, index)) {
      argument = *updated;
      function.setArgAttr(argument, kUpdatedAttr, attributes.getUnitAttr());
    } else {
      NamedAttrList attrs(function.getResultAttrDict(index));
      attrs.set(kBufferAttr, attributes.getI64IntegerAttr(numInputs + index));
      (void)function.insertArgument(argument, function.getResultTypes()[index],
                                    attrs.getDictionary(context), function.getLoc());
    }
    function.setArgAttr(argument, kWritableAttr, attributes.getBoolAttr(true));
    positions.push_back(argument);
  }
  function.removeResAttrsAttr();
  Operation *terminator = function.getBody().front().getTerminator();
  for (auto [value, position] : llvm::zip(terminator->getOpOperands(), positions))
    computeIn(value, function.getArgument(position));
  return positions;
}

class Bufferize : public impl::BufferizePassBase<Bufferize> {
  void runOnOperation() override {
    std::vector<std::pair<func::FuncOp, SmallVector<unsigned>>> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isDeclaration()) {
        dropCopies(function);
        separateInitialValues(function);
        computeLoopsInPlace(function);
        functions.push_back({function, addDestinations(function)});
        addSymbolArguments(function);
      }
    if (failed(bufferize()))
      return signalPassFailure();
    for (auto &[function, positions] : functions) {
      settleLoops(function);
      SmallVector<Value> destinations;
      for (unsigned position : positions)
        destinations.push_back(function.getArgument(position));
      settleResults(function, destinations);
    }
  }

  LogicalResult bufferize() {
    IRRewriter rewriter(&getContext());
    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.allowReturnAllocsFromLoops = true;
    options.setFunctionBoundaryTypeConversion(bufferization::LayoutMapOption::IdentityLayoutMap);
    options.unknownTypeConverterFn = [](TensorType type, Attribute space,
                                        const bufferization::BufferizationOptions &) {
      return bufferization::getMemRefTypeWithStaticIdentityLayout(type, space);
    };
    bufferization::BufferizationState state;
    if (failed(bufferization::eliminateEmptyTensors(rewriter, getOperation())))
      return failure();
    for (auto function : getOperation().getOps<func::FuncOp>())
      computeInDyingInputs(function);
    if (failed(bufferization::runOneShotModuleBufferize(getOperation(), options, state)))
      return failure();
    bufferization::removeBufferizationAttributesInModule(getOperation());
    return success();
  }
};

} // namespace
} // namespace nnc
