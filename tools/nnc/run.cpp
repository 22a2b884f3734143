//===- run.cpp - nnc run --------------------------------------------------===//
//
// Calls a model or a func once, on inputs from the command line.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "nnc/Data/Npy.h"
#include "nnc/Driver/MemoryLimit.h"
#include "nnc/Driver/TensorText.h"
#include "nnc/Driver/Testing.h"

#include <fmt/format.h>

using namespace nnc;

namespace {
struct RunFlags {
  std::string file, entry, params, target = "cpu", format = "text";
  std::vector<std::string> inputs, outputs, bindings;
  int64_t seed = 0;
  std::optional<int64_t> memoryLimit;
  CompileOptions options;
};

/// The function to call, and the model it belongs to, if any.
struct Callee {
  std::string function;
  const ModelPlan *model = nullptr;
};
} // namespace

/// Whether functions of this kind can be called by name: funcs; and, where they are asked for, what
/// computes data (`points`) and first parameters (`net.init`).
static bool isCallable(llvm::StringRef kind, bool byName) {
  return kind == "func" || (byName && (kind == "data" || kind == "init"));
}

/// The names of what can be called: models, and funcs without type parameters.
static std::optional<Callee> findCallee(Session &session, const std::string &name) {
  std::vector<std::string> names;
  std::optional<Callee> found;
  auto consider = [&](const Callee &callee, const std::string &calleeName) {
    names.push_back(calleeName);
    if (calleeName == name)
      found = callee;
  };
  for (const ModelPlan &model : session.program.models)
    if (!model.forward.empty())
      consider({model.forward, &model}, model.name);
  if (name.empty() && names.size() == 1)
    return Callee{session.program.models.front().forward, &session.program.models.front()};
  for (auto function : session.module().getOps<mlir::func::FuncOp>())
    if (isCallable(getSignature(function).entry, /*byName=*/!name.empty()))
      consider({function.getName().str(), nullptr}, function.getName().str());
  if (!found && name.empty() && names.size() == 1)
    return Callee{names.front(), nullptr};
  if (!found)
    session.diagnostics
        .error(SourceRange::whole(*session.source),
               names.empty() ? "nothing to run: expected a model or a func"
               : name.empty()
                   ? "several entries: choose one with --entry, found " + llvm::join(names, ", ")
                   : "no entry '" + name + "', found " + llvm::join(names, ", "))
        .didYouMean(closestMatch(name, names));
  return found;
}

using Assignments = std::vector<std::pair<std::string, std::string>>;

/// Splits each "name=value"; none, with an error printed, if one has no "=".
static std::optional<Assignments> splitAssignments(const std::vector<std::string> &texts,
                                                   const char *flag, const char *form) {
  Assignments assignments;
  for (const std::string &text : texts) {
    size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      fail(fmt::format("{} expects {}, found '{}'", flag, form, text));
      return std::nullopt;
    }
    assignments.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  return assignments;
}

static bool readInputs(Session &session, const Assignments &assignments, const Signature &signature,
                       std::map<std::string, Tensor> &inputs) {
  for (const auto &[givenName, value] : assignments) {
    std::vector<std::string> names;
    const Buffer *buffer = nullptr;
    for (const Buffer &candidate : signature.buffers) {
      if (candidate.isResult || candidate.role != "input")
        continue;
      names.push_back(candidate.name);
      if (candidate.name == givenName)
        buffer = &candidate;
    }
    if (!buffer) {
      session.diagnostics
          .error(fmt::format("--input {}: '{}' has no such input, expected {}", givenName,
                             signature.name, names.empty() ? "none" : llvm::join(names, ", ")))
          .didYouMean(closestMatch(givenName, names));
      return false;
    }
    Result<Tensor> tensor = readTensor(value, hostType(buffer->elementType));
    if (!tensor) {
      session.diagnostics.error({}, tensor.error(), fmt::format("--input {}: ", givenName));
      return false;
    }
    inputs.insert_or_assign(givenName, std::move(*tensor));
  }
  return true;
}

/// Whether every output to write is one, and every input is given; said before anything is computed.
static bool checkNames(Session &session, const Assignments &outputs, const Signature &signature,
                       const std::map<std::string, Tensor> &inputs) {
  std::vector<std::string> names;
  for (const Buffer &buffer : signature.buffers) {
    if (buffer.isResult && !buffer.isUpdate)
      names.push_back(buffer.name);
    if (!buffer.isResult && buffer.role == "input" && !inputs.count(buffer.name)) {
      std::string type = typeToString(makeTensorType(buffer.shape, buffer.elementType));
      session.diagnostics
          .error(
              SourceRange::whole(*session.source),
              fmt::format("'{}' needs an input '{}' of type {}", signature.name, buffer.name, type))
          .help(fmt::format("give it with --input {0}=FILE.npy or --input '{0}=[…]'", buffer.name));
    }
  }
  for (const auto &[name, path] : outputs)
    if (!llvm::is_contained(names, name))
      session.diagnostics
          .error(fmt::format("--output {}: no such output, expected {}", name,
                             llvm::join(names, ", ")))
          .didYouMean(closestMatch(name, names));
  return !session.diagnostics.hasErrors();
}

static bool writeOutputs(Session &session, const Assignments &outputs,
                         const std::vector<NamedTensor> &results) {
  for (const auto &[name, path] : outputs) {
    const std::string &outputName = name;
    auto found = llvm::find_if(
        results, [&](const NamedTensor &result) { return result.name == outputName; });
    if (Status written = writeNpy(path, found->value); !written) {
      session.diagnostics.error({}, written.error());
      return false;
    }
  }
  return true;
}

