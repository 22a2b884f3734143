//===- compile.cpp - nnc compile ------------------------------------------===//
//
// Writes an object, archive or shared library with its header, or prints a stage on the way.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "nnc/Codegen/Target.h"
#include "nnc/Driver/CheckPasses.h"
#include "nnc/Driver/GpuCode.h"
#include "nnc/Driver/MemoryLimit.h"
#include "nnc/Driver/Schedule.h"
#include "nnc/IR/NN.h"
#include "nnc/Package/Header.h"
#include "nnc/Package/Library.h"
#include "nnc/Support/File.h"
#include "nnc/Syntax/Elaborate.h"

#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <filesystem>
#include <fmt/format.h>

using namespace nnc;
using namespace mlir;

namespace {
struct CompileFlags {
  std::string file, directory = ".", emit = "obj", target = "cpu", stopAfter, schedule, tuned;
  std::vector<std::string> entries, bindings;
  std::optional<int64_t> memoryLimit;
  CompileOptions options;
};
} // namespace

/// Reads "N=64"; false if it is not of that form.
bool nnc::parseBindings(const std::vector<std::string> &texts,
                        std::map<std::string, int64_t> &bindings, const char *flag) {
  for (const std::string &text : texts) {
    auto [symbol, size] = llvm::StringRef(text).split('=');
    int64_t value;
    if (symbol.empty() || size.getAsInteger(10, value) || value < 0) {
      fail(fmt::format("{} expects NAME=SIZE, found '{}'", flag, text));
      return false;
    }
    bindings[symbol.str()] = value;
  }
  return true;
}

/// What --emit takes that is for a GPU alone.
static bool isForGpu(llvm::StringRef emit) {
  return emit == "ptx" || emit == "cubin" || emit == "sass-stats";
}

/// Whether --emit makes what a program is linked with.
static bool isFile(llvm::StringRef emit) { return emit == "obj" || emit == "lib" || emit == "so"; }

/// False, with an error printed, if what is asked for is not made for the target.
static bool checkTarget(const CompileFlags &flags, const Target &target) {
  std::string problem;
  bool isOnGpu = !target.gpus.empty();
  if (isForGpu(flags.emit) && !isOnGpu)
    problem =
        fmt::format("--emit {} expects --target ptx:ARCH, found {}", flags.emit, flags.target);
  else if (isOnGpu && (flags.emit == "llvm" || flags.emit == "asm"))
    problem = fmt::format("--emit {} expects --target cpu or cpu:NAME, found {}", flags.emit,
                          flags.target);
  else if (!isOnGpu && flags.options.hasLines)
    problem = "-g expects --target ptx:ARCH, found " + flags.target;
  else if (target.gpus.size() > 1 && !isFile(flags.emit))
    problem = fmt::format("--emit {} expects one GPU, found {}", flags.emit, flags.target);
  else if (isOnGpu && flags.options.prepareParameters)
    problem = "--prepare expects --target cpu or cpu:NAME, found " + flags.target;
  else if (!isOnGpu && flags.options.roundsFactors)
    problem = "--tf32 expects --target ptx:ARCH, found " + flags.target;
  else if (flags.options.passesChecked &&
           (isOnGpu || !TargetDescription::forCpu(target.cpu)->runsHere()))
    problem = "--check-passes runs the code: expected a --target that this machine is, found " +
              flags.target;
  if (!problem.empty())
    fail(problem);
  return problem.empty();
}

/// Phases that may precede what --emit prints.
static llvm::ArrayRef<llvm::StringRef> phasesBefore(llvm::StringRef emit) {
  static const llvm::StringRef all[] = {"autodiff", "simplify", "decompose", "recompute",
                                        "linalg",   "fusion",   "schedule",  "bufferize",
                                        "prepare",  "kernels",  "llvm"};
  if (emit == "nn")
    return llvm::ArrayRef(all).take_front(4);
  if (emit == "linalg")
    return llvm::ArrayRef(all).slice(4, 3);
  return emit == "mlir" ? llvm::ArrayRef(all) : llvm::ArrayRef<llvm::StringRef>();
}

