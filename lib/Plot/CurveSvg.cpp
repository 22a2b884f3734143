//===- CurveSvg.cpp - Curves of a training as SVG -------------------------===//
//
// However many steps there are, a curve has a few hundred points: of each span of steps the mean, as a
// line, and the least and the largest, as a band.
//
//===----------------------------------------------------------------------===//
#include "Markup.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace nnc {

namespace {
constexpr double width = 460, height = 240, left = 56, right = 12, top = 12, bottom = 28;
constexpr int64_t maxSpans = 300;
constexpr size_t maxDots = 60;

struct Span {
  double step, mean, low, high;
};

/// The scale of an axis: what it shows, and the places of its marks.
struct Axis {
  double low, high;
  double first = 0, distance = 1;

  Axis(double least, double most) : low(least), high(most) {
    if (!(high / 2 - low / 2 > std::abs(high) * 1e-15)) {
      double room = std::max(std::abs(low) * 0.05, 1e-12);
      low -= room;
      high += room;
    }
    double rough = high / 5 - low / 5, power = std::pow(10, std::floor(std::log10(rough)));
    double factor = rough / power;
    distance = power * (factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10);
    first = std::ceil(low / distance) * distance;
  }

  /// Few, also where the numbers of a double are farther apart than the marks.
  std::vector<double> marks() const {
    std::vector<double> places;
    for (int index = 0; index < 10; ++index)
      if (double place = first + index * distance; place <= high + distance * 1e-9)
        places.push_back(std::abs(place) < distance * 1e-9 ? 0 : place);
    return places;
  }
};
} // namespace

/// The mean of what is finite in each of at most `maxSpans` spans of steps.
static std::vector<Span> spansOf(const std::vector<double> &values) {
  int64_t count = int64_t(values.size()), spans = std::min(count, maxSpans);
  std::vector<Span> result;
  for (int64_t span = 0; span < spans; ++span) {
    int64_t first = count * span / spans, last = count * (span + 1) / spans, finite = 0;
    long double sum = 0; // Of numbers that may be near the end of a double.
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (int64_t index = first; index < last; ++index) {
      if (!std::isfinite(values[index]))
        continue;
      ++finite;
      sum += values[index];
      low = std::min(low, values[index]);
      high = std::max(high, values[index]);
    }
    if (finite)
      result.push_back({double(first + last + 1) / 2, double(sum / finite), low, high});
  }
  return result;
}

static std::string frame(const Axis &x, const Axis &y, double (*placeX)(const Axis &, double),
                         double (*placeY)(const Axis &, double)) {
  std::string svg;
  for (double mark : y.marks())
    svg += fmt::format("<path class=\"grid\" d=\"M{} {:.1f}H{}\"/><text x=\"{}\" y=\"{:.1f}\" "
                       "text-anchor=\"end\">{:.4g}</text>",
                       left, placeY(y, mark), width - right, left - 6, placeY(y, mark) + 4, mark);
  for (double mark : x.marks())
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.6g}</text>",
                       placeX(x, mark), height - 10, mark);
  return svg + fmt::format("<path class=\"axis\" d=\"M{} {}V{}H{}\"/>", left, top, height - bottom,
                           width - right);
}

std::string curveSvg(const ReportCurve &curve) {
  std::vector<Span> spans = spansOf(curve.training);
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Span &span : spans) {
    low = std::min(low, span.low);
    high = std::max(high, span.high);
  }
  double last = std::max<double>(double(curve.training.size()), 1);
  for (double value : curve.validation)
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (!(low <= high))
    low = high = 0;
  Axis x(0, last), y(low, high);
  auto placeX = [](const Axis &axis, double value) {
    return left +
           (value / 2 - axis.low / 2) / (axis.high / 2 - axis.low / 2) * (width - left - right);
  };
  auto placeY = [](const Axis &axis, double value) {
    return height - bottom -
           (value / 2 - axis.low / 2) / (axis.high / 2 - axis.low / 2) * (height - top - bottom);
  };
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\"><title>{}</title>", width,
                                height, escapeMarkup(curve.name));
  svg += frame(x, y, placeX, placeY);
  std::string band, line, path, points;
  for (const Span &span : spans)
    line += fmt::format("{:.1f},{:.1f} ", placeX(x, span.step), placeY(y, span.mean));
  for (const Span &span : spans)
    band += fmt::format("{:.1f},{:.1f} ", placeX(x, span.step), placeY(y, span.high));
  for (auto span = spans.rbegin(); span != spans.rend(); ++span)
    band += fmt::format("{:.1f},{:.1f} ", placeX(x, span->step), placeY(y, span->low));
  svg += fmt::format("<polygon class=\"band\" points=\"{}\"/><polyline class=\"training\" "
                     "points=\"{}\"/>",
                     band, line);
  for (size_t index = 0; index < curve.validation.size(); ++index)
    if (std::isfinite(curve.validation[index])) {
      double px = placeX(x, curve.validationSteps[index]), py = placeY(y, curve.validation[index]);
      points +=
          fmt::format("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/>", px, py);
      path += fmt::format("{:.1f},{:.1f} ", px, py);
    }
  if (curve.validation.size() > maxDots)
    points.clear(); // They would hide the line.
  if (!path.empty())
    svg += fmt::format("<polyline class=\"validation\" points=\"{}\"/>{}", path, points);
  return svg + "</svg>";
}

//===----------------------------------------------------------------------===//
// The confusion matrix
//===----------------------------------------------------------------------===//

std::string confusionSvg(const ConfusionMatrix &matrix) {
  int64_t classes = matrix.classes;
  double cell = std::clamp(440.0 / double(classes), 4.0, 44.0), edge = 40;
  double size = edge + cell * double(classes) + 8;
  bool hasText = cell >= 18;
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {0:.0f} {0:.0f}\" class=\"confusion\" role=\"img\">"
      "<title>confusion matrix</title><text x=\"{1:.1f}\" y=\"12\" text-anchor=\"middle\">predicted"
      "</text><text transform=\"translate(12 {1:.1f}) rotate(-90)\" text-anchor=\"middle\">truth"
      "</text>",
      size, edge + cell * double(classes) / 2);
  for (int64_t truth = 0; truth < classes; ++truth) {
    int64_t total = 0;
    for (int64_t predicted = 0; predicted < classes; ++predicted)
      total += matrix.at(truth, predicted);
    double middle = edge + (double(truth) + 0.5) * cell;
    if (hasText)
      svg += fmt::format("<text x=\"{0:.1f}\" y=\"{1:.1f}\" text-anchor=\"end\">{2}</text><text "
                         "x=\"{3:.1f}\" y=\"{0:.1f}\" text-anchor=\"middle\">{2}</text>",
                         edge - 6, middle + 4, truth, middle);
    for (int64_t predicted = 0; predicted < classes; ++predicted) {
      int64_t count = matrix.at(truth, predicted);
      double part = total ? double(count) / double(total) : 0;
      // Small numbers of mistakes should be seen: the colour grows with the root of the part.
      svg +=
          fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                      "height=\"{:.1f}\" style=\"fill-opacity:{:.3f}\"><title>{} as {}: {}</title>"
                      "</rect>",
                      truth == predicted ? "right" : "wrong", edge + double(predicted) * cell,
                      edge + double(truth) * cell, cell - 1, cell - 1, std::sqrt(part), truth,
                      predicted, count);
      if (hasText && count)
        svg += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}"
                           "</text>",
                           part > 0.4 ? "on-dark" : "", edge + (double(predicted) + 0.5) * cell,
                           middle + 4, count);
    }
  }
  return svg + "</svg>";
}

} // namespace nnc
