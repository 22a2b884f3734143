//===- train.cpp - nnc train ----------------------------------------------===//
//
// Runs the train declarations of a file, then its tests on what was learned.
//
//===----------------------------------------------------------------------===//
#include "Command.h"
#include "ParameterFiles.h"
#include "TestRun.h"

#include "nnc/Data/Npy.h"
#include "nnc/Data/Safetensors.h"
#include "nnc/Driver/MemoryLimit.h"
#include "nnc/Driver/TrainRun.h"
#include "nnc/Driver/TrainingCheckpoint.h"
#include "nnc/IR/NN.h"
#include "nnc/Runtime/nnc_rt.h"
#include "nnc/Support/File.h"

#include <cerrno>
#include <filesystem>
#include <fmt/format.h>

using namespace nnc;

namespace {
struct TrainFlags {
  std::string file, model, data, target = "cpu", log, plots, save, history, checkpointEvery, board,
                                 page;
  std::vector<std::string> params;
  /// Of each model, the file that it starts from.
  std::map<std::string, std::string> initial;
  std::optional<int> servePort;
  std::optional<int64_t> seed, memoryLimit;
  TrainRunOptions run;
  CompileOptions options;
};
} // namespace

static std::string runName(const TrainPlan &plan) { return plan.model + " on " + plan.data; }

/// The name of a run as part of a file name.
static std::string runStem(const TrainPlan &plan) {
  return toIdentifier(plan.model) + "-" + toIdentifier(plan.data);
}

static std::vector<const TrainPlan *> choosePlans(Session &session, const TrainFlags &flags) {
  std::vector<const TrainPlan *> chosen;
  std::vector<std::string> names;
  for (const TrainPlan &plan : session.program.trains) {
    names.push_back(runName(plan));
    if ((flags.model.empty() || flags.model == plan.model) &&
        (flags.data.empty() || flags.data == plan.data))
      chosen.push_back(&plan);
  }
  if (chosen.empty() && names.empty())
    session.diagnostics.error(SourceRange::whole(*session.source),
                              "nothing to train: expected 'train MODEL on DATA { … }'");
  else if (chosen.empty())
    session.diagnostics.error(SourceRange::whole(*session.source),
                              "no such train declaration, found: " + llvm::join(names, ", "));
  return chosen;
}

static void addArrays(std::vector<NamedTensor> &arrays, const std::string &prefix,
                      const History &history) {
  for (const Series &series : history) {
    TensorShape shape = series.shape;
    shape.insert(shape.begin(), series.length());
    arrays.push_back({prefix + series.name, Tensor::of<double>(shape, series.values)});
  }
}

static int writeHistory(const RunRecord &record, const std::string &path) {
  std::vector<NamedTensor> arrays;
  addArrays(arrays, "", record.steps);
  addArrays(arrays, "validation.", record.evaluations);
  if (!record.evaluatedAt.empty())
    arrays.push_back({"validation.step", Tensor::of<int64_t>({int64_t(record.evaluatedAt.size())},
                                                             record.evaluatedAt)});
  if (Status written = writeNpz(path, arrays); !written)
    return fail(written.error());
  return exitOk;
}

static int writeResults(Session &session, const TrainPlan &plan, Training &training,
                        const TrainFlags &flags) {
  if (!flags.plots.empty())
    if (Status plotted = plotHistory(training.record().steps, flags.plots, runStem(plan)); !plotted)
      return fail(plotted.error());
  if (!flags.history.empty())
    if (int status = writeHistory(training.record(), flags.history))
      return status;
  if (!flags.save.empty())
    if (Status written = writeSafetensors(flags.save, {training.state(), {{"model", plan.model}}});
        !written)
      return fail(written.error());
  return exitOk;
}

/// The functions that make up a training, as they are compiled.
static std::vector<std::string> functionsOf(const TrainPlan &plan, const ModelPlan &model) {
  std::vector<std::string> functions = {model.init, plan.step + "s"};
  for (const std::string &function : {plan.evaluate, plan.predict})
    if (!function.empty())
      functions.push_back(function);
  return functions;
}

