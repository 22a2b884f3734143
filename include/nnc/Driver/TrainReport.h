//===- TrainReport.h - What a training run shows ----------------*- C++ -*-===//
//
// Lines of text while it runs, a progress bar on a terminal, a log of one JSON object a step, and
// plots at the end.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_TRAINREPORT_H
#define NNC_DRIVER_TRAINREPORT_H

#include "nnc/Driver/TensorBoardLog.h"
#include "nnc/Driver/Training.h"
#include "nnc/Support/JsonLines.h"

#include <chrono>

namespace nnc {

class TrainReport {
public:
  /// `run` names the run in the log: "line on observations".
  TrainReport(std::string run, int64_t totalSteps, int64_t stepsPerEpoch, int64_t rowsPerEpoch)
      : run(std::move(run)), totalSteps(totalSteps), stepsPerEpoch(stepsPerEpoch),
        rowsPerEpoch(rowsPerEpoch), start(std::chrono::steady_clock::now()) {}

  /// Appends to the log at `path` from now on.
  Status openLog(const std::string &path, bool append);

  /// Writes scalars for TensorBoard to `folder` from now on.
  Status openTensorBoard(const std::string &folder, bool hasValidation);

  /// Begins after `step` steps, which have been reported before; they are logged again.
  Status begin(int64_t step, const RunRecord &record);

  /// Prints a line about the steps since the last one, and the evaluation after them if there is
  /// one, and logs each of them.
  Status report(int64_t step, const RunRecord &record);

private:
  std::string describe(int64_t step, const RunRecord &record) const;
  /// Writes what came since the last report to the files that are open.
  Status write(int64_t step, const RunRecord &record);
  Status log(int64_t step, const RunRecord &record);
  void showProgress(int64_t step) const;

  std::string run;
  int64_t totalSteps, stepsPerEpoch, rowsPerEpoch, firstStep = 0, reported = 0;
  std::chrono::steady_clock::time_point start;
  std::optional<JsonLinesFile> logFile;
  std::optional<TensorBoardLog> board;
};

/// Writes a plot of each loss and record, SVG and PNG, to `directory`; names begin with `prefix`.
Status plotHistory(const History &history, const std::string &directory, const std::string &prefix);

} // namespace nnc

#endif // NNC_DRIVER_TRAINREPORT_H
