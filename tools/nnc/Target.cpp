//===- Target.cpp - What --target names -----------------------------------===//
//
// A processor, GPUs, or both: cpu, cpu:NAME, ptx:ARCH, ptx:ARCH,ARCH, ptx:ARCH,cpu:NAME.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "nnc/Runtime/nnc_device.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/TargetParser/Triple.h"

#include <cstdlib>
#include <fmt/format.h>

using namespace nnc;

/// The processor that `text` may stand for, which is none that --target takes.
static std::optional<std::string> guessCpu(llvm::StringRef text) {
  if (TargetDescription::forCpu(text))
    return text.str();
  llvm::Triple triple(text);
  if (triple.isAArch64())
    return "aarch64";
  return triple.isX86_64() ? "x86-64-v2" : closestMatch(text.str(), TargetDescription::listCpus());
}

/// What `part`, which starts neither with "cpu:" nor with "ptx:", may stand for.
static std::optional<std::string> guessTarget(llvm::StringRef part, bool takesGpu) {
  if (takesGpu && GpuTarget::forArch(part))
    return "ptx:" + part.str();
  std::optional<std::string> cpu = guessCpu(part);
  return cpu ? "cpu:" + *cpu : cpu;
}

/// Takes one part of a target into `target`; false, with an error, if there is no such thing.
static bool readPart(llvm::StringRef part, bool takesGpu, Target &target,
                     nnc::DiagnosticEngine &diagnostics) {
  llvm::StringRef name = part;
  if (part == "cpu") {
    target.cpu = "native";
    return true;
  }
  if (name.consume_front("cpu:") && !name.empty()) {
    target.cpu = name.str();
    if (TargetDescription::forCpu(name))
      return true;
    diagnostics
        .error("--target: unknown processor '" + name.str() +
               "', expected LLVM's name for an x86-64, from x86-64-v2 on, or an AArch64, such as "
               "neoverse-n1")
        .didYouMean(guessCpu(name));
    return false;
  }
  if (takesGpu && name.consume_front("ptx:") && !name.empty()) {
    std::optional<GpuTarget> gpu = GpuTarget::forArch(name);
    if (gpu) {
      target.gpus.push_back(*gpu);
      return true;
    }
    diagnostics
        .error("--target: unknown GPU architecture '" + name.str() +
               "', expected one from sm_80 on, such as sm_90a")
        .didYouMean(closestMatch(name.str(), GpuTarget::listArchs()));
    return false;
  }
  diagnostics
      .error(std::string("--target expects ") +
             (takesGpu ? "cpu, cpu:NAME or ptx:ARCH" : "cpu or cpu:NAME") + ", found '" +
             part.str() + "'")
      .didYouMean(guessTarget(part, takesGpu));
  return false;
}

/// Takes all parts into `target`. Those after a GPU may be other ones by name alone, the last the processor.
static bool readParts(llvm::StringRef text, bool takesGpu, Target &target,
                      nnc::DiagnosticEngine &diagnostics) {
  if (!takesGpu || !text.starts_with("ptx:"))
    return readPart(text, takesGpu, target, diagnostics);
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',');
  for (llvm::StringRef part : parts) {
    std::string name = part.starts_with("sm_") ? "ptx:" + part.str() : part.str();
    if (!readPart(name, takesGpu, target, diagnostics))
      return false;
    bool isLast = part.data() == parts.back().data();
    if (part.starts_with("cpu") && !isLast) {
      diagnostics.error("--target expects the processor last, found '" + text.str() + "'");
      return false;
    }
  }
  llvm::StringSet<> known;
  for (const GpuTarget &gpu : target.gpus)
    if (!known.insert(gpu.arch).second) {
      diagnostics.error("--target expects each GPU once, found '" + text.str() + "'");
      return false;
    }
  return true;
}

std::optional<Target> nnc::parseTarget(const std::string &text, bool takesGpu) {
  nnc::DiagnosticEngine diagnostics;
  Target target;
  bool isRead = readParts(text, takesGpu, target, diagnostics);
  if (isRead)
    return target;
  fail(diagnostics);
  return std::nullopt;
}

void nnc::addRoundingFlag(CLI::App &command, CompileOptions &options) {
  command.add_flag("--tf32", options.roundsFactors,
                   "Round the factors of products of f32 to 10 bits, as a GPU multiplies faster");
}

void nnc::addRunTargetOption(CLI::App &command, std::string &target, CompileOptions &options) {
  command
      .add_option("--target", target,
                  "cpu for this machine, ptx:ARCH for a GPU, which NNC_DEVICE chooses")
      ->capture_default_str();
  addRoundingFlag(command, options);
}

bool nnc::parseRunTarget(const std::string &text, const CompileOptions &options,
                         std::optional<GpuTarget> &gpu) {
  std::optional<Target> target = parseTarget(text, /*takesGpu=*/true);
  if (!target)
    return false;
  std::string problem;
  if (target->cpu != "native")
    problem = "--target expects cpu or ptx:ARCH for what runs here, found " + text;
  else if (target->gpus.size() > 1)
    problem = "--target expects one GPU to run on, found " + text;
  else if (!target->gpus.empty() && options.passesChecked)
    problem = "--check-passes expects --target cpu, found " + text;
  else if (target->gpus.empty() && options.roundsFactors)
    problem = "--tf32 expects --target ptx:ARCH, found " + text;
  if (!problem.empty())
    fail(problem);
  if (problem.empty() && !target->gpus.empty())
    gpu = target->gpus.front();
  return problem.empty();
}

/// Ends the process: what the device has not done cannot be made up for.
static void failOnDevice(const char *message, void *) {
  std::fflush(stdout);
  std::_Exit(fail(message));
}

void nnc::runOn(const std::optional<GpuTarget> &gpu, CompileOptions &options) {
  options.gpu = gpu;
  if (!gpu)
    return;
  nnc_device_on_error(failOnDevice, nullptr);
  fmt::print(stderr, "note: runs on {}\n", nnc_device_name());
}
