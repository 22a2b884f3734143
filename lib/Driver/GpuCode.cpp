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

std::optional<GpuCode> emitGpuCode(ModuleOp module, ArrayRef<std::string> entries,
                                   const CompileOptions &options, bool needsPtxas,
                                   DiagnosticEngine &diagnostics) {
  std::string lacking;
  std::optional<Ptxas> ptxas = Ptxas::findFor(*options.gpu, lacking);
  if (needsPtxas && !ptxas) {
    diagnostics.error(lacking).help("--emit ptx, and objects with PTX, need none");
    return std::nullopt;
  }
  OwningOpRef<ModuleOp> code = extractEntries(module, entries, gpuSuffix(*options.gpu));
  if (!runPhases(*code, options, diagnostics))
    return std::nullopt;
  auto modules = code->getOps<gpu::GPUModuleOp>();
  if (modules.empty())
    return GpuCode();
  return emitKernels(*modules.begin(), *options.gpu, ptxas, diagnostics);
}

/// How a call uses each buffer, for the runtime.
static EntryTable describeEntry(const Signature &signature, ArrayRef<GpuTarget> targets) {
  enum Use : int64_t { kNone = 0, kRead = 1, kWritten = 2 };
  EntryTable entry;
  entry.name = signature.name;
  entry.function = signature.rawName();
  for (const GpuTarget &target : targets)
    entry.archs.push_back(target.arch);
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

std::string gpuSuffix(const GpuTarget &target) { return "_" + target.arch; }

namespace {

/// The last phase that is the same for all processors, and the one after.
constexpr llvm::StringLiteral kLastCommonPhase = "bufferize", kFirstOwnPhase = "prepare";

/// Makes the parts of an object for GPUs.
class ObjectParts {
public:
  ObjectParts(const CompileOptions &compileOptions, DiagnosticEngine &engine)
      : options(compileOptions), diagnostics(engine) {
    options.gpu = std::nullopt;
  }

  /// Why there is no machine code for some.
  std::string lacking;

  /// A copy of `common`, which the common phases have run on, after the others.
  OwningOpRef<ModuleOp> lower(ModuleOp common, StringRef suffix,
                              const std::optional<GpuTarget> &gpu) {
    OwningOpRef<ModuleOp> code = common.clone();
    for (auto function : code->getOps<func::FuncOp>())
      function.setName((function.getName() + suffix).str());
    CompileOptions own = options;
    own.gpu = gpu;
    if (!runPhases(*code, own, diagnostics, /*lastPhase=*/"", kFirstOwnPhase))
      return nullptr;
    return code;
  }

  /// What launches kernels for `target`, with these.
  OwningOpRef<ModuleOp> lowerFor(const GpuTarget &target, ModuleOp common) {
    OwningOpRef<ModuleOp> code = lower(common, gpuSuffix(target), target);
    if (!code)
      return nullptr;
    std::optional<Ptxas> ptxas = Ptxas::findFor(target, lacking);
    for (auto kernels : llvm::make_early_inc_range(code->getOps<gpu::GPUModuleOp>())) {
      std::optional<GpuCode> made = emitKernels(kernels, target, ptxas, diagnostics);
      if (!made)
        return nullptr;
      KernelTable table{kernels.getName().str(), target.arch, made->ptx, made->cubin, {}};
      for (const KernelName &kernel : listKernels(kernels))
        table.names.push_back(kernel.name);
      kernels.erase();
      addKernelTable(*code, table);
    }
    return code;
  }

  /// Adds the code of `module`, if there is any, to the object.
  bool add(const OwningOpRef<ModuleOp> &module) {
    if (module)
      objects.push_back(emitMachineCode(*module, options, MachineOutput::Object, diagnostics));
    return module && !objects.back().empty();
  }

  std::string join() {
    llvm::Expected<std::string> object = joinObjects(objects);
    if (object)
      return *object;
    reportDefect(object.takeError(), diagnostics);
    return "";
  }

private:
  CompileOptions options;
  DiagnosticEngine &diagnostics;
  std::vector<std::string> objects;
};

} // namespace

std::string emitGpuObject(ModuleOp module, ArrayRef<std::string> entries,
                          const CompileOptions &options, ArrayRef<GpuTarget> targets,
                          std::string &lacking, DiagnosticEngine &diagnostics) {
  OwningOpRef<ModuleOp> common = extractEntries(module, entries);
  if (!runPhases(*common, options, diagnostics, kLastCommonPhase))
    return "";
  ObjectParts parts(options, diagnostics);
  for (const GpuTarget &target : targets) {
    OwningOpRef<ModuleOp> code = parts.lowerFor(target, *common);
    // The first part has the entries.
    for (const std::string &entry : entries)
      if (code && target.arch == targets.front().arch)
        addEntryPoint(
            *code, describeEntry(getSignature(module.lookupSymbol<func::FuncOp>(entry)), targets));
    if (!parts.add(code))
      return "";
  }
  lacking = parts.lacking;
  return parts.add(parts.lower(*common, "_cpu", std::nullopt)) ? parts.join() : "";
}

} // namespace nnc
