//===- TrainReport.cpp - What a training run shows ------------------------===//
//
// Results go to stdout, the progress bar to stderr and only on a terminal.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/TrainReport.h"

#include "nnc/Plot/Plot.h"

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

/// The mean of a scalar series over steps [first, last).
static double meanOver(const Series &series, int64_t first, int64_t last) {
  double sum = 0;
  for (int64_t step = first; step < last; ++step)
    sum += series.values[step];
  return sum / double(last - first);
}

/// On batches each number is the mean over the steps since the last line; on all the data it is the
/// last step's.
std::string TrainReport::describe(int64_t step, const History &history) const {
  std::string text = stepsPerEpoch > 1 && step % stepsPerEpoch == 0
                         ? fmt::format("epoch {:>4}  step {:>7}", step / stepsPerEpoch, step)
                         : fmt::format("step {:>7}", step);
  for (const Series &series : history) {
    if (series.width() != 1)
      continue;
    double value = stepsPerEpoch > 1 ? meanOver(series, reported, step) : series.values[step - 1];
    text += fmt::format("  {} {:<10.6g}", series.name, value);
  }
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

Status TrainReport::log(int64_t step, const History &history) {
  constexpr size_t linesPerWrite = 4096;
  std::vector<JsonRecord> records;
  for (int64_t index = reported; index < step; ++index) {
    if (records.size() == linesPerWrite) {
      if (Status written = logFile->write(records); !written)
        return written;
      records.clear();
    }
    JsonRecord &record = records.emplace_back();
    record.add("run", run).add("step", index + 1);
    if (stepsPerEpoch > 1)
      record.add("epoch", index / stepsPerEpoch + 1);
    for (const Series &series : history) {
      auto first = series.values.begin() + index * series.width();
      if (series.shape.empty())
        record.add(series.name, *first);
      else
        record.add(series.name, std::vector<double>(first, first + series.width()));
    }
  }
  return logFile->write(records);
}

void TrainReport::showProgress(int64_t step) const {
  if (!isatty(fileno(stderr)))
    return;
  double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  int64_t done = std::max<int64_t>(step - firstStep, 1);
  double left = elapsed / double(done) * double(totalSteps - step);
  int filled = int(30 * step / std::max<int64_t>(totalSteps, 1));
  fmt::print(stderr, "\r[{}{}] {:3}%  {:.0f} steps/s  {:.0f} s left \r", std::string(filled, '#'),
             std::string(30 - filled, '.'), 100 * step / std::max<int64_t>(totalSteps, 1),
             double(done) / elapsed, left);
  if (step == totalSteps)
    fmt::print(stderr, "\r{:80}\r", "");
}

Status TrainReport::begin(int64_t step, const History &history) {
  Status logged = logFile && step > 0 ? log(step, history) : Status();
  firstStep = reported = step;
  return logged;
}

Status TrainReport::report(int64_t step, const History &history) {
  fmt::print("{}\n", describe(step, history));
  std::fflush(stdout);
  if (logFile)
    if (Status logged = log(step, history); !logged)
      return logged;
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
