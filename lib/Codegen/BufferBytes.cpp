//===- BufferBytes.cpp - Tell how large the buffers of an entry are -------===//
//
// A runtime that copies buffers to a device and back needs their sizes, which C's pointers do not say.
//
//===----------------------------------------------------------------------===//
#include "SymbolicSizes.h"
#include "nnc/Codegen/GPU/Passes.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_BUFFERBYTESPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

/// `NAME_bytes_SLOT(symbols)`: the bytes of argument `position`.
void emitBytesFunction(func::FuncOp function, unsigned position, int64_t slot,
                       const SymbolicSizes &sizes) {
  Location loc = function.getLoc();
  OpBuilder b(function.getContext());
  b.setInsertionPointAfter(function);
  auto symbols = function->getAttrOfType<ArrayAttr>(kSymbolsAttr);
  SmallVector<Type> types(symbols ? symbols.size() : 0, b.getIndexType());
  auto companion =
      func::FuncOp::create(b, loc, (function.getName() + "_bytes_" + Twine(slot)).str(),
                           b.getFunctionType(types, b.getI64Type()));
  if (symbols)
    companion->setAttr(kSymbolsAttr, symbols);
  b.setInsertionPointToStart(companion.addEntryBlock());
  std::map<std::string, Value> values;
  for (auto [index, argument] : llvm::enumerate(companion.getArguments())) {
    companion.setArgAttr(index, kSymbolAttr, symbols[index]);
    values[cast<StringAttr>(symbols[index]).str()] = argument;
  }
  auto type = cast<MemRefType>(function.getArgumentTypes()[position]);
  Dim bytes(std::max<int64_t>(type.getElementTypeBitWidth() / 8, 1));
  for (unsigned dim = 0; dim < type.getRank(); ++dim)
    bytes = bytes * *sizes.extentOf(function.getArgument(position), dim);
  Value total = SymbolicSizes::materialize(b, loc, bytes, values);
  func::ReturnOp::create(b, loc,
                         arith::IndexCastOp::create(b, loc, b.getI64Type(), total).getResult());
}

class BufferBytes : public impl::BufferBytesPassBase<BufferBytes> {
  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!function.isPrivate() && function.getNumResults() == 0 && failed(describe(function)))
        return signalPassFailure();
  }

  LogicalResult describe(func::FuncOp function) {
    SymbolicSizes sizes(function);
    for (unsigned position = 0; position < function.getNumArguments(); ++position) {
      auto slot = function.getArgAttrOfType<IntegerAttr>(position, kBufferAttr);
      auto type = dyn_cast<MemRefType>(function.getArgumentTypes()[position]);
      if (!slot || !type)
        continue;
      for (unsigned dim = 0; dim < type.getRank(); ++dim)
        if (!sizes.extentOf(function.getArgument(position), dim))
          return function.emitError("argument ") << position << " has a size without a name";
      emitBytesFunction(function, position, slot.getInt(), sizes);
    }
    return success();
  }
};

} // namespace
} // namespace nnc
