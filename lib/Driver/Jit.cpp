//===- Jit.cpp - Run a compiled object in this process --------------------===//
//
// LLVM's ORC linker over an object that is already compiled; the process's own symbols resolve
// what the object needs of the C library. Its large loops run on the pool of lib/Runtime, whose
// nnc_parallel_for goes before the weak one of the object; code for a GPU is run by lib/Runtime, too.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Jit.h"

#include "nnc/Runtime/nnc_device.h"
#include "nnc/Runtime/nnc_rt.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/TargetSelect.h"

namespace nnc {

struct Jit::State {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

Jit::Jit(std::unique_ptr<State> loaded) : state(std::move(loaded)) {}
Jit::~Jit() = default;

std::unique_ptr<Jit> Jit::load(const std::string &object, std::string &error,
                               const std::map<std::string, void *> &hostSymbols) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto fail = [&](llvm::Error problem) {
    error = llvm::toString(std::move(problem));
    return nullptr;
  };
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return fail(jit.takeError());
  llvm::orc::SymbolMap symbols;
  auto define = [&](const std::string &name, void *address) {
    symbols[(*jit)->mangleAndIntern(name)] = llvm::orc::ExecutorSymbolDef(
        llvm::orc::ExecutorAddr::fromPtr(address), llvm::JITSymbolFlags::Exported);
  };
  define("nnc_parallel_for", reinterpret_cast<void *>(&nnc_parallel_for));
  define("nnc_device_run", reinterpret_cast<void *>(&nnc_device_run));
  define("nnc_device_workspace", reinterpret_cast<void *>(&nnc_device_workspace));
  define("nnc_device_launch", reinterpret_cast<void *>(&nnc_device_launch));
  define("nnc_device_tensor_map", reinterpret_cast<void *>(&nnc_device_tensor_map));
  for (const auto &[name, address] : hostSymbols)
    define(name, address);
  if (llvm::Error problem =
          (*jit)->getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return fail(std::move(problem));
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(object, "nnc");
  if (llvm::Error problem = (*jit)->addObjectFile(std::move(buffer)))
    return fail(std::move(problem));
  auto state = std::make_unique<State>();
  state->jit = std::move(*jit);
  return std::unique_ptr<Jit>(new Jit(std::move(state)));
}

void *Jit::find(const std::string &name) const {
  auto address = state->jit->lookup(name);
  if (!address) {
    llvm::consumeError(address.takeError());
    return nullptr;
  }
  return address->toPtr<void *>();
}

EntryFunction Jit::entry(const std::string &name) const {
  return reinterpret_cast<EntryFunction>(find(name));
}

WorkspaceFunction Jit::workspace(const std::string &name) const {
  return reinterpret_cast<WorkspaceFunction>(find(name + "_workspace"));
}

} // namespace nnc
