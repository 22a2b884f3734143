//===- EntryTable.cpp - What an object tells the runtime ------------------===//
#include "nnc/Codegen/GPU/EntryTable.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace nnc {

namespace {

/// Appends to a module in the LLVM dialect.
class TableBuilder {
public:
  explicit TableBuilder(ModuleOp hostModule)
      : module(hostModule), loc(module.getLoc()), b(OpBuilder::atBlockEnd(module.getBody())),
        pointer(LLVM::LLVMPointerType::get(module.getContext())), word(b.getI64Type()) {}

  /// A constant array of bytes.
  LLVM::GlobalOp addBytes(const std::string &symbol, StringRef bytes, uint64_t alignment = 1) {
    return LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size()),
                                  /*isConstant=*/true, LLVM::Linkage::Internal, symbol,
                                  b.getStringAttr(bytes), alignment);
  }
  LLVM::GlobalOp addText(const std::string &symbol, const std::string &text) {
    return addBytes(symbol, text + std::string(1, '\0'));
  }

  /// A structure of words; `fields` makes the values where the builder stands.
  void addStructure(const std::string &symbol, bool isConstant,
                    llvm::function_ref<SmallVector<Value>()> fields) {
    // An earlier declaration stands for it.
    if (auto declared = module.lookupSymbol<LLVM::GlobalOp>(symbol))
      declared.erase();
    OpBuilder::InsertionGuard guard(b);
    auto global = LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(word, 0), isConstant,
                                         LLVM::Linkage::Internal, symbol, Attribute(),
                                         /*alignment=*/8);
    b.setInsertionPointToStart(&global.getInitializerRegion().emplaceBlock());
    SmallVector<Value> values = fields();
    auto type = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                                 llvm::to_vector(ValueRange(values).getTypes()));
    global.setGlobalType(type);
    Value whole = LLVM::PoisonOp::create(b, loc, type);
    for (auto [index, value] : llvm::enumerate(values))
      whole = LLVM::InsertValueOp::create(b, loc, whole, value, index);
    LLVM::ReturnOp::create(b, loc, whole);
  }

  Value addressOf(const std::string &symbol) {
    return LLVM::AddressOfOp::create(b, loc, pointer, symbol);
  }
  Value null() { return LLVM::ZeroOp::create(b, loc, pointer); }
  Value number(int64_t value) { return LLVM::ConstantOp::create(b, loc, word, value); }

  /// Declares a function unless it is known.
  LLVM::LLVMFuncOp declare(const std::string &name, Type result, ArrayRef<Type> arguments) {
    if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
      return known;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(module.getBody());
    return LLVM::LLVMFuncOp::create(b, loc, name, LLVM::LLVMFunctionType::get(result, arguments));
  }
  LLVM::LLVMFuncOp declareEntry(const std::string &name) {
    return declare(name, LLVM::LLVMVoidType::get(b.getContext()), {pointer, pointer, pointer});
  }
  LLVM::LLVMFuncOp declareSize(const std::string &name) { return declare(name, word, {pointer}); }

  /// Keeps a function within the object or library.
  void hide(LLVM::LLVMFuncOp function) { function.setVisibility_(LLVM::Visibility::Hidden); }

  /// Defines a function that hands `entry` and its arguments to `runtime`.
  void forward(LLVM::LLVMFuncOp function, const std::string &entry, const std::string &runtime) {
    OpBuilder::InsertionGuard guard(b);
    auto type = function.getFunctionType();
    SmallVector<Type> types = {pointer};
    llvm::append_range(types, type.getParams());
    LLVM::LLVMFuncOp callee = declare(runtime, type.getReturnType(), types);
    b.setInsertionPointToStart(function.addEntryBlock(b));
    SmallVector<Value> operands = {addressOf(entry)};
    llvm::append_range(operands, function.getArguments());
    auto call = LLVM::CallOp::create(b, loc, callee, operands);
    LLVM::ReturnOp::create(b, loc, call.getResults());
  }

private:
  ModuleOp module;
  Location loc;
  OpBuilder b;
  Type pointer, word;
};

} // namespace

void addKernelTable(ModuleOp module, const KernelTable &kernels) {
  TableBuilder b(module);
  std::string symbol = "nnc." + kernels.module;
  b.addText(symbol + ".arch", kernels.arch);
  b.addText(symbol + ".ptx", kernels.ptx);
  if (!kernels.cubin.empty())
    b.addBytes(symbol + ".cubin", kernels.cubin, /*alignment=*/64);
  for (auto [index, name] : llvm::enumerate(kernels.names))
    b.addText(symbol + ".name." + std::to_string(index), name);
  b.addStructure(symbol + ".names", /*isConstant=*/true, [&] {
    SmallVector<Value> names;
    for (size_t index = 0; index < kernels.names.size(); ++index)
      names.push_back(b.addressOf(symbol + ".name." + std::to_string(index)));
    return names;
  });
  b.addStructure(symbol, /*isConstant=*/false, [&]() -> SmallVector<Value> {
    Value cubin = kernels.cubin.empty() ? b.null() : b.addressOf(symbol + ".cubin");
    return {b.addressOf(symbol + ".arch"),  b.addressOf(symbol + ".ptx"),   cubin,
            b.number(kernels.names.size()), b.addressOf(symbol + ".names"), b.null()};
  });
}

void addEntryPoint(ModuleOp module, const EntryTable &entry) {
  TableBuilder b(module);
  std::string symbol = "nnc." + entry.function;
  b.addText(symbol + ".name", entry.name);
  auto codeFor = [&](StringRef unit) { return entry.function + "_" + unit.str(); };
  auto bytesOf = [&](size_t slot) {
    return codeFor(entry.archs.front()) + "_bytes_" + std::to_string(slot);
  };
  for (const std::string &arch : entry.archs)
    b.addText(symbol + "." + arch, arch);
  b.addStructure(symbol + ".buffers", /*isConstant=*/true, [&] {
    SmallVector<Value> fields;
    for (auto [slot, use] : llvm::enumerate(entry.uses)) {
      fields.push_back(use == 0 ? b.null() : b.addressOf(bytesOf(slot)));
      fields.push_back(b.number(use));
    }
    return fields;
  });
  std::vector<std::string> units = entry.archs;
  units.push_back("cpu");
  for (const std::string &unit : units) {
    b.hide(b.declareEntry(codeFor(unit)));
    b.hide(b.declareSize(codeFor(unit) + "_workspace"));
  }
  b.addStructure(symbol + ".variants", /*isConstant=*/true, [&] {
    SmallVector<Value> fields;
    for (const std::string &arch : entry.archs)
      fields.append({b.addressOf(symbol + "." + arch), b.addressOf(codeFor(arch)),
                     b.addressOf(codeFor(arch) + "_workspace")});
    return fields;
  });
  for (auto [slot, use] : llvm::enumerate(entry.uses))
    if (use != 0)
      b.hide(b.declareSize(bytesOf(slot)));
  b.addStructure(symbol, /*isConstant=*/false, [&]() -> SmallVector<Value> {
    return {b.addressOf(symbol + ".name"),
            b.addressOf(codeFor("cpu")),
            b.addressOf(codeFor("cpu") + "_workspace"),
            b.number(entry.archs.size()),
            b.addressOf(symbol + ".variants"),
            b.number(entry.uses.size()),
            b.number(entry.numSymbols),
            b.addressOf(symbol + ".buffers"),
            b.null()};
  });
  b.forward(b.declareEntry(entry.function), symbol, "nnc_device_run");
  b.forward(b.declareSize(entry.function + "_workspace"), symbol, "nnc_device_workspace");
}

} // namespace nnc