/// False, with an error printed, if --stop-after is not a phase at which --emit can print.
static bool checkStopAfter(const CompileFlags &flags) {
  llvm::ArrayRef<llvm::StringRef> phases = phasesBefore(flags.emit);
  if (flags.stopAfter.empty() || llvm::is_contained(phases, flags.stopAfter))
    return true;
  fail(phases.empty()
           ? fmt::format("--stop-after expects --emit nn, mlir or linalg, found {}", flags.emit)
           : fmt::format("--stop-after expects {} with --emit {}, found {}",
                         llvm::join(phases, ", "), flags.emit, flags.stopAfter));
  return false;
}

/// Functions of the module that are compiled: of the kinds asked for, or all that a program links.
static std::optional<std::vector<std::string>> chooseEntries(Session &session,
                                                             const CompileFlags &flags) {
  std::vector<std::string> kinds = flags.entries;
  if (kinds.empty())
    kinds = {"forward", "init", "steps", "func"}; // One step is `steps` with a count of one.
  std::vector<std::string> chosen;
  std::set<std::string> available;
  for (auto function : session.module().getOps<func::FuncOp>()) {
    std::string kind = getSignature(function).entry;
    available.insert(kind);
    if (llvm::is_contained(kinds, kind))
      chosen.push_back(function.getName().str());
  }
  for (const std::string &kind : flags.entries)
    if (!available.count(kind)) {
      session.diagnostics.error(fmt::format("--entry: '{}' has no entry '{}', found {}", flags.file,
                                            kind, llvm::join(available, ", ")));
      return std::nullopt;
    }
  if (chosen.empty()) {
    session.diagnostics.error(SourceRange::whole(*session.source),
                              "nothing to compile: expected a model or a func");
    return std::nullopt;
  }
  return chosen;
}

/// Whether any of `entries` can take its parameters prepared; an error otherwise.
static bool checkPrepare(Session &session, const std::vector<std::string> &entries) {
  std::set<std::string> kinds;
  for (const std::string &entry : entries) {
    Signature signature = getSignature(session.module().lookupSymbol<func::FuncOp>(entry));
    if (signature.canPrepare())
      return true;
    kinds.insert(signature.entry == "forward" ? "forward without parameters" : signature.entry);
  }
  session.diagnostics.error("--prepare expects a forward entry with parameters, found " +
                            llvm::join(kinds, ", "));
  return false;
}

static std::string printStage(ModuleOp module, llvm::StringRef emit) {
  std::string text;
  if (emit == "nn") {
    for (auto function : module.getOps<func::FuncOp>())
      text += (text.empty() ? "" : "\n") + printFunction(function);
    return text;
  }
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text + "\n";
}

/// The phase after which `emit` prints, unless --stop-after names another.
static std::string phaseFor(const CompileFlags &flags) {
  if (!flags.stopAfter.empty())
    return flags.stopAfter;
  if (flags.emit == "mlir")
    return "recompute";
  if (flags.emit == "linalg")
    return "fusion";
  return "";
}

static int printText(Session &session, const std::vector<std::string> &entries,
                     const CompileFlags &flags) {
  // The names that kernels have, too, are those of an object for a GPU.
  OwningOpRef<ModuleOp> code = extractEntries(
      session.module(), entries, session.options.gpu ? gpuSuffix(*session.options.gpu) : "");
  std::string phase = phaseFor(flags);
  bool asWritten = flags.emit == "nn" && phase.empty();
  if (flags.emit == "nn") // Names of the language, not those of the C symbols.
    for (auto [function, name] : llvm::zip(code->getOps<func::FuncOp>(), entries))
      function.setName(name);
  if (!asWritten && !runPhases(*code, session.options, session.diagnostics, phase))
    return fail(session.diagnostics);
  std::string text;
  if (flags.emit == "llvm" || flags.emit == "asm")
    text = emitMachineCode(*code, session.options,
                           flags.emit == "llvm" ? MachineOutput::LLVMText : MachineOutput::Assembly,
                           session.diagnostics);
  else
    text = printStage(*code, flags.emit);
  if (session.diagnostics.hasErrors())
    return fail(session.diagnostics);
  std::fputs(text.c_str(), stdout);
  return exitOk;
}

