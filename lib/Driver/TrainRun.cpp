//===- TrainRun.cpp - A training with all that goes with it ---------------===//
//
// Between two stops the steps run without looking up: on all the data they are one call of compiled
// code.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/TrainRun.h"

#include "nnc/Driver/TrainingCheckpoint.h"

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

TrainRun::TrainRun(Training &training, TrainRunOptions options, std::string program,
                   DiagnosticEngine &diagnostics)
    : training(training), options(std::move(options)), program(std::move(program)),
      diagnostics(diagnostics), total(stepsOf(training, this->options)),
      reportEvery(reportInterval(training, total)) {}

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
  if (Status restored = restoreCheckpoint(training, **newest, program); !restored) {
    diagnostics.error({}, restored.error());
    return false;
  }
  fmt::print("{}going on from step {}\n",
             damaged.empty() ? "" : "the checkpoint before is whole: ", training.step());
  return true;
}

void TrainRun::writeCheckpoint() {
  Status written = store->write(training.step(), toCheckpoint(training, program));
  unsaved = !written;
  if (unsaved)
    fmt::print(stderr, "{}\n", written.error().str());
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

/// The step at which something is to be done next.
int64_t TrainRun::nextStop() const {
  int64_t stop = total;
  for (int64_t every : {reportEvery, checkpointEvery})
    if (every > 0)
      stop = std::min(stop, (training.step() / every + 1) * every);
  return stop;
}

bool TrainRun::isDue(int64_t every) const {
  return every > 0 && (training.step() % every == 0 || training.step() == total);
}

bool TrainRun::run(TrainReport &report) {
  auto check = [&](const Status &status) {
    if (!status)
      diagnostics.error({}, status.error());
    return bool(status);
  };
  int64_t reported = training.step() == total ? total : training.step() / reportEvery * reportEvery;
  if (!check(report.begin(reported, training.history())))
    return false;
  while (training.step() < total) {
    std::string error;
    if (!training.advance(nextStop(), error)) {
      diagnostics.error(training.trainPlan().range, error);
      return false;
    }
    if (isDue(reportEvery) && !check(report.report(training.step(), training.history())))
      return false;
    if (isDue(checkpointEvery))
      writeCheckpoint();
  }
  return true;
}

} // namespace nnc
