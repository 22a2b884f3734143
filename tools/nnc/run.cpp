//===- run.cpp - nnc run --------------------------------------------------===//
//
// Calls a model or a func once, on inputs from the command line.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "nnc/Data/Npy.h"
#include "nnc/Driver/TensorText.h"
#include "nnc/Driver/Testing.h"

#include <fmt/format.h>

using namespace nnc;

namespace {
struct RunFlags {
  std::string file, entry, params, format = "text";
  std::vector<std::string> inputs, outputs, bindings;
  int64_t seed = 0;
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
  auto consider = [&](Callee callee, const std::string &calleeName) {
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
        .error(fmt::format("{}: {}", session.source->path(),
                           names.empty() ? "nothing to run: expected a model or a func"
                           : name.empty()
                               ? "several entries: choose one with --entry, found " +
                                     llvm::join(names, ", ")
                               : "no entry '" + name + "', found " + llvm::join(names, ", ")))
        .didYouMean(closestMatch(name, names));
  return found;
}

/// Splits "name=value"; an error if there is no "=".
static std::optional<std::pair<std::string, std::string>>
splitAssignment(const std::string &text, const char *flag, DiagnosticEngine &diagnostics) {
  size_t equals = text.find('=');
  if (equals != std::string::npos && equals > 0)
    return std::pair(text.substr(0, equals), text.substr(equals + 1));
  diagnostics.error(fmt::format("{} expects NAME=VALUE, found '{}'", flag, text));
  return std::nullopt;
}

static bool readInputs(Session &session, const RunFlags &flags, const Signature &signature,
                       std::map<std::string, Tensor> &inputs) {
  for (const std::string &text : flags.inputs) {
    auto assignment = splitAssignment(text, "--input", session.diagnostics);
    if (!assignment)
      return false;
    std::vector<std::string> names;
    const Buffer *buffer = nullptr;
    for (const Buffer &candidate : signature.buffers) {
      if (candidate.isResult || candidate.role != "input")
        continue;
      names.push_back(candidate.name);
      if (candidate.name == assignment->first)
        buffer = &candidate;
    }
    if (!buffer) {
      session.diagnostics
          .error(fmt::format("--input {}: '{}' has no such input, expected {}", assignment->first,
                             signature.name, names.empty() ? "none" : llvm::join(names, ", ")))
          .didYouMean(closestMatch(assignment->first, names));
      return false;
    }
    Result<Tensor> tensor = readTensor(assignment->second, hostType(buffer->elementType));
    if (!tensor) {
      session.diagnostics.error(
          fmt::format("--input {}: {}", assignment->first,
                      tensor.error().file.empty() ? tensor.error().what() : tensor.error().str()));
      return false;
    }
    inputs.insert_or_assign(assignment->first, std::move(*tensor));
  }
  return true;
}

static bool writeOutputs(Session &session, const RunFlags &flags,
                         const std::vector<NamedTensor> &results) {
  for (const std::string &text : flags.outputs) {
    auto assignment = splitAssignment(text, "--output", session.diagnostics);
    if (!assignment)
      return false;
    auto found = llvm::find_if(
        results, [&](const NamedTensor &result) { return result.name == assignment->first; });
    if (found == results.end()) {
      std::vector<std::string> names;
      for (const NamedTensor &result : results)
        names.push_back(result.name);
      session.diagnostics
          .error(fmt::format("--output {}: no such output, expected {}", assignment->first,
                             llvm::join(names, ", ")))
          .didYouMean(closestMatch(assignment->first, names));
      return false;
    }
    if (Status written = writeNpy(assignment->second, found->value); !written) {
      session.diagnostics.error(written.error().str());
      return false;
    }
  }
  return true;
}

static void printResults(const std::vector<NamedTensor> &results, bool json) {
  if (!json) {
    for (const NamedTensor &result : results)
      fmt::print("{}: {} = {}\n", result.name, typeText(result.value), toText(result.value));
    return;
  }
  std::vector<std::string> members;
  for (const NamedTensor &result : results)
    members.push_back(fmt::format("\"{}\": {}", result.name, toText(result.value, /*json=*/true)));
  fmt::print("{{{}}}\n", fmt::join(members, ", "));
}

static int runRun(const RunFlags &flags) {
  CompileOptions options;
  if (!parseBindings(flags.bindings, options.bindings))
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
  std::unique_ptr<Executable> executable =
      Executable::compile(session->module(), {callee->function}, options, diagnostics);
  if (!executable)
    return fail(diagnostics);
  Entry &entry = executable->entry(callee->function);
  std::map<std::string, Tensor> inputs;
  if (!readInputs(*session, flags, entry.signature(), inputs))
    return fail(diagnostics);
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
  if (!results)
    return fail(flags.file + ": error: " + error);
  if (!writeOutputs(*session, flags, *results))
    return fail(diagnostics);
  printResults(*results, flags.format == "json");
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
  command->add_option("--format", flags->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}
