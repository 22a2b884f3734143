//===- test.cpp - nnc test ------------------------------------------------===//
//
// Runs the test declarations of a file: programs with expectations, and evaluations of a model.
//
//===----------------------------------------------------------------------===//
#include "Command.h"
#include "TestRun.h"

#include "nnc/Driver/TensorText.h"
#include "nnc/Driver/TestPlots.h"

#include <fmt/format.h>

using namespace nnc;

namespace {
struct TestFlags {
  std::string file, params, plots;
  int64_t seed = 0;
};
} // namespace

int nnc::runTests(Session &session, const TestRunOptions &options, State *state) {
  unsigned failed = 0;
  for (const TestPlan &plan : session.program.tests) {
    if (!plan.model.empty() && !state) {
      fmt::print(
          "test {}: skipped, it needs trained parameters: give --params, or run 'nnc train'\n",
          plan.name);
      continue;
    }
    if (plan.model.empty() ? options.onlyWithModel
                           : !options.model.empty() && plan.model != options.model)
      continue;
    std::optional<TestOutcome> outcome =
        runTest(session, plan, plan.model.empty() ? nullptr : state, options.seed);
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

static int runTestCommand(const TestFlags &flags) {
  DiagnosticEngine diagnostics;
  std::unique_ptr<Session> session = Session::open(flags.file, {}, diagnostics);
  if (!session)
    return fail(diagnostics);
  session->setDataSeed(flags.seed);
  if (session->program.tests.empty())
    return fail(SourceRange::whole(*session->source),
                "nothing to test: expected 'test NAME { … }'");
  TestRunOptions options{"", /*onlyWithModel=*/false, flags.plots, flags.seed};
  std::optional<State> state;
  for (const TestPlan &plan : session->program.tests) {
    if (plan.model.empty())
      continue;
    const ModelPlan *model = session->findModel(plan.model);
    if (!model)
      return fail(diagnostics);
    if (!options.model.empty() && options.model != plan.model)
      return fail(flags.file + ": error: expected tests of one model, found some of '" +
                  options.model + "' and some of '" + plan.model + "'");
    options.model = plan.model;
    // Without parameters, a model that learns cannot be tested; one that does not is what it is.
    bool learns = llvm::any_of(session->program.trains,
                               [&](const TrainPlan &train) { return train.model == plan.model; });
    if (state || (flags.params.empty() && learns))
      continue;
    state = flags.params.empty() ? initialState(*session, *model, flags.seed)
                                 : readState(*session, *model, flags.params);
    if (!state)
      return fail(diagnostics);
  }
  options.model.clear();
  return runTests(*session, options, state ? &*state : nullptr);
}

void nnc::addTestCommand(CommandLine &commandLine) {
  auto flags = std::make_shared<TestFlags>();
  CLI::App *command = commandLine.add("test", "Run the test declarations of a file",
                                      [=] { return runTestCommand(*flags); });
  command->add_option("file", flags->file, "The .nn file")->required();
  command->add_option("--params", flags->params,
                      "Parameters (.safetensors); initial ones without it");
  command->add_option("--plot", flags->plots, "Folder for plots (SVG and PNG)");
  command->add_option("--seed", flags->seed, "Seed of data and parameters")->capture_default_str();
  addThreadsOption(*command);
}
