//===- TrainReport.h - What a training run shows ----------------*- C++ -*-===//
//
// Lines of text while it runs, a progress bar on a terminal, a log of one JSON object a step, event
// files for TensorBoard, a page that is served while it runs or written at the end, and plots.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_TRAINREPORT_H
#define NNC_DRIVER_TRAINREPORT_H

#include "nnc/Driver/HtmlReport.h"
#include "nnc/Driver/ReportServer.h"
#include "nnc/Driver/TensorBoardLog.h"
#include "nnc/Support/JsonLines.h"

#include <chrono>

namespace nnc {

class TrainReport {
public:
  /// `run` names the run in the log: "line on observations". `validation` may be null.
  TrainReport(std::string run, int64_t totalSteps, const Training &training,
              const Validation *validation);

  /// Appends to the log at `path` from now on.
  Status openLog(const std::string &path, bool append);
  /// Writes scalars for TensorBoard to `folder` from now on.
  Status openTensorBoard(const std::string &folder);
  /// Serves the page of the run on the loopback address from now on.
  Status serve(int port);

  /// Begins after the steps that the training has done, of which `reported` have been reported
  /// before; they are logged again.
  Status begin(int64_t reported);
  /// Prints a line about the steps since the last one, and the evaluation after them if there is
  /// one, and logs each of them.
  Status report();

  /// Whether somebody looks on, so that `showProgress` is worth an interruption.
  bool isWatched() const;
  void showProgress();

  /// Writes the page of the run.
  Status writePage(const std::string &path);

private:
  std::string describe() const;
  /// Writes what came since the last report to the files that are open.
  Status write(int64_t step);
  Status log(int64_t step);
  RunProgress progress() const;
  void showBar() const;
  void publish();

  std::string run;
  int64_t totalSteps, stepsPerEpoch, firstStep = 0, reported = 0;
  const Training &training;
  const Validation *validation;
  std::chrono::steady_clock::time_point start, published;
  std::optional<JsonLinesFile> logFile;
  std::optional<TensorBoardLog> board;
  std::unique_ptr<ReportServer> server;
};

/// Writes a plot of each loss and record, SVG and PNG, to `directory`; names begin with `prefix`.
Status plotHistory(const History &history, const std::string &directory, const std::string &prefix);

} // namespace nnc

#endif // NNC_DRIVER_TRAINREPORT_H
