//===- TrainRun.cpp - A training with all that goes with it ---------------===//
//
// Between two stops the steps run without looking up: on all the data they are one call of compiled
// code.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/TrainRun.h"

#include "nnc/Driver/TrainingCheckpoint.h"

#include <chrono>
#include <fmt/format.h>

namespace nnc {

static int64_t stepsOf(const Training &training, const TrainRunOptions &options) {
  const TrainPlan &plan = training.trainPlan();
  if (options.steps)
    return *options.steps;
  if (options.epochs)
    return *options.epochs * training.stepsPerEpoch();
  return plan.steps ? *plan.steps : plan.epochs.value_or(1) * training.stepsPerEpoch();
}

/// Steps between two reports: as the file says, else an epoch, else a tenth of all.
static int64_t reportInterval(const Training &training, int64_t total) {
  if (training.trainPlan().reportEvery)
    return *training.trainPlan().reportEvery;
  int64_t perEpoch = training.stepsPerEpoch();
  return perEpoch > 1 ? perEpoch : std::max<int64_t>(total / 10, 1);
}

TrainRun::TrainRun(Training &training, Validation *validation, TrainRunOptions options,
                   std::string program, DiagnosticEngine &diagnostics)
    : training(training), validation(validation), options(std::move(options)),
      fingerprints{std::move(program), ""}, diagnostics(diagnostics),
      total(stepsOf(training, this->options)), reportEvery(reportInterval(training, total)),
      evaluateEvery(!validation                    ? 0
                    : training.stepsPerEpoch() > 1 ? training.stepsPerEpoch()
                                                   : reportEvery) {}

//===----------------------------------------------------------------------===//
// Checkpoints
//===----------------------------------------------------------------------===//

bool TrainRun::prepare() {
  if (options.checkpoints.empty())
    return true;
  int64_t perEpoch = training.stepsPerEpoch();
  Interval every = options.checkpointEvery.value_or(perEpoch > 1 ? Interval{1, /*isEpochs=*/true}
                                                                 : Interval{reportEvery});
  checkpointEvery = every.isEpochs ? every.count * perEpoch : every.count;
  Result<CheckpointStore> opened = CheckpointStore::open(options.checkpoints);
  if (!opened) {
    diagnostics.error({}, opened.error());
    return false;
  }
  store.emplace(std::move(*opened));
  fingerprints.rows = fingerprintOf(training.trainingData().trainingRows());
  if (options.resume)
    return resume();
  std::vector<int64_t> steps = store->steps();
  if (steps.empty())
    return true;
  diagnostics.error(
      {}, Error::expectedFound("a folder without checkpoints", fmt::format("step {}", steps.back()))
              .help("'--resume' goes on from it; another folder keeps both trainings")
              .in(options.checkpoints));
  return false;
}

bool TrainRun::resume() {
  std::vector<Error> damaged;
  Result<std::optional<Checkpoint>> newest = store->readNewest(damaged);
  for (const Error &error : damaged)
    fmt::print(stderr, "{}\n", error.str());
  if (!newest) {
    diagnostics.error({}, newest.error());
    return false;
  }
  if (!*newest) {
    fmt::print("no checkpoint in {}: a new training\n", options.checkpoints);
    return true;
  }
  if (Status restored = restoreCheckpoint(training, best, **newest, fingerprints); !restored) {
    diagnostics.error({}, restored.error());
    return false;
  }
  fmt::print("{}going on from step {}\n",
             damaged.empty() ? "" : "the checkpoint before is whole: ", training.step());
  return true;
}

void TrainRun::writeCheckpoint() {
  Status written = store->write(training.step(), toCheckpoint(training, best, fingerprints));
  unsaved = !written;
  if (unsaved)
    fmt::print(stderr, "{}\n", written.error().str());
}

//===----------------------------------------------------------------------===//
// Evaluations
//===----------------------------------------------------------------------===//

/// Evaluates, and keeps the parameters if they are the best so far.
bool TrainRun::evaluate() {
  std::string error;
  std::optional<std::vector<NamedTensor>> results = validation->run(training, error);
  if (!results) {
    diagnostics.error(training.trainPlan().range, error);
    return false;
  }
  RunRecord &record = training.record();
  for (const NamedTensor &result : *results) {
    if (!findSeries(record.evaluations, result.name))
      record.evaluations.push_back({result.name, result.value.shape(), {}});
    for (Series &series : record.evaluations)
      if (series.name == result.name)
        series.append(result.value, 1);
  }
  record.evaluatedAt.push_back(training.step());
  const std::optional<KeepPlan> &keep = training.trainPlan().keep;
  if (keep && record.best(*keep) + 1 == int64_t(record.evaluatedAt.size()))
    best = std::as_const(training).state();
  return true;
}

/// Whether the last evaluations have brought nothing better.
bool TrainRun::isToStop() const {
  const TrainPlan &plan = training.trainPlan();
  if (!plan.stop || training.record().evaluatedAt.empty())
    return false;
  int64_t count = int64_t(training.record().evaluatedAt.size());
  int64_t last = training.record().best(plan.keep.value_or(KeepPlan{"loss"}), plan.stop->minDelta);
  return count - 1 - std::max<int64_t>(last, 0) >= plan.stop->patience;
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

/// The step at which something is to be done next.
int64_t TrainRun::nextStop() const {
  int64_t stop = total;
  for (int64_t every : {reportEvery, checkpointEvery, evaluateEvery})
    if (every > 0)
      stop = std::min(stop, (training.step() / every + 1) * every);
  return stop;
}

bool TrainRun::isDue(int64_t every) const {
  return every > 0 && (training.step() % every == 0 || isOver());
}

bool TrainRun::check(const Status &status) {
  if (!status)
    diagnostics.error({}, status.error());
  return bool(status);
}

/// Runs steps up to `until`, in one go unless somebody looks on: then in parts of a quarter of a
/// second or so, which gives the same.
bool TrainRun::runSteps(int64_t until, TrainReport &report) {
  using Clock = std::chrono::steady_clock;
  constexpr double atOnce = 0.25;
  while (training.step() < until) {
    bool isWatched = report.isWatched();
    Clock::time_point start = Clock::now();
    int64_t stop = isWatched ? std::min(until, training.step() + stepsAtOnce) : until;
    std::string error;
    if (!training.advance(stop, error)) {
      diagnostics.error(training.trainPlan().range, error);
      return false;
    }
    if (!isWatched || stop == until)
      continue;
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    double fitting = double(stepsAtOnce) * atOnce / std::max(seconds, 1e-6);
    stepsAtOnce = std::max<int64_t>(1, int64_t(std::min(fitting, 2.0 * double(stepsAtOnce))));
    report.showProgress();
  }
  return true;
}

/// Runs up to the next stop, and does what is due there.
bool TrainRun::advance(TrainReport &report) {
  if (!runSteps(nextStop(), report))
    return false;
  if (isDue(evaluateEvery)) {
    if (!evaluate())
      return false;
    hasStopped = isToStop();
  }
  if (isDue(reportEvery) && !check(report.report()))
    return false;
  if (isDue(checkpointEvery))
    writeCheckpoint();
  return true;
}

bool TrainRun::run(TrainReport &report) {
  hasStopped = isToStop();
  int64_t reported = isOver() ? training.step() : training.step() / reportEvery * reportEvery;
  if (!check(report.begin(reported)))
    return false;
  while (!isOver())
    if (!advance(report))
      return false;
  const TrainPlan &plan = training.trainPlan();
  if (hasStopped)
    fmt::print("stopped: {} evaluations without a better {}\n", plan.stop->patience,
               plan.keep ? plan.keep->quantity : "loss");
  if (!best.empty()) {
    int64_t index = training.record().best(*plan.keep);
    fmt::print("kept: the parameters of step {}\n", training.record().evaluatedAt[index]);
    training.state() = std::move(best);
  }
  return true;
}

} // namespace nnc
