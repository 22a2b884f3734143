//===- TrainReport.cpp - What a training run shows ------------------------===//
//
// Results go to stdout, the progress bar to stderr and only on a terminal.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/TrainReport.h"

#include "nnc/Plot/Plot.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace nnc {

Status TrainReport::openLog(const std::string &path, bool append) {
  Result<JsonLinesFile> file = append ? JsonLinesFile::append(path) : JsonLinesFile::create(path);
  if (!file)
    return file.takeError();
  logFile = std::move(*file);
  return {};
}

Status TrainReport::openTensorBoard(const std::string &folder, bool hasValidation) {
  Result<TensorBoardLog> opened = TensorBoardLog::create(folder, hasValidation);
  if (!opened)
    return opened.takeError();
  board = std::move(*opened);
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
std::string TrainReport::describe(int64_t step, const RunRecord &record) const {
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
Status TrainReport::log(int64_t step, const RunRecord &record) {
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

static std::string formatSeconds(double seconds) {
  int64_t whole = std::llround(seconds);
  return whole < 60     ? fmt::format("{} s", whole)
         : whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                        : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

void TrainReport::showProgress(int64_t step) const {
  if (!isatty(fileno(stderr)))
    return;
  double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  double rate = double(std::max<int64_t>(step - firstStep, 1)) / std::max(elapsed, 1e-9);
  int64_t all = std::max<int64_t>(totalSteps, 1);
  int filled = int(30 * step / all);
  fmt::print(stderr, "\r[{}{}] {:3}%  {:.4g} steps/s  {:.4g} examples/s  {} left \033[K\r",
             std::string(filled, '#'), std::string(30 - filled, '.'), 100 * step / all, rate,
             rate * double(rowsPerEpoch) / double(stepsPerEpoch),
             formatSeconds(double(totalSteps - step) / rate));
  if (step == totalSteps)
    fmt::print(stderr, "\r\033[K");
}

Status TrainReport::write(int64_t step, const RunRecord &record) {
  Status written = logFile ? log(step, record) : Status();
  return written && board ? board->add(record, reported, step) : written;
}

Status TrainReport::begin(int64_t step, const RunRecord &record) {
  Status written = write(step, record);
  firstStep = reported = step;
  return written;
}

Status TrainReport::report(int64_t step, const RunRecord &record) {
  fmt::print("{}\n", describe(step, record));
  std::fflush(stdout);
  if (Status written = write(step, record); !written)
    return written;
  showProgress(step);
  reported = step;
  return {};
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