/// The file that a linker looks for.
static std::string fileName(llvm::StringRef emit, const std::string &stem) {
  if (emit == "obj")
    return stem + ".o";
  return "lib" + stem + (emit == "lib" ? ".a" : ".so");
}

/// The bytes of the file to write, by kind.
static std::optional<std::string> package(const std::string &object, const CompileFlags &flags,
                                          const std::string &stem, std::string &error) {
  if (flags.emit == "obj")
    return object;
  llvm::Expected<std::string> bytes = flags.emit == "lib"
                                          ? makeArchive(object, stem + ".o")
                                          : makeSharedLibrary(object, fileName(flags.emit, stem));
  if (bytes)
    return *bytes;
  error = llvm::toString(bytes.takeError());
  return std::nullopt;
}

/// Writes `content` into the folder of -o and says so.
static int writeFile(const CompileFlags &flags, const std::string &name,
                     const std::string &content) {
  std::error_code failed;
  std::filesystem::create_directories(flags.directory, failed);
  std::string path = (std::filesystem::path(flags.directory) / name).string();
  if (Status written = writeFileAtomically(path, content); !written)
    return fail(written.error());
  fmt::print("{}\n", path);
  return exitOk;
}

/// Prints PTX or what kernels take, or writes their machine code.
static int emitForGpu(Session &session, const std::vector<std::string> &entries,
                      const CompileFlags &flags) {
  std::optional<GpuCode> code =
      emitGpuCode(session.module(), entries, session.options, /*needsPtxas=*/flags.emit != "ptx",
                  session.diagnostics);
  if (!code)
    return fail(session.diagnostics);
  std::string stem = std::filesystem::path(flags.file).stem().string();
  if (flags.emit == "cubin")
    return writeFile(flags, stem + ".cubin", code->cubin);
  std::fputs((flags.emit == "ptx" ? code->ptx : code->statistics).c_str(), stdout);
  for (const std::string &warning : code->warnings)
    fmt::print(stderr, "{}\n", warning);
  return exitOk;
}

/// The object, empty with a diagnostic if there is none. Where ptxas is missing it holds PTX alone, and this says so.
static std::string makeObject(Session &session, const std::vector<std::string> &entries,
                              llvm::ArrayRef<GpuTarget> gpus) {
  if (!gpus.empty()) {
    std::string lacking;
    std::string object = emitGpuObject(session.module(), entries, session.options, gpus, lacking,
                                       session.diagnostics);
    if (!lacking.empty() && !object.empty())
      fmt::print(
          stderr,
          "note: {}\nhelp: the driver compiles PTX, which the object holds, when the program "
          "starts\n",
          lacking);
    return object;
  }
  OwningOpRef<ModuleOp> code = extractEntries(session.module(), entries);
  if (!runPhases(*code, session.options, session.diagnostics))
    return "";
  return emitMachineCode(*code, session.options, MachineOutput::Object, session.diagnostics);
}

static int writeFiles(Session &session, const std::vector<std::string> &entries,
                      const CompileFlags &flags, llvm::ArrayRef<GpuTarget> gpus) {
  std::string stem = std::filesystem::path(flags.file).stem().string();
  std::string object = makeObject(session, entries, gpus);
  if (object.empty())
    return fail(session.diagnostics);
  std::string error;
  std::optional<std::string> bytes = package(object, flags, stem, error);
  if (!bytes)
    return fail(error);
  std::vector<Signature> signatures;
  for (const std::string &entry : entries)
    signatures.push_back(getSignature(session.module().lookupSymbol<func::FuncOp>(entry)));
  std::string header =
      writeHeader(signatures, {stem, std::filesystem::path(flags.file).filename().string(),
                               flags.options.prepareParameters});
  for (const auto &[name, content] :
       {std::pair(fileName(flags.emit, stem), &*bytes), {stem + ".h", &header}})
    if (int status = writeFile(flags, name, *content); status != exitOk)
      return status;
  return exitOk;
}

