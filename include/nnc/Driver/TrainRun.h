//===- TrainRun.h - A training with all that goes with it -------*- C++ -*-===//
//
// The loop around the steps of one training: where it stops to evaluate, to report and to write a
// checkpoint, how it goes on from one, and when it ends.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_TRAINRUN_H
#define NNC_DRIVER_TRAINRUN_H

#include "nnc/Driver/Session.h"
#include "nnc/Driver/TrainReport.h"
#include "nnc/Driver/TrainingCheckpoint.h"
#include "nnc/Driver/Validation.h"

namespace nnc {

/// So many steps or epochs.
struct Interval {
  int64_t count = 1;
  bool isEpochs = false;
};

struct TrainRunOptions {
  /// Instead of what the file says.
  std::optional<int64_t> epochs, steps;
  /// Folder for checkpoints; none if empty.
  std::string checkpoints;
  /// Each epoch, or at each report where a step sees all the data.
  std::optional<Interval> checkpointEvery;
  /// Go on from the last checkpoint, if there is one.
  bool resume = false;
};

class TrainRun {
public:
  /// `training` is initialized; `validation` may be null; `program` is the fingerprint of its
  /// functions.
  TrainRun(Training &training, Validation *validation, TrainRunOptions options, std::string program,
           DiagnosticEngine &diagnostics);

  int64_t totalSteps() const { return total; }
  /// Opens the folder of checkpoints, and goes on from one if that is asked for. False, with
  /// diagnostics, on failure.
  bool prepare();
  /// Runs the steps that are left. The training then has the parameters that are kept. False, with
  /// diagnostics, on failure.
  bool run(TrainReport &report);
  /// Whether the last checkpoint could not be written, which has been said.
  bool isUnsaved() const { return unsaved; }

private:
  bool resume();
  bool advance(TrainReport &report);
  bool runSteps(int64_t until, TrainReport &report);
  bool evaluate();
  int64_t nextStop() const;
  bool isOver() const { return training.step() >= total || hasStopped; }
  bool isDue(int64_t every) const;
  bool isToStop() const;
  void writeCheckpoint();
  bool check(const Status &status);

  Training &training;
  Validation *validation;
  TrainRunOptions options;
  Fingerprints fingerprints;
  DiagnosticEngine &diagnostics;
  std::optional<CheckpointStore> store;
  int64_t total, reportEvery, evaluateEvery, checkpointEvery = 0;
  State best;               ///< what `keep` keeps
  int64_t stepsAtOnce = 16; ///< while somebody looks on
  bool hasStopped = false, unsaved = false;
};

} // namespace nnc

#endif // NNC_DRIVER_TRAINRUN_H
