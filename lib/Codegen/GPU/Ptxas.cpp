//===- Ptxas.cpp - NVIDIA's assembler -------------------------------------===//
//
// Run on files in the system's folder for temporaries. What it prints with -v names a kernel, then what that
// takes; the lines are those of CUDA 11 to 13.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/GPU/KernelCode.h"

#include "nnc/Support/TemporaryFile.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"

#include <cstdlib>

namespace nnc {

std::optional<Ptxas> Ptxas::find() {
  if (const char *named = std::getenv("NNC_PTXAS")) {
    if (*named == 0)
      return std::nullopt;
    return Ptxas(named);
  }
  if (auto found = llvm::sys::findProgramByName("ptxas"))
    return Ptxas(*found);
  const char *home = std::getenv("CUDA_HOME");
  for (llvm::StringRef folder :
       {llvm::StringRef(home ? home : ""), llvm::StringRef("/usr/local/cuda")}) {
    llvm::SmallString<128> program = folder;
    llvm::sys::path::append(program, "bin", "ptxas");
    if (!folder.empty() && llvm::sys::fs::can_execute(program))
      return Ptxas(program.str().str());
  }
  return std::nullopt;
}

std::optional<Ptxas> Ptxas::findFor(const GpuTarget &target, std::string &reason) {
  std::optional<Ptxas> found = find();
  if (!found) {
    reason = "no ptxas: expected NVIDIA's assembler in PATH, in CUDA_HOME/bin or in "
             "/usr/local/cuda/bin";
    return std::nullopt;
  }
  std::string arch = "-arch=" + target.arch, error;
  llvm::StringRef arguments[] = {found->path, arch, "--version"};
  std::optional<llvm::StringRef> nowhere[] = {std::nullopt, llvm::StringRef(""),
                                              llvm::StringRef("")};
  int status =
      llvm::sys::ExecuteAndWait(found->path, arguments, std::nullopt, nowhere, 0, 0, &error);
  if (status == 0)
    return found;
  reason = status < 0 ? "cannot run " + found->path + ": " + error
                      : found->path + " does not know " + target.arch;
  return std::nullopt;
}

bool giveRegisters(std::string &ptx, llvm::ArrayRef<KernelResources> kernels) {
  bool isChanged = false;
  for (const KernelResources &kernel : kernels) {
    if (kernel.spillStores + kernel.spillLoads == 0)
      continue;
    size_t entry = ptx.find(".entry " + kernel.name + "(");
    size_t bound = ptx.find(".minnctapersm", entry);
    if (entry == std::string::npos || bound > ptx.find('{', entry))
      continue;
    ptx.erase(bound, ptx.find('\n', bound) - bound);
    isChanged = true;
  }
  return isChanged;
}

/// The number in the first group of `pattern`, 0 where it does not match.
static unsigned numberIn(llvm::StringRef line, llvm::StringRef pattern) {
  llvm::SmallVector<llvm::StringRef> groups;
  unsigned number = 0;
  if (llvm::Regex(pattern).match(line, &groups))
    groups[1].getAsInteger(10, number);
  return number;
}

/// Reads what ptxas -v printed.
static void readReport(llvm::StringRef report, AssembledKernels &result) {
  llvm::SmallVector<llvm::StringRef> lines, groups;
  report.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef line : lines) {
    if (llvm::Regex("Compiling entry function '([^']+)'").match(line, &groups)) {
      result.kernels.emplace_back();
      result.kernels.back().name = groups[1].str();
    } else if (line.contains("warning") || line.contains("Potential Performance Loss")) {
      result.warnings.push_back(line.trim().str());
    } else if (result.kernels.empty()) {
      continue;
    } else if (line.contains("bytes stack frame")) {
      KernelResources &kernel = result.kernels.back();
      kernel.stackBytes = numberIn(line, "([0-9]+) bytes stack frame");
      kernel.spillStores = numberIn(line, "([0-9]+) bytes spill stores");
      kernel.spillLoads = numberIn(line, "([0-9]+) bytes spill loads");
    } else if (line.contains("Used ")) {
      KernelResources &kernel = result.kernels.back();
      kernel.registers = numberIn(line, "Used ([0-9]+) registers");
      kernel.barriers = numberIn(line, "used ([0-9]+) barriers");
      kernel.sharedBytes = numberIn(line, "([0-9]+) bytes smem");
    }
  }
}

llvm::Expected<AssembledKernels> Ptxas::assemble(llvm::StringRef ptx,
                                                 const GpuTarget &target) const {
  Result<TemporaryFile> input = TemporaryFile::make(".ptx", ptx),
                        output = TemporaryFile::make(".cubin"),
                        report = TemporaryFile::make(".log");
  for (const Result<TemporaryFile> *file : {&input, &output, &report})
    if (!*file)
      return llvm::createStringError(file->error().what());
  std::string arch = "-arch=" + target.arch;
  llvm::StringRef arguments[] = {path, "-v", "-O3", arch, input->path(), "-o", output->path()};
  std::optional<llvm::StringRef> redirects[] = {std::nullopt, llvm::StringRef(report->path()),
                                                llvm::StringRef(report->path())};
  std::string error;
  int status = llvm::sys::ExecuteAndWait(path, arguments, std::nullopt, redirects, 0, 0, &error);
  auto text = llvm::MemoryBuffer::getFile(report->path());
  llvm::StringRef printed = text ? (*text)->getBuffer().trim() : "";
  if (status != 0)
    return llvm::createStringError(path + ": " + (error.empty() ? printed.str() : error));
  auto cubin = llvm::MemoryBuffer::getFile(output->path(), /*IsText=*/false,
                                           /*RequiresNullTerminator=*/false);
  if (!cubin)
    return llvm::createStringError(cubin.getError(), path + ": left no file");
  AssembledKernels result;
  result.cubin = (*cubin)->getBuffer().str();
  readReport(printed, result);
  return result;
}

} // namespace nnc