static int trainOne(Session &session, Executable &executable, const TrainPlan &plan,
                    const TrainFlags &flags, bool isFirst) {
  const ModelPlan *model = session.findModel(plan.model);
  const LoadedData *data = session.loadData(plan.data);
  if (!model || !data)
    return fail(session.diagnostics);
  int64_t seed = flags.seed.value_or(plan.seed);
  Training training(plan, model->init, executable, *data, seed, unsigned(nnc_num_threads()));
  std::string error;
  if (!training.initialize(error))
    return fail(plan.range, error);
  if (auto initial = flags.initial.find(plan.model); initial != flags.initial.end()) {
    std::optional<State> state = readState(session, *model, initial->second);
    if (!state)
      return fail(session.diagnostics);
    training.state() = std::move(*state);
  }
  std::optional<Validation> validation;
  if (!plan.evaluate.empty()) {
    const LoadedData *held = session.loadData(plan.validation);
    if (!held)
      return fail(session.diagnostics);
    validation.emplace(plan, executable, *held, seed);
  }
  TrainRun run(training, validation ? &*validation : nullptr, flags.run,
               fingerprintOf(session.module(), functionsOf(plan, *model)), session.diagnostics);
  fmt::print("{}: {} steps\n", runName(plan), run.totalSteps());
  if (!run.prepare())
    return fail(session.diagnostics);
  TrainReport report(runName(plan), run.totalSteps(), training,
                     validation ? &*validation : nullptr);
  if (!flags.log.empty())
    if (Status opened = report.openLog(flags.log, /*append=*/!isFirst); !opened)
      return fail(opened.error());
  if (!flags.board.empty())
    if (Status opened = report.openTensorBoard(flags.board); !opened)
      return fail(opened.error());
  if (flags.servePort)
    if (Status served = report.serve(*flags.servePort); !served)
      return fail(served.error());
  if (!run.run(report))
    return fail(session.diagnostics);
  if (!flags.page.empty()) {
    // With the parameters that are kept.
    if (validation && !validation->run(training, error))
      return fail(plan.range, error);
    if (Status written = report.writePage(flags.page); !written)
      return fail(written.error());
  }
  if (int status = writeResults(session, plan, training, flags))
    return status;
  int status = runTests(session, {plan.model, /*onlyWithModel=*/true, flags.plots, seed},
                        {{plan.model, &training.state()}});
  return run.isUnsaved() ? exitBadInput : status;
}

/// Whether the files to write can be there, so that no training ends in vain.
static Status checkPlaces(const TrainFlags &flags) {
  for (const std::string &path : {flags.save, flags.history, flags.log, flags.page}) {
    std::filesystem::path folder = std::filesystem::path(path).parent_path();
    std::error_code code;
    if (path.empty() || folder.empty() || std::filesystem::is_directory(folder, code))
      continue;
    bool exists = std::filesystem::exists(folder, code);
    return Error::plain("cannot write: " + systemReason(exists ? ENOTDIR : ENOENT)).in(path);
  }
  std::error_code failed;
  if (!flags.plots.empty() && !std::filesystem::is_directory(flags.plots, failed) &&
      !std::filesystem::create_directories(flags.plots, failed))
    return Error::plain("cannot write: " + systemReason(failed.value())).in(flags.plots);
  return {};
}

/// `function` of a training on `rows` rows at a time, a step at a time.
static FittedEntry fittedEntry(Session &session, const std::string &function, int64_t rows) {
  FittedEntry entry{function, {}};
  for (const std::string &symbol :
       getSignature(session.module().lookupSymbol<mlir::func::FuncOp>(function)).symbols)
    entry.sizes[symbol] = symbol == nn::stepsSymbol ? 1 : rows;
  return entry;
}

/// Chooses what to compute again so that each function of the trainings fits into memory.
static bool fitTrainings(Session &session, const std::vector<const TrainPlan *> &plans,
                         int64_t limit) {
  std::vector<FittedEntry> entries;
  for (const TrainPlan *plan : plans) {
    const LoadedData *data = session.loadData(plan->data);
    const LoadedData *held = plan->evaluate.empty() ? nullptr : session.loadData(plan->validation);
    if (!data || (!plan->evaluate.empty() && !held))
      return false;
    auto batch = [](const LoadedData &loaded) {
      int64_t rows = loaded.dataset.numRows();
      return std::min(loaded.batchSize.value_or(rows), rows);
    };
    entries.push_back(fittedEntry(session, plan->step + "s", batch(*data)));
    if (held)
      entries.push_back(fittedEntry(session, plan->evaluate, held->dataset.numRows()));
    if (held && !plan->predict.empty())
      entries.push_back(fittedEntry(session, plan->predict, batch(*held)));
  }
  return fitMemory(session.module(), entries, limit, session.options, session.diagnostics);
}

