//===- HtmlReport.cpp - What a training shows as a page -------------------===//
//
// Curves and facts; ReportPictures.cpp finds what can be shown as a picture.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/HtmlReport.h"

#include "ReportPictures.h"

#include <cmath>
#include <fmt/format.h>

namespace nnc {

double rateOf(const RunProgress &progress, int64_t step) {
  return double(std::max<int64_t>(step - progress.firstStep, 1)) / std::max(progress.seconds, 1e-9);
}

std::string formatSeconds(double seconds) {
  int64_t whole = std::llround(std::min(seconds, 1e9));
  return seconds < 9.95 ? fmt::format("{:.1f} s", seconds)
         : whole < 60   ? fmt::format("{} s", whole)
         : whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                        : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string formatRate(double rate) {
  return rate >= 100 ? fmt::format("{:.0f}", rate) : fmt::format("{:.3g}", rate);
}

static std::vector<ReportCurve> curvesOf(const RunRecord &record) {
  std::vector<ReportCurve> curves;
  for (const Series &series : record.steps)
    if (series.isScalar())
      curves.push_back({series.name, series.values, {}, {}});
  for (const Series &series : record.evaluations) {
    if (!series.isScalar())
      continue;
    auto curve = llvm::find_if(
        curves, [&](const ReportCurve &candidate) { return candidate.name == series.name; });
    if (curve == curves.end())
      curve = curves.insert(curve, {series.name, {}, {}, {}});
    curve->validation = series.values;
    curve->validationSteps.assign(record.evaluatedAt.begin(), record.evaluatedAt.end());
  }
  return curves;
}

static void addFacts(ReportPage &page, const Training &training, const RunProgress &progress) {
  int64_t step = training.step(), perEpoch = training.stepsPerEpoch();
  page.facts.push_back({"step", fmt::format("{} of {}", step, progress.totalSteps)});
  if (perEpoch > 1)
    page.facts.push_back({"epoch", fmt::format("{:.4g}", double(step) / double(perEpoch))});
  if (step > progress.firstStep) {
    double rate = rateOf(progress, step);
    page.facts.push_back({"steps a second", formatRate(rate)});
    page.facts.push_back(
        {"examples a second",
         formatRate(rate * double(training.trainingData().dataset.numRows()) / double(perEpoch))});
    page.facts.push_back({"time", formatSeconds(progress.seconds)});
    if (!progress.isOver)
      page.facts.push_back({"left", formatSeconds(double(progress.totalSteps - step) / rate)});
  }
  const RunRecord &record = training.record();
  for (const Series &series : record.evaluations)
    if (series.isScalar() && series.length() > 0)
      page.facts.push_back(
          {"validation " + series.name, fmt::format("{:.6g}", series.values.back())});
  if (const std::optional<KeepPlan> &keep = training.trainPlan().keep)
    if (int64_t best = record.best(*keep); best >= 0)
      page.facts.push_back(
          {"best " + keep->quantity,
           fmt::format("{:.6g} at step {}",
                       findSeries(record.evaluations, keep->quantity)->values[best],
                       record.evaluatedAt[best])});
  page.facts.push_back({"seed", std::to_string(training.seedOfRun())});
}

ReportPage reportPage(const Training &training, const Validation *validation,
                      const RunProgress &progress) {
  ReportPage page;
  page.title = progress.run;
  page.progress = progress.isOver || !progress.totalSteps
                      ? 1
                      : double(training.step()) / double(progress.totalSteps);
  addFacts(page, training, progress);
  page.curves = curvesOf(training.record());
  if (validation)
    addPredictions(page, *validation);
  addFilters(page, training.state());
  return page;
}

} // namespace nnc
