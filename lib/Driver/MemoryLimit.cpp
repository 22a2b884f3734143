//===- MemoryLimit.cpp - Fitting compiled code into memory ----------------===//
//
// Tries ever more work for a byte that is spared, compiles as far as the plan of the workspace, and takes
// the first that fits. What is computed again is computed by the same ops, so that results stay.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/MemoryLimit.h"

#include "nnc/Codegen/KernelReport.h"
#include "nnc/Package/Signature.h"

#include <fmt/format.h>

using namespace mlir;

namespace nnc {
namespace {

struct Need {
  int64_t temporaries = 0, states = 0, others = 0;
  int64_t total() const { return temporaries + states + others; }
};

Need needOf(ModuleOp code, const Signature &signature, const FittedEntry &entry) {
  Need need;
  need.temporaries = evaluateWorkspace(
      code.lookupSymbol<func::FuncOp>(signature.rawName() + "_workspace"), entry.sizes);
  if (auto prepared = code.lookupSymbol<func::FuncOp>(signature.rawName() + "_prepared_bytes"))
    need.states = evaluateWorkspace(prepared, entry.sizes);
  for (const Buffer &buffer : signature.buffers)
    if (!buffer.isUpdate)
      (buffer.isState() ? need.states : need.others) += buffer.bytes(entry.sizes);
  return need;
}

/// " where N = 64".
std::string sizesText(const Signature &signature, const FittedEntry &entry) {
  std::string text;
  for (const std::string &symbol : signature.symbols)
    text +=
        fmt::format("{}{} = {}", text.empty() ? " where " : ", ", symbol, entry.sizes.at(symbol));
  return text;
}

/// Whether each symbol has a size.
bool checkSizes(const Signature &signature, const FittedEntry &entry,
                DiagnosticEngine &diagnostics) {
  for (const std::string &symbol : signature.symbols)
    if (!entry.sizes.count(symbol)) {
      diagnostics
          .error(fmt::format("--memory-limit: expected a size for {} of '{}', found none", symbol,
                             signature.name))
          .help(fmt::format("give it with --bind {}=64", symbol));
      return false;
    }
  return true;
}

} // namespace

std::string bytesText(int64_t bytes) {
  if (bytes < 1024)
    return fmt::format("{} bytes", bytes);
  if (bytes < 1024 * 1024)
    return fmt::format("{:.1f} KiB", double(bytes) / 1024);
  if (bytes < 1024 * 1024 * 1024)
    return fmt::format("{:.1f} MiB", double(bytes) / (1024 * 1024));
  return fmt::format("{:.2f} GiB", double(bytes) / (1024 * 1024 * 1024));
}

std::optional<int64_t> parseBytes(StringRef text) {
  StringRef number = text.take_while([](char c) { return llvm::isDigit(c) || c == '.'; });
  StringRef unit = text.drop_front(number.size()).trim();
  double value;
  if (number.empty() || number.getAsDouble(value) || value <= 0)
    return std::nullopt;
  static const std::map<StringRef, double> units = {{"", 1},
                                                    {"B", 1},
                                                    {"KB", 1e3},
                                                    {"MB", 1e6},
                                                    {"GB", 1e9},
                                                    {"KiB", 1024.0},
                                                    {"MiB", 1024.0 * 1024},
                                                    {"GiB", 1024.0 * 1024 * 1024}};
  auto found = units.find(unit);
  if (found == units.end() || value * found->second > 1e18)
    return std::nullopt;
  return int64_t(value * found->second);
}

bool fitMemory(ModuleOp module, ArrayRef<FittedEntry> entries, int64_t limit,
               CompileOptions &options, DiagnosticEngine &diagnostics) {
  std::vector<std::string> names;
  std::vector<Signature> signatures;
  for (const FittedEntry &entry : entries) {
    names.push_back(entry.function);
    signatures.push_back(getSignature(module.lookupSymbol<func::FuncOp>(entry.function)));
    if (!checkSizes(signatures.back(), entry, diagnostics))
      return false;
  }
  std::vector<std::optional<Need>> least(entries.size());
  for (double ratio : {options.recomputeRatio, 8.0, 32.0, 128.0, 512.0, 1e12}) {
    CompileOptions trial = options;
    trial.recomputeRatio = ratio;
    trial.afterPhase = nullptr;
    OwningOpRef<ModuleOp> code = extractEntries(module, names);
    if (!runPhases(*code, trial, diagnostics, "kernels"))
      return false;
    bool fits = true;
    for (auto [index, entry] : llvm::enumerate(entries)) {
      Need need = needOf(*code, signatures[index], entry);
      fits &= need.total() <= limit;
      if (!least[index] || need.total() < least[index]->total())
        least[index] = need;
    }
    options.recomputeRatio = ratio;
    if (fits)
      return true;
  }
  for (auto [index, entry] : llvm::enumerate(entries)) {
    const Need &need = *least[index];
    if (need.total() <= limit)
      continue;
    diagnostics
        .error(fmt::format("--memory-limit: expected {} or more for '{}'{}, found {}",
                           bytesText(need.total()), entry.function,
                           sizesText(signatures[index], entry), bytesText(limit)))
        .help(fmt::format("that is {} of temporaries at least, {} of parameters and states, {} of "
                          "inputs and outputs",
                          bytesText(need.temporaries), bytesText(need.states),
                          bytesText(need.others)));
  }
  return false;
}

} // namespace nnc
