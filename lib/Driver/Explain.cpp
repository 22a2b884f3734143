//===- Explain.cpp - What becomes of each line of a program ---------------===//
//
// Chooses functions and sizes, compiles with an ear at two phases, relates kernels to lines, and works
// out what the roofline allows.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Explain.h"

#include "ExplainRun.h"
#include "PassClock.h"
#include "nnc/Codegen/Target.h"
#include "nnc/Driver/Locations.h"
#include "nnc/IR/GradientLocation.h"
#include "nnc/IR/Remarks.h"

#include "llvm/Support/Path.h"

#include <fmt/format.h>

using namespace mlir;

namespace nnc {

std::string ExplainedPlace::str() const {
  if (line == 0)
    return "-";
  return (file.empty() ? "" : llvm::sys::path::filename(file).str() + ":") + std::to_string(line) +
         (isGradient ? " (gradient)" : "");
}

int64_t ExplainedEntry::flops() const {
  int64_t sum = 0;
  for (const ExplainedKernel &kernel : kernels)
    sum += kernel.flops();
  return sum;
}

int64_t ExplainedEntry::bytes() const {
  int64_t sum = 0;
  for (const ExplainedKernel &kernel : kernels)
    sum += kernel.bytes();
  return sum;
}

namespace {

//===----------------------------------------------------------------------===//
// What to explain
//===----------------------------------------------------------------------===//

std::vector<std::string> namesOfKind(ModuleOp module, StringRef kind) {
  std::vector<std::string> names;
  for (auto function : module.getOps<func::FuncOp>())
    if (getSignature(function).entry == kind)
      names.push_back(function.getName().str());
  return names;
}

/// The functions that `entry` stands for; none, with a diagnostic, if there is none.
std::vector<std::string> chooseFunctions(Session &session, const std::string &entry) {
  ModuleOp module = session.module();
  if (entry.empty()) {
    for (const char *kind : {"step", "forward", "func", "data"})
      if (std::vector<std::string> names = namesOfKind(module, kind); !names.empty())
        return names;
    session.diagnostics.error(SourceRange::whole(*session.source),
                              "nothing to explain: expected a training, a model or a func");
    return {};
  }
  if (module.lookupSymbol<func::FuncOp>(entry))
    return {entry};
  if (std::vector<std::string> names = namesOfKind(module, entry); !names.empty())
    return names;
  std::set<std::string> kinds;
  std::vector<std::string> candidates;
  for (auto function : module.getOps<func::FuncOp>()) {
    kinds.insert(getSignature(function).entry);
    candidates.push_back(function.getName().str());
  }
  candidates.insert(candidates.end(), kinds.begin(), kinds.end());
  session.diagnostics
      .error(fmt::format("--entry: '{}' has no entry '{}', found {}", session.source->path(), entry,
                         llvm::join(kinds, ", ")))
      .didYouMean(closestMatch(entry, candidates));
  return {};
}

/// Whether each of the sizes is that of a symbol of these functions.
bool checkSymbols(Session &session, const std::vector<std::string> &functions,
                  const SizeValues &sizes) {
  std::set<std::string> symbols;
  for (const std::string &name : functions) {
    Signature signature = getSignature(session.module().lookupSymbol<func::FuncOp>(name));
    symbols.insert(signature.symbols.begin(), signature.symbols.end());
  }
  for (const auto &[symbol, size] : sizes) {
    if (symbols.count(symbol))
      continue;
    nnc::Diagnostic &diagnostic = session.diagnostics.error(
        fmt::format("--size {}={}: no dimension has this name", symbol, size));
    std::vector<std::string> names(symbols.begin(), symbols.end());
    if (std::optional<std::string> meant = closestMatch(symbol, names))
      diagnostic.didYouMean(meant);
    else
      diagnostic.help(names.empty() ? "all sizes are given in the file"
                                    : "the dimensions are " + llvm::join(names, ", "));
    return false;
  }
  return true;
}

/// The training whose step, evaluation or model `function` is.
const TrainPlan *findTraining(const Session &session, const std::string &function) {
  StringRef model = StringRef(function).split('.').first;
  for (const TrainPlan &plan : session.program.trains)
    if (plan.step == function || plan.step + "s" == function || plan.evaluate == function)
      return &plan;
  for (const TrainPlan &plan : session.program.trains)
    if (plan.model == model)
      return &plan;
  return nullptr;
}

/// Gives the first dimension of a training's fields the size of its batches. False, with diagnostics,
/// if the data cannot be had.
bool takeBatchSize(Session &session, const Signature &signature, ExplainedEntry &entry) {
  const TrainPlan *plan = findTraining(session, signature.name);
  if (!plan)
    return true;
  std::set<std::string> open(signature.symbols.begin(), signature.symbols.end());
  for (const auto &[symbol, size] : entry.sizes)
    open.erase(symbol);
  for (const Buffer &buffer : signature.buffers) {
    if (buffer.isResult || buffer.role != "input" || buffer.shape.empty() ||
        !open.count(buffer.shape.front().str()))
      continue;
    const LoadedData *data = session.loadData(plan->data);
    if (!data)
      return false;
    entry.sizes[buffer.shape.front().str()] = data->batchSize.value_or(data->dataset.numRows());
    entry.sizesFrom = fmt::format("{} of '{}'", data->batchSize ? "a batch" : "all", plan->data);
  }
  return true;
}

/// Finds a size for each symbol; false, with a diagnostic, if one has none.
bool chooseSizes(Session &session, const Signature &signature, const SizeValues &given,
                 ExplainedEntry &entry) {
  for (const std::string &symbol : signature.symbols)
    if (auto size = given.find(symbol); size != given.end())
      entry.sizes.insert(*size);
  if (!takeBatchSize(session, signature, entry))
    return false;
  for (const std::string &symbol : signature.symbols)
    if (!entry.sizes.count(symbol)) {
      session.diagnostics
          .error(SourceRange::whole(*session.source),
                 fmt::format("'{}' needs a size for the dimension '{}'", signature.name, symbol))
          .help(fmt::format("give it with --size {}=64", symbol));
      return false;
    }
  std::map<std::string, Dim> values(entry.sizes.begin(), entry.sizes.end());
  for (const Requirement &requirement : signature.requirements)
    if (std::optional<std::string> complaint = requirement.complaint(values)) {
      session.diagnostics.error(rangeOf(requirement.location, session.diagnostics),
                                "this " + *complaint);
      return false;
    }
  return true;
}

//===----------------------------------------------------------------------===//
// Kernels and lines
//===----------------------------------------------------------------------===//

/// The first of the locations in `location` that is of a text, with the mark of a gradient if it has one.
Location firstLocation(Location location, const DiagnosticEngine &diagnostics) {
  if (auto fused = dyn_cast<FusedLoc>(location); fused && fused.getLocations().size() > 1)
    for (Location inner : fused.getLocations())
      if (rangeOf(inner, diagnostics).file)
        return firstLocation(inner, diagnostics);
  return location;
}

ExplainedPlace placeOf(Location location, const Session &session) {
  ExplainedPlace place;
  location = firstLocation(location, session.diagnostics);
  SourceRange range = rangeOf(location, session.diagnostics);
  if (range.file)
    place.line = range.file->lineColumn(range.begin).line;
  if (range.file && range.file != session.source)
    place.file = range.file->path();
  place.isGradient = isGradient(location);
  return place;
}

ExplainedKernel explainKernel(KernelReport report, const Session &session) {
  ExplainedKernel kernel{std::move(report), {}, {}, {}, {}, {}};
  kernel.place = placeOf(kernel.report.location, session);
  kernel.work[kernel.place];
  for (const KernelWork &work : kernel.report.work)
    kernel.work[placeOf(work.location, session)] += work.flops * kernel.report.runs;
  return kernel;
}

/// What the roofline leaves of the time: the vector unit, or the way to memory.
void predict(ExplainedKernel &kernel, const MachineModel &machine) {
  const KernelReport &report = kernel.report;
  double threads = std::min<double>(machine.threads, double(report.parts));
  const Roofline &roofline = threads > 1 ? machine.all : machine.core;
  double share = threads > 1 ? threads / machine.threads : 1;
  double slotsPerSecond = roofline.flopsPerSecond / (2.0 * machine.lanes) * share;
  double arithmetic = report.slots / slotsPerSecond;
  double memory = double(report.bytes()) / roofline.bytesPerSecond(report.bytes());
  kernel.predicted = std::max(arithmetic, memory) * double(report.runs);
  kernel.bound = arithmetic >= memory ? "arithmetic" : "memory";
}

void add(std::optional<double> &sum, const std::optional<double> &value) {
  if (value)
    sum = sum.value_or(0) + *value;
}

/// FLOPs belong to the lines that ask for them; bytes and time to the line that a kernel is of.
void collectLines(ExplainedEntry &entry) {
  std::map<ExplainedPlace, ExplainedLine> lines;
  for (const ExplainedKernel &kernel : entry.kernels) {
    for (const auto &[place, flops] : kernel.work)
      lines[place].flops += flops;
    ExplainedLine &line = lines[kernel.place];
    ++line.kernels;
    line.bytes += kernel.bytes();
    add(line.predicted, kernel.predicted);
    add(line.measured, kernel.measured);
    add(entry.predicted, kernel.predicted);
  }
  for (auto &[place, line] : lines) {
    line.place = place;
    entry.lines.push_back(line);
  }
}

/// By line, and in the order of the passes; what is said of several operations of a line, once.
void collectRemarks(const Session &session, const std::vector<PassRemark> &remarks,
                    ExplainedEntry &entry) {
  std::map<ExplainedPlace, std::vector<ExplainedRemark>> byPlace;
  for (const PassRemark &remark : remarks) {
    ExplainedPlace place = placeOf(remark.location, session);
    std::vector<ExplainedRemark> &known = byPlace[place];
    auto same = llvm::find_if(known, [&](const ExplainedRemark &other) {
      return other.pass == remark.pass && other.text == remark.text;
    });
    if (same != known.end())
      ++same->times;
    else
      known.push_back({place, remark.pass, remark.isDone, remark.text});
  }
  for (auto &[place, known] : byPlace)
    entry.remarks.insert(entry.remarks.end(), known.begin(), known.end());
}

void countBuffers(const Signature &signature, ExplainedEntry &entry) {
  for (const Buffer &buffer : signature.buffers) {
    if (buffer.isResult && buffer.isUpdate)
      continue;
    int64_t &total = buffer.role == "param"   ? entry.parameterBytes
                     : buffer.role == "state" ? entry.stateBytes
                     : buffer.isResult        ? entry.outputBytes
                                              : entry.inputBytes;
    total += buffer.bytes(entry.sizes);
  }
}

} // namespace

//===----------------------------------------------------------------------===//
// All together
//===----------------------------------------------------------------------===//

static std::optional<ExplainedEntry> explainFunction(Session &session, const std::string &name,
                                                     const ExplainOptions &options,
                                                     const MachineModel *machine) {
  Signature signature = getSignature(session.module().lookupSymbol<func::FuncOp>(name));
  ExplainedEntry entry;
  entry.name = name;
  entry.kind = signature.entry;
  if (!chooseSizes(session, signature, options.sizes, entry))
    return std::nullopt;
  CompileOptions compile = session.options;
  compile.cpu = options.cpu;
  compile.traceKernels = true;
  compile.hostSymbols = KernelClock::hostSymbols();
  compile.beforePhase = [&](StringRef phase, PassManager &passes) {
    watchPasses(passes, phase.str(), entry.passes);
  };
  compile.afterPhase = [&](StringRef phase, ModuleOp module) {
    auto function = module.lookupSymbol<func::FuncOp>(signature.rawName());
    if (phase == "prepare") {
      CodegenOptions codegen;
      codegen.cpu = options.cpu;
      for (KernelReport &report : reportKernels(function, codegen, entry.sizes))
        entry.kernels.push_back(explainKernel(std::move(report), session));
    } else if (phase == "kernels") {
      entry.arena = reportArena(function, entry.sizes);
      for (const WorkspaceBuffer &buffer : entry.arena.buffers)
        entry.buffers.push_back({buffer, placeOf(buffer.location, session)});
    }
  };
  RemarkListener listener(*session.context);
  if (machine) {
    if (!measureEntry(session, compile, entry))
      return std::nullopt;
    for (ExplainedKernel &kernel : entry.kernels)
      predict(kernel, *machine);
  } else {
    OwningOpRef<ModuleOp> code = extractEntries(session.module(), {name});
    if (!runPhases(*code, compile, session.diagnostics, "kernels"))
      return std::nullopt;
  }
  collectRemarks(session, listener.remarks(), entry);
  countBuffers(signature, entry);
  collectLines(entry);
  return entry;
}

static std::vector<std::string> linesOf(const SourceFile &file) {
  std::vector<std::string> lines;
  for (StringRef rest = file.text(); !rest.empty();) {
    auto [line, after] = rest.split('\n');
    lines.push_back(line.str());
    rest = after;
  }
  return lines;
}

std::optional<Explanation> explain(Session &session, const ExplainOptions &options) {
  Explanation explanation;
  explanation.file = session.source->path();
  explanation.cpu = TargetDescription::forCpu(options.cpu)->cpu;
  std::vector<std::string> functions = chooseFunctions(session, options.entry);
  if (functions.empty())
    return std::nullopt;
  if (!checkSymbols(session, functions, options.sizes))
    return std::nullopt;
  if (options.measures) {
    explanation.machine = measureMachine(session.diagnostics);
    if (!explanation.machine)
      return std::nullopt;
  }
  for (const std::string &function : functions) {
    std::optional<ExplainedEntry> entry = explainFunction(
        session, function, options, explanation.machine ? &*explanation.machine : nullptr);
    if (!entry)
      return std::nullopt;
    for (const ExplainedLine &line : entry->lines)
      if (!explanation.texts.count(line.place.file))
        explanation.texts[line.place.file] =
            linesOf(line.place.file.empty() ? *session.source
                                            : *session.diagnostics.findFile(line.place.file));
    explanation.entries.push_back(std::move(*entry));
  }
  return explanation;
}

} // namespace nnc
