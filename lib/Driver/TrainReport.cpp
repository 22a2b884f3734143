//===- TrainReport.cpp - What a training run shows ------------------------===//
//
// Results go to stdout, the progress bar to stderr and only on a terminal.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/TrainReport.h"

#include "nnc/Plot/Plot.h"
#include "nnc/Support/File.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace nnc {

TrainReport::TrainReport(std::string run, int64_t totalSteps, const Training &training,
                         const Validation *validation)
    : run(std::move(run)), totalSteps(totalSteps), stepsPerEpoch(training.stepsPerEpoch()),
      training(training), validation(validation), start(std::chrono::steady_clock::now()) {}

Status TrainReport::openLog(const std::string &path, bool append) {
  Result<JsonLinesFile> file = append ? JsonLinesFile::append(path) : JsonLinesFile::create(path);
  if (!file)
    return file.takeError();
  logFile = std::move(*file);
  return {};
}

Status TrainReport::openTensorBoard(const std::string &folder) {
  Result<TensorBoardLog> opened = TensorBoardLog::create(folder, validation);
  if (!opened)
    return opened.takeError();
  board = std::move(*opened);
  return {};
}

Status TrainReport::serve(int port) {
  Result<std::unique_ptr<ReportServer>> started = ReportServer::start(port, run);
  if (!started)
    return started.takeError();
  server = std::move(*started);
  fmt::print("serving http://127.0.0.1:{}/\n", server->port());
  std::fflush(stdout);
  return {};
}

/// The mean of a scalar series over steps [first, last).
static double meanOver(const Series &series, int64_t first, int64_t last) {
  double sum = 0;
  for (int64_t step = first; step < last; ++step)
    sum += series.values[step];
  return sum / double(last - first);
}

/// "loss 0.5  accuracy 0.9", of the scalar series.
template <typename ValueOf> static std::string describe(const History &history, ValueOf valueOf) {
  std::string text;
  for (const Series &series : history)
    if (series.width() == 1)
      text += fmt::format("  {} {:<10.6g}", series.name, valueOf(series));
  return text;
}