/// Fits the entries, whose symbols must have sizes by now; steps one at a time.
static bool fitEntries(Session &session, const std::vector<std::string> &entries, int64_t limit) {
  std::vector<FittedEntry> fitted;
  for (const std::string &entry : entries)
    fitted.push_back({entry, {{nn::stepsSymbol.str(), 1}}});
  return fitMemory(session.module(), fitted, limit, session.options, session.diagnostics);
}

static int runCompile(const CompileFlags &flags) {
  CompileOptions options = flags.options;
  std::optional<Target> target = parseTarget(flags.target, /*takesGpu=*/true);
  if (!target || !checkTarget(flags, *target) || !checkStopAfter(flags))
    return exitBadUsage;
  options.cpu = target->cpu;
  if (!parseBindings(flags.bindings, options.bindings))
    return exitBadUsage;
  if (!readTiles(flags.file, flags.tuned, target->cpu, options.tiles))
    return exitBadInput;
  nnc::DiagnosticEngine diagnostics;
  std::unique_ptr<Session> session = Session::open(flags.file, options, diagnostics);
  if (!session)
    return fail(diagnostics);
  if (!flags.schedule.empty()) {
    session->options.schedule = Schedule::open(flags.schedule, *session->context, diagnostics);
    if (!session->options.schedule)
      return fail(diagnostics);
  }
  std::optional<std::vector<std::string>> entries = chooseEntries(*session, flags);
  if (!entries || (flags.options.prepareParameters && !checkPrepare(*session, *entries)))
    return fail(diagnostics);
  if (flags.memoryLimit && !fitEntries(*session, *entries, *flags.memoryLimit))
    return fail(diagnostics);
  if (!checkPassesIfWanted(session->module(), *entries, session->options, diagnostics))
    return fail(diagnostics);
  if (isFile(flags.emit))
    return writeFiles(*session, *entries, flags, target->gpus);
  // What came before runs here, if it runs.
  if (!target->gpus.empty())
    session->options.gpu = target->gpus.front();
  return isForGpu(flags.emit) ? emitForGpu(*session, *entries, flags)
                              : printText(*session, *entries, flags);
}

void nnc::addCompileCommand(CommandLine &commandLine) {
  auto flags = std::make_shared<CompileFlags>();
  CLI::App *command = commandLine.add("compile", "Compile models and training steps to code for C",
                                      [=] { return runCompile(*flags); });
  command->add_option("file", flags->file, "The .nn file")->required();
  command->add_option("-o", flags->directory, "Folder for the files that are written")
      ->capture_default_str();
  command
      ->add_option("--emit", flags->emit, "What to make: a file (obj, lib, so) or a stage, printed")
      ->check(oneOf({"nn", "mlir", "linalg", "llvm", "asm", "obj", "lib", "so", "ptx", "cubin",
                     "sass-stats"}))
      ->capture_default_str();
  command
      ->add_option("--target", flags->target,
                   "cpu for this machine, cpu:NAME for another, ptx:ARCH for a GPU")
      ->capture_default_str();
  command->add_flag("-g", flags->options.hasLines,
                    "Name the lines of the program in code for GPUs, for profilers");
  command->add_option("--entry", flags->entries, "Entry points: forward, init, step, steps, func")
      ->delimiter(',');
  command->add_option("--bind", flags->bindings, "A size for a symbolic dimension, N=64")
      ->delimiter(',');
  addRoundingFlag(*command, flags->options);
  command->add_flag("--prepare", flags->options.prepareParameters,
                    "Do what forward needs of the parameters alone in a function of its own");
  command->add_option("--schedule", flags->schedule,
                      "A schedule in MLIR's transform dialect, for linalg on tensors");
  addTunedOption(*command, flags->tuned);
  addMemoryOption(*command, flags->memoryLimit);
  addCheckPassesFlag(*command, flags->options);
  std::vector<std::string> phases;
  for (const Phase &phase : getPhases())
    phases.push_back(phase.name);
  command->add_option("--stop-after", flags->stopAfter, "The phase after which a stage is printed")
      ->check(oneOf(phases));
}