static int runTrain(TrainFlags &flags) {
  std::optional<GpuTarget> gpu;
  if (!parseRunTarget(flags.target, flags.options, gpu))
    return exitBadUsage;
  DiagnosticEngine diagnostics;
  std::unique_ptr<Session> session = Session::open(flags.file, flags.options, diagnostics);
  if (!session)
    return fail(diagnostics);
  std::vector<const TrainPlan *> plans = choosePlans(*session, flags);
  if (plans.empty())
    return fail(diagnostics);
  if (plans.size() > 1)
    for (auto [option, value] : {std::pair("--save", &flags.save),
                                 {"--history", &flags.history},
                                 {"--checkpoint", &flags.run.checkpoints},
                                 {"--tensorboard", &flags.board},
                                 {"--report", &flags.page}})
      if (!value->empty())
        return fail(
            fmt::format("{} expects one train declaration: choose with --model and --on", option));
  if (Status writable = checkPlaces(flags); !writable)
    return fail(writable.error());
  std::vector<std::string> entries, models;
  for (const TrainPlan *plan : plans) {
    if (!llvm::is_contained(models, plan->model))
      models.push_back(plan->model);
    session->setDataSeed(flags.seed.value_or(plan->seed));
    const ModelPlan *model = session->findModel(plan->model);
    if (!model)
      return fail(diagnostics);
    for (const std::string &entry : functionsOf(*plan, *model))
      if (!llvm::is_contained(entries, entry))
        entries.push_back(entry);
  }
  auto initial = parameterFiles(*session, flags.params, models);
  if (!initial)
    return fail(diagnostics);
  flags.initial = std::move(*initial);
  if (flags.memoryLimit && !fitTrainings(*session, plans, *flags.memoryLimit))
    return fail(diagnostics);
  runOn(gpu, session->options);
  std::unique_ptr<Executable> executable =
      Executable::compile(session->module(), entries, session->options, diagnostics);
  if (!executable)
    return fail(diagnostics);
  int status = exitOk;
  for (const TrainPlan *plan : plans)
    if (int result = trainOne(*session, *executable, *plan, flags, plan == plans.front()))
      status = result;
  return status;
}

/// "500" or "500steps": so many steps; "2epochs": so many epochs.
static std::optional<Interval> toInterval(llvm::StringRef text) {
  Interval interval;
  if (text.consumeInteger(10, interval.count) || interval.count < 1)
    return std::nullopt;
  llvm::StringRef unit = text.trim();
  interval.isEpochs = unit == "epochs" || unit == "epoch";
  if (!interval.isEpochs && !unit.empty() && unit != "steps" && unit != "step")
    return std::nullopt;
  return interval;
}

static CLI::Validator interval() {
  return CLI::Validator(
      [](std::string &text) {
        return toInterval(text)
                   ? std::string()
                   : fmt::format("expected a number of steps or epochs, such as 500steps or "
                                 "2epochs, found '{}'",
                                 text);
      },
      "INTERVAL");
}

static void addCheckpointOptions(CLI::App &command, TrainFlags &flags) {
  CLI::Option *checkpoint =
      command.add_option("--checkpoint", flags.run.checkpoints,
                         "Folder for checkpoints, of which the last two are kept");
  command
      .add_option("--checkpoint-every", flags.checkpointEvery,
                  "Steps or epochs between checkpoints: 500steps, 2epochs; each epoch if not given")
      ->check(interval())
      ->needs(checkpoint);
  command.add_flag("--resume", flags.run.resume, "Go on from the last checkpoint, if there is one")
      ->needs(checkpoint);
}

void nnc::addTrainCommand(CommandLine &commandLine) {
  auto flags = std::make_shared<TrainFlags>();
  CLI::App *command =
      commandLine.add("train", "Run the train declarations of a file, then its tests", [=] {
        flags->run.checkpointEvery = toInterval(flags->checkpointEvery);
        return runTrain(*flags);
      });
  command->add_option("file", flags->file, "The .nn file")->required();
  command->add_option("--model", flags->model, "Only this model");
  command->add_option("--on", flags->data, "Only on this data");
  CLI::Option *epochs = command->add_option("--epochs", flags->run.epochs, "Passes over the data")
                            ->check(notNegative());
  command->add_option("--steps", flags->run.steps, "Steps in all")
      ->check(notNegative())
      ->excludes(epochs);
  command->add_option("--seed", flags->seed, "Seed of data, parameters and order");
  addRunTargetOption(*command, flags->target, flags->options);
  addThreadsOption(*command);
  addMemoryOption(*command, flags->memoryLimit);
  addCheckPassesFlag(*command, flags->options);
  command
      ->add_option(
          "--params", flags->params,
          "Start from these parameters (.safetensors); MODEL=FILE for each of several models")
      ->type_name("[MODEL=]FILE");
  command->add_option("--save", flags->save, "Write the trained parameters (.safetensors)");
  addCheckpointOptions(*command, *flags);
  command->add_option("--log", flags->log, "Write one JSON object a step (.jsonl)");
  command->add_option("--report", flags->page, "Write a page with curves and pictures (.html)");
  command
      ->add_option("--serve", flags->servePort,
                   "Serve that page on 127.0.0.1 while training runs; port 0: any that is free")
      ->check(between(0, 65535))
      ->type_name("PORT");
  command->add_option("--tensorboard", flags->board, "Folder for TensorBoard's event files");
  command->add_option("--history", flags->history, "Write what every step recorded (.npz)");
  command->add_option("--plot", flags->plots, "Folder for plots (SVG and PNG)");
}
