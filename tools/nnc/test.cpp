//===- test.cpp - nnc test ------------------------------------------------===//
//
// Runs the test declarations of a file: programs with expectations, and evaluations of a model.
//
//===----------------------------------------------------------------------===//
#include "Command.h"
#include "ParameterFiles.h"
#include "TestRun.h"

#include "nnc/Driver/TensorText.h"
#include "nnc/Driver/TestPlots.h"

#include <fmt/format.h>

using namespace nnc;

namespace {
struct TestFlags {
  std::string file, model, target = "cpu", plots;
  std::vector<std::string> params;
  int64_t seed = 0;
  CompileOptions options;
};
} // namespace

int nnc::runTests(Session &session, const TestRunOptions &options, const States &states) {
  unsigned failed = 0;
  for (const TestPlan &plan : session.program.tests) {
    if (plan.model.empty() ? options.onlyWithModel
                           : !options.model.empty() && plan.model != options.model)
      continue;
    auto state = states.find(plan.model);
    if (!plan.model.empty() && state == states.end()) {
      fmt::print(
          "test {}: skipped, it needs trained parameters: give --params, or run 'nnc train'\n",
          plan.name);
      continue;
    }
    std::optional<TestOutcome> outcome =
        runTest(session, plan, plan.model.empty() ? nullptr : state->second, options.seed);
    if (!outcome)
      return fail(session.diagnostics);
    fmt::print("test {}: {}\n", plan.name,
               outcome->failed ? fmt::format("{} of {} expectations failed", outcome->failed,
                                             outcome->failed + outcome->passed)
                               : std::string("ok"));
    for (const NamedTensor &value : outcome->values)
      if (llvm::is_contained(plan.texts, value.name))
        fmt::print("  {} =\n{}", value.name, toCharacters(value.value, "    "));
      else
        fmt::print("  {} = {}\n", value.name, toText(value.value));
    if (!options.plots.empty())
      if (Status plotted = plotTest(plan, outcome->plotValues, options.plots); !plotted)
        return fail(plotted.error());
    failed += outcome->failed;
  }
  return failed ? fail(session.diagnostics) : exitOk;
}

/// The models that the tests are about, or the one that was chosen; none, with a diagnostic, if there
/// is no test of that one.
static std::optional<std::vector<std::string>> testedModels(Session &session,
                                                            const std::string &chosen) {
  std::vector<std::string> models;
  for (const TestPlan &plan : session.program.tests)
    if (!plan.model.empty() && !llvm::is_contained(models, plan.model))
      models.push_back(plan.model);
  if (chosen.empty())
    return models;
  if (llvm::is_contained(models, chosen))
    return std::vector<std::string>{chosen};
  if (session.findModel(chosen))
    session.diagnostics.error(SourceRange::whole(*session.source),
                              fmt::format("no test of the model '{}'", chosen));
  return std::nullopt;
}

/// The parameters of a model: those of its file or, of a model that nothing trains, those it begins
/// with. Nothing for a model that learns and has no file.
static bool addState(Session &session, const std::string &name,
                     const std::map<std::string, std::string> &files, int64_t seed,
                     std::map<std::string, State> &states) {
  const ModelPlan *model = session.findModel(name);
  if (!model)
    return false;
  auto file = files.find(name);
  bool learns = llvm::any_of(session.program.trains,
                             [&](const TrainPlan &train) { return train.model == name; });
  if (file == files.end() && learns)
    return true;
  std::optional<State> state = file == files.end() ? initialState(session, *model, seed)
                                                   : readState(session, *model, file->second);
  if (state)
    states.emplace(name, std::move(*state));
  return state.has_value();
}

static int runTestCommand(const TestFlags &flags) {
  std::optional<GpuTarget> gpu;
  if (!parseRunTarget(flags.target, flags.options, gpu))
    return exitBadUsage;
  DiagnosticEngine diagnostics;
  std::unique_ptr<Session> session = Session::open(flags.file, flags.options, diagnostics);
  if (!session)
    return fail(diagnostics);
  session->setDataSeed(flags.seed);
  if (session->program.tests.empty())
    return fail(SourceRange::whole(*session->source),
                "nothing to test: expected 'test NAME { … }'");
  std::optional<std::vector<std::string>> models = testedModels(*session, flags.model);
  if (!models)
    return fail(diagnostics);
  auto files = parameterFiles(*session, flags.params, *models);
  if (!files)
    return fail(diagnostics);
  std::map<std::string, State> states;
  States given;
  for (const std::string &model : *models)
    if (!addState(*session, model, *files, flags.seed, states))
      return fail(diagnostics);
  for (auto &[model, state] : states)
    given[model] = &state;
  runOn(gpu, session->options);
  return runTests(*session, {flags.model, !flags.model.empty(), flags.plots, flags.seed}, given);
}

void nnc::addTestCommand(CommandLine &commandLine) {
  auto flags = std::make_shared<TestFlags>();
  CLI::App *command = commandLine.add("test", "Run the test declarations of a file",
                                      [=] { return runTestCommand(*flags); });
  command->add_option("file", flags->file, "The .nn file")->required();
  command->add_option("--model", flags->model, "Only tests of this model");
  command
      ->add_option("--params", flags->params,
                   "Parameters (.safetensors); initial ones without it. Where the tests are of "
                   "several models, MODEL=FILE for each")
      ->type_name("[MODEL=]FILE");
  command->add_option("--plot", flags->plots, "Folder for plots (SVG and PNG)");
  command->add_option("--seed", flags->seed, "Seed of data and parameters")->capture_default_str();
  addRunTargetOption(*command, flags->target, flags->options);
  addThreadsOption(*command);
  addCheckPassesFlag(*command, flags->options);
}