static void printResults(const std::vector<NamedTensor> &results, const std::string &format) {
  if (format != "json") {
    for (const NamedTensor &result : results) {
      bool isInteger = !isFloat(result.value.type()) && result.value.type() != ElementType::Bool;
      fmt::print("{}: {} =", result.name, typeText(result.value));
      if (format == "characters" && isInteger)
        fmt::print("\n{}", toCharacters(result.value, "  "));
      else
        fmt::print(" {}\n", toText(result.value));
    }
    return;
  }
  std::vector<std::string> members;
  for (const NamedTensor &result : results)
    members.push_back(fmt::format("\"{}\": {}", result.name, toText(result.value, /*json=*/true)));
  fmt::print("{{{}}}\n", fmt::join(members, ", "));
}

/// Fits the function to the sizes that the inputs have.
static bool fitCallee(Session &session, const Signature &signature,
                      const std::map<std::string, Tensor> &inputs, int64_t limit) {
  FittedEntry entry{signature.name, {}};
  for (const Buffer &buffer : signature.buffers)
    if (auto found = inputs.find(buffer.name); !buffer.isResult && found != inputs.end())
      for (auto [dim, size] : llvm::zip(buffer.shape, found->second.shape()))
        if (llvm::is_contained(signature.symbols, dim.str()))
          entry.sizes.emplace(dim.str(), size);
  return fitMemory(session.module(), entry, limit, session.options, session.diagnostics);
}

static int runRun(const RunFlags &flags) {
  CompileOptions options = flags.options;
  std::optional<Assignments> given = splitAssignments(flags.inputs, "--input", "NAME=VALUE"),
                             outputs = splitAssignments(flags.outputs, "--output", "NAME=FILE");
  std::optional<GpuTarget> gpu;
  if (!parseBindings(flags.bindings, options.bindings) || !given || !outputs ||
      !parseRunTarget(flags.target, options, gpu))
    return exitBadUsage;
  DiagnosticEngine diagnostics;
  std::unique_ptr<Session> session = Session::open(flags.file, options, diagnostics);
  if (!session)
    return fail(diagnostics);
  std::optional<Callee> callee = findCallee(*session, flags.entry);
  if (!callee)
    return fail(diagnostics);
  State state;
  if (callee->model) {
    std::optional<State> values = flags.params.empty()
                                      ? initialState(*session, *callee->model, flags.seed)
                                      : readState(*session, *callee->model, flags.params);
    if (!values)
      return fail(diagnostics);
    state = std::move(*values);
  }
  Signature signature =
      getSignature(session->module().lookupSymbol<mlir::func::FuncOp>(callee->function));
  std::map<std::string, Tensor> inputs;
  if (!readInputs(*session, *given, signature, inputs) ||
      !checkNames(*session, *outputs, signature, inputs))
    return fail(diagnostics);
  if (flags.memoryLimit && !fitCallee(*session, signature, inputs, *flags.memoryLimit))
    return fail(diagnostics);
  runOn(gpu, session->options);
  std::unique_ptr<Executable> executable =
      Executable::compile(session->module(), {callee->function}, session->options, diagnostics);
  if (!executable)
    return fail(diagnostics);
  Entry &entry = executable->entry(callee->function);
  Tensor key = Tensor::of<int64_t>({2}, {flags.seed, 0});
  std::map<std::string, Tensor *> arguments;
  for (NamedTensor &value : state)
    arguments[value.name] = &value.value;
  for (auto &[name, tensor] : inputs)
    arguments[name] = &tensor;
  for (const Buffer &buffer : entry.signature().buffers)
    if (buffer.role == "key")
      arguments[buffer.name] = &key;
  std::string error;
  std::optional<std::vector<NamedTensor>> results = entry.run(arguments, error);
  if (!results) {
    diagnostics.error(SourceRange::whole(*session->source), error);
    return fail(diagnostics);
  }
  if (!writeOutputs(*session, *outputs, *results))
    return fail(diagnostics);
  printResults(*results, flags.format);
  return exitOk;
}

void nnc::addRunCommand(CommandLine &commandLine) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App *command = commandLine.add("run", "Compute the outputs of a model or a func",
                                      [=] { return runRun(*flags); });
  command->add_option("file", flags->file, "The .nn file")->required();
  command->add_option("--entry", flags->entry,
                      "The model or func, where there are several; or data, or MODEL.init");
  command->add_option("--input", flags->inputs, "x=FILE.npy, x=FILE.csv or x=[[1, 2], [3, 4]]");
  command->add_option("--params", flags->params,
                      "Parameters (.safetensors); initial ones without it");
  command->add_option("--output", flags->outputs, "y=FILE.npy to write an output");
  command->add_option("--bind", flags->bindings, "A size for a symbolic dimension, N=64")
      ->delimiter(',');
  command->add_option("--seed", flags->seed, "Seed of random numbers")->capture_default_str();
  addRunTargetOption(*command, flags->target, flags->options);
  addThreadsOption(*command);
  addMemoryOption(*command, flags->memoryLimit);
  addCheckPassesFlag(*command, flags->options);
  command
      ->add_option("--format", flags->format,
                   "text, json, or characters: integers as the bytes of a text")
      ->check(oneOf({"text", "json", "characters"}))
      ->capture_default_str();
}
