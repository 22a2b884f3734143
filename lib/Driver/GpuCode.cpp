//===- GpuCode.cpp - Code that runs on a GPU ------------------------------===//
#include "nnc/Driver/GpuCode.h"

#include "nnc/Codegen/GPU/EntryTable.h"
#include "nnc/Codegen/GPU/KernelCode.h"
#include "nnc/Package/Library.h"
#include "nnc/Package/Signature.h"

#include <cstdlib>
#include <fmt/format.h>

using namespace mlir;

namespace nnc {

/// Reports what no input should cause, with its reason where that is asked for.
static void reportDefect(llvm::Error error, DiagnosticEngine &diagnostics) {
  std::string reason = llvm::toString(std::move(error));
  nnc::Diagnostic &defect = diagnostics.defect({}, "internal error in code generation for the GPU");
  if (std::getenv("NNC_DETAILS"))
    defect.help("details: " + reason);
}

/// A line a kernel, under a line of headings, in the order of `names`.
static std::string writeStatistics(ArrayRef<KernelName> names, ArrayRef<KernelResources> kernels) {
  size_t width = StringRef("kernel").size();
  for (const KernelName &name : names)
    width = std::max(width, name.name.size());
  std::string text =
      fmt::format("{:{}}  registers  spilled  stack  shared  barriers  line\n", "kernel", width);
  for (const KernelName &name : names) {
    const auto *kernel = llvm::find_if(
        kernels, [&](const KernelResources &candidate) { return candidate.name == name.name; });
    if (kernel != kernels.end())
      text += fmt::format("{:{}}  {:9}  {:7}  {:5}  {:6}  {:8}  {}\n", name.name, width,
                          kernel->registers, kernel->spillStores + kernel->spillLoads,
                          kernel->stackBytes, kernel->sharedBytes, kernel->barriers, name.place);
  }
  return text;
}

/// The code of `kernels`.
static std::optional<GpuCode> emitKernels(gpu::GPUModuleOp kernels, const GpuTarget &target,
                                          const std::optional<Ptxas> &ptxas,
                                          DiagnosticEngine &diagnostics) {
  GpuCode code;
  llvm::Expected<std::string> ptx = emitPtx(kernels, target);
  if (!ptx) {
    reportDefect(ptx.takeError(), diagnostics);
    return std::nullopt;
  }
  code.ptx = *ptx;
  if (!ptxas)
    return code;
  llvm::Expected<AssembledKernels> assembled = ptxas->assemble(code.ptx, target);
  if (assembled && giveRegisters(code.ptx, assembled->kernels))
    assembled = ptxas->assemble(code.ptx, target);
  if (!assembled) {
    reportDefect(assembled.takeError(), diagnostics);
    return std::nullopt;
  }
  code.cubin = assembled->cubin;
  code.statistics = writeStatistics(listKernels(kernels), assembled->kernels);
  code.warnings = assembled->warnings;
  return code;
}

/// The functions that launch the kernels of `entries`, and these.
static OwningOpRef<ModuleOp> lowerEntries(ModuleOp module, ArrayRef<std::string> entries,
                                          const CompileOptions &options,
                                          DiagnosticEngine &diagnostics) {
  OwningOpRef<ModuleOp> code = extractEntries(module, entries, "_gpu");
  if (!runPhases(*code, options, diagnostics))
    return nullptr;
  return code;
}

std::optional<GpuCode> emitGpuCode(ModuleOp module, ArrayRef<std::string> entries,
                                   const CompileOptions &options, bool needsPtxas,
                                   DiagnosticEngine &diagnostics) {
  std::optional<Ptxas> ptxas = Ptxas::find();
  if (needsPtxas && !ptxas) {
    diagnostics
        .error("no ptxas: expected NVIDIA's assembler in PATH, in CUDA_HOME/bin or in "
               "/usr/local/cuda/bin")
        .help("--emit ptx, and objects with PTX, need none");
    return std::nullopt;
  }
  OwningOpRef<ModuleOp> code = lowerEntries(module, entries, options, diagnostics);
  if (!code)
    return std::nullopt;
  auto modules = code->getOps<gpu::GPUModuleOp>();
  if (modules.empty())
    return GpuCode();
  return emitKernels(*modules.begin(), *options.gpu, ptxas, diagnostics);
}

/// How a call uses each buffer, for the runtime.
static EntryTable describeEntry(const Signature &signature) {
  enum Use : int64_t { kNone = 0, kRead = 1, kWritten = 2 };
  EntryTable entry;
  entry.name = signature.name;
  entry.function = signature.rawName();
  entry.numSymbols = signature.symbols.size();
  for (const Buffer &buffer : signature.buffers) {
    bool isUpdated = !buffer.isResult && llvm::any_of(signature.buffers, [&](const Buffer &other) {
      return other.isUpdate && other.name == buffer.name;
    });
    entry.uses.push_back(buffer.isUpdate   ? kNone
                         : buffer.isResult ? kWritten
                         : isUpdated       ? kRead | kWritten
                                           : kRead);
  }
  return entry;
}

/// The object that launches kernels.
static std::string emitLaunchingObject(ModuleOp module, ArrayRef<std::string> entries,
                                       const CompileOptions &options, bool &hasMachineCode,
                                       DiagnosticEngine &diagnostics) {
  OwningOpRef<ModuleOp> code = lowerEntries(module, entries, options, diagnostics);
  if (!code)
    return "";
  std::optional<Ptxas> ptxas = Ptxas::find();
  hasMachineCode = bool(ptxas);
  for (auto kernels : llvm::make_early_inc_range(code->getOps<gpu::GPUModuleOp>())) {
    std::optional<GpuCode> made = emitKernels(kernels, *options.gpu, ptxas, diagnostics);
    if (!made)
      return "";
    KernelTable table{kernels.getName().str(), options.gpu->arch, made->ptx, made->cubin, {}};
    for (const KernelName &kernel : listKernels(kernels))
      table.names.push_back(kernel.name);
    kernels.erase();
    addKernelTable(*code, table);
  }
  for (const std::string &entry : entries)
    addEntryPoint(*code, describeEntry(getSignature(module.lookupSymbol<func::FuncOp>(entry))));
  return emitMachineCode(*code, options, MachineOutput::Object, diagnostics);
}

std::string emitGpuObject(ModuleOp module, ArrayRef<std::string> entries,
                          const CompileOptions &options, bool &hasMachineCode,
                          DiagnosticEngine &diagnostics) {
  std::string launching =
      emitLaunchingObject(module, entries, options, hasMachineCode, diagnostics);
  if (launching.empty())
    return "";
  CompileOptions onCpu = options;
  onCpu.gpu = std::nullopt;
  OwningOpRef<ModuleOp> code = extractEntries(module, entries, "_cpu");
  if (!runPhases(*code, onCpu, diagnostics))
    return "";
  std::string computing = emitMachineCode(*code, onCpu, MachineOutput::Object, diagnostics);
  if (computing.empty())
    return "";
  llvm::Expected<std::string> object = joinObjects(launching, computing);
  if (object)
    return *object;
  reportDefect(object.takeError(), diagnostics);
  return "";
}

} // namespace nnc