/// On batches each number is the mean over the steps since the last line; on all the data it is the
/// last step's.
std::string TrainReport::describe() const {
  const RunRecord &record = training.record();
  int64_t step = training.step();
  std::string text = stepsPerEpoch > 1 && step % stepsPerEpoch == 0
                         ? fmt::format("epoch {:>4}  step {:>7}", step / stepsPerEpoch, step)
                         : fmt::format("step {:>7}", step);
  text += nnc::describe(record.steps, [&](const Series &series) {
    return stepsPerEpoch > 1 ? meanOver(series, reported, step) : series.values[step - 1];
  });
  if (!record.evaluatedAt.empty() && record.evaluatedAt.back() == step)
    text += "  validation" + nnc::describe(record.evaluations, [](const Series &series) {
              return series.values.back();
            });
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

static void addValue(JsonRecord &record, const std::string &name, const Series &series,
                     int64_t index) {
  auto first = series.values.begin() + index * series.width();
  if (series.isScalar())
    record.add(name, *first);
  else
    record.add(name, std::vector<double>(first, first + series.width()));
}

/// A line for each step, and one for each evaluation behind that of its step.
Status TrainReport::log(int64_t step) {
  const RunRecord &record = training.record();
  constexpr size_t linesPerWrite = 4096;
  std::vector<JsonRecord> lines;
  auto addLine = [&](int64_t after) -> JsonRecord & {
    JsonRecord &line = lines.emplace_back();
    line.add("run", run).add("step", after);
    if (stepsPerEpoch > 1)
      line.add("epoch", (after - 1) / stepsPerEpoch + 1);
    return line;
  };
  auto evaluated = std::upper_bound(record.evaluatedAt.begin(), record.evaluatedAt.end(), reported);
  for (int64_t index = reported; index < step; ++index) {
    JsonRecord &line = addLine(index + 1);
    for (const Series &series : record.steps)
      addValue(line, series.name, series, index);
    if (evaluated != record.evaluatedAt.end() && *evaluated == index + 1) {
      JsonRecord &evaluation = addLine(index + 1);
      for (const Series &series : record.evaluations)
        addValue(evaluation, "validation." + series.name, series,
                 evaluated - record.evaluatedAt.begin());
      ++evaluated;
    }
    if (lines.size() < linesPerWrite && index + 1 < step)
      continue;
    if (Status written = logFile->write(lines); !written)
      return written;
    lines.clear();
  }
  return {};
}

RunProgress TrainReport::progress() const {
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {run, totalSteps, firstStep, seconds, training.step() >= totalSteps};
}

void TrainReport::showBar() const {
  RunProgress now = progress();
  int64_t step = training.step(), all = std::max<int64_t>(totalSteps, 1);
  int filled = int(30 * step / all);
  double rate = rateOf(now, step);
  int64_t rows = training.trainingData().dataset.numRows();
  fmt::print(stderr, "\r[{}{}] {:3}%  {} steps/s  {} examples/s  {} left\033[K\r",
             std::string(filled, '#'), std::string(30 - filled, '.'), 100 * step / all,
             formatRate(rate), formatRate(rate * double(rows) / double(stepsPerEpoch)),
             formatSeconds(double(totalSteps - step) / rate));
}

bool TrainReport::isWatched() const { return isatty(fileno(stderr)) || server; }

/// Hands the server what there is now: not more often than an eye can follow, and rarely while nobody
/// asks.
void TrainReport::publish() {
  if (!server)
    return;
  auto now = std::chrono::steady_clock::now();
  auto interval = std::chrono::milliseconds(server->isWatched() ? 250 : 2000);
  if (now - published < interval && training.step() < totalSteps)
    return;
  server->publish(reportPage(training, validation, progress()));
  published = now;
}

void TrainReport::showProgress() {
  if (isatty(fileno(stderr)))
    showBar();
  publish();
}

Status TrainReport::write(int64_t step) {
  Status written = logFile ? log(step) : Status();
  return written && board ? board->add(training.record(), reported, step) : written;
}

Status TrainReport::begin(int64_t reportedBefore) {
  Status written = write(reportedBefore);
  reported = reportedBefore;
  firstStep = training.step();
  start = std::chrono::steady_clock::now();
  publish();
  return written;
}

Status TrainReport::report() {
  if (isatty(fileno(stderr)))
    fmt::print(stderr, "\r\033[K");
  fmt::print("{}\n", describe());
  std::fflush(stdout);
  if (Status written = write(training.step()); !written)
    return written;
  reported = training.step();
  publish();
  if (isatty(fileno(stderr)) && reported < totalSteps)
    showBar();
  return {};
}

Status TrainReport::writePage(const std::string &path) {
  RunProgress now = progress();
  now.isOver = true;
  std::string body = renderReportBody(reportPage(training, validation, now));
  return writeFileAtomically(path, renderReportPage(run, body, /*isLive=*/false));
}

/// One record for a scalar series, one for each element of a tensor series.
static std::vector<PlotRecord> toRecords(const Series &series) {
  std::vector<PlotRecord> records(series.width());
  for (int64_t element = 0; element < series.width(); ++element) {
    records[element].name =
        series.width() == 1 ? series.name : fmt::format("{}[{}]", series.name, element);
    for (int64_t step = 0; step < series.length(); ++step)
      records[element].values.push_back(series.values[step * series.width() + element]);
  }
  return records;
}

static Status writeBoth(const PlotSpec &spec, const std::filesystem::path &base) {
  for (const char *extension : {".svg", ".png"})
    if (Status written = writePlot(spec, base.string() + extension); !written)
      return written;
  return {};
}

Status plotHistory(const History &history, const std::string &directory,
                   const std::string &prefix) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  std::filesystem::path base = std::filesystem::path(directory) / prefix;
  std::vector<PlotRecord> scalars;
  for (const Series &series : history) {
    if (series.width() == 1) {
      scalars.push_back(toRecords(series).front());
      continue;
    }
    if (series.width() > 16)
      continue; // Curves of many parameters hide each other.
    if (Status written = writeBoth(parameterPathPlot(series.name, toRecords(series)),
                                   base.string() + "-" + series.name);
        !written)
      return written;
  }
  return scalars.empty() ? Status()
                         : writeBoth(recordsPlot("training", scalars), base.string() + "-training");
}

} // namespace nnc
