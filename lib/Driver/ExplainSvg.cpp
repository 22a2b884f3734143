//===- ExplainSvg.cpp - Pictures of an explanation ------------------------===//
#include "ExplainPage.h"

#include "ExplainWords.h"
#include "nnc/Plot/ReportPage.h"

#include <cmath>

namespace nnc {
namespace {

constexpr double kWidth = 960, kHeight = 420, kLeft = 70, kRight = 15, kTop = 12, kBottom = 40;

/// Where a value lies between two others on a logarithmic axis.
struct LogAxis {
  double low, high, from, to;
  double operator()(double value) const {
    double place = std::log(value / low) / std::log(high / low);
    return from + (to - from) * std::clamp(place, 0.0, 1.0);
  }
};

std::string textAt(double x, double y, const char *anchor, const std::string &text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     escapeMarkup(text));
}

std::string lineBetween(double x1, double y1, double x2, double y2, const char *style) {
  return fmt::format(
      "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", style, x1,
      y1, x2, y2);
}

std::string openSvg(const char *style, double height) {
  return fmt::format("<svg class=\"{}\" viewBox=\"0 0 {} {:.0f}\" role=\"img\">\n", style, kWidth,
                     height);
}

/// `low` and ten times that, up to `high`.
std::vector<double> decades(double low, double high) {
  std::vector<double> values;
  double value = low;
  while (value <= high * 1.01) {
    values.push_back(value);
    value *= 10;
  }
  return values;
}

/// Lines and labels at the powers of ten.
std::string grid(const LogAxis &x, const LogAxis &y) {
  std::string svg;
  for (double value : decades(x.low, x.high))
    svg += lineBetween(x(value), y.from, x(value), y.to, "grid") +
           textAt(x(value), y.from + 16, "middle", fmt::format("{:g}", value));
  for (double value : decades(y.low, y.high))
    svg += lineBetween(x.from, y(value), x.to, y(value), "grid") +
           textAt(x.from - 6, y(value) + 4, "end", rateText(value, ""));
  svg += textAt((x.from + x.to) / 2, y.from + 34, "middle", "FLOP for each byte moved");
  return svg + textAt(x.from + 4, y.to + 10, "start", "FLOP/s");
}

/// The slope that a bandwidth allows, up to the peak.
std::string roof(const LogAxis &x, const LogAxis &y, double peak, double bandwidth,
                 const std::string &name) {
  double knee = peak / bandwidth, start = std::max(x.low, y.low / bandwidth);
  double angle = std::atan2(y(start * bandwidth) - y(knee * bandwidth), x(knee) - x(start));
  return lineBetween(x(start), y(start * bandwidth), x(knee), y(peak), "roof") +
         fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate({:.1f})\">{}</text>\n",
                     x(start * 1.3), y(start * 1.3 * bandwidth) - 4, -angle * 180 / M_PI,
                     escapeMarkup(name));
}

std::string describe(const ExplainedKernel &kernel) {
  return fmt::format("{}: line {}, {}, {}; {}, {} moved, {}", kernel.report.number,
                     kernel.place.str(), kernel.report.kind, loopsText(kernel.report),
                     countText(kernel.flops(), "FLOP"), sizeText(kernel.bytes()),
                     timeText(kernel.measured));
}

const char *classOf(const ExplainedPlace &place) {
  return place.isGradient ? "gradient" : "forward";
}

} // namespace

std::string rooflineSvg(const ExplainedEntry &entry, const MachineModel &machine) {
  const Roofline &roofline = machine.all;
  double top = std::pow(10, std::ceil(std::log10(roofline.flopsPerSecond * 1.05)));
  LogAxis x{0.01, 1000, kLeft, kWidth - kRight}, y{top / 1e4, top, kHeight - kBottom, kTop};
  std::string svg = openSvg("roofline", kHeight) + grid(x, y);
  double peak = roofline.flopsPerSecond;
  const Roofline::Level &near = roofline.levels.front(), &far = roofline.levels.back();
  svg += lineBetween(x(peak / near.bytesPerSecond), y(peak), x.to, y(peak), "roof");
  svg += textAt(x.to - 4, y(peak) - 6, "end", rateText(peak, "FLOP/s"));
  svg += roof(x, y, peak, near.bytesPerSecond,
              rateText(near.bytesPerSecond, "B/s") + " in " + sizeText(near.bytes));
  svg += roof(x, y, peak, far.bytesPerSecond, rateText(far.bytesPerSecond, "B/s") + " from memory");
  for (const ExplainedKernel &kernel : entry.kernels) {
    if (kernel.flops() == 0 || kernel.bytes() == 0 || kernel.measured.value_or(0) <= 0)
      continue;
    double share = *kernel.measured / *entry.measured;
    svg += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\">"
                       "<title>{}</title></circle>\n",
                       classOf(kernel.place), x(double(kernel.flops()) / double(kernel.bytes())),
                       y(double(kernel.flops()) / *kernel.measured), 2 + 20 * std::sqrt(share),
                       escapeMarkup(describe(kernel)));
  }
  return svg + "</svg>\n";
}

std::string arenaSvg(const ExplainedEntry &entry) {
  if (entry.arena.bytes == 0 || entry.kernels.empty())
    return "";
  double width = (kWidth - kLeft - kRight) / double(entry.kernels.size());
  double height = kHeight - kTop - kBottom;
  auto yOf = [&](int64_t offset) {
    return kTop + height * double(offset) / double(entry.arena.bytes);
  };
  std::string svg = openSvg("arena", kHeight);
  for (const ExplainedBuffer &placed : entry.buffers) {
    const WorkspaceBuffer &buffer = placed.buffer;
    if (!buffer.firstKernel || buffer.offset < 0)
      continue;
    double x = kLeft + width * double(*buffer.firstKernel);
    double w = width * double(*buffer.lastKernel - *buffer.firstKernel + 1);
    double y = yOf(buffer.offset), h = yOf(buffer.offset + buffer.bytes) - y;
    std::string name = buffer.name.empty() ? buffer.type : buffer.name + ": " + buffer.type;
    svg += fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                       "height=\"{:.2f}\"><title>{}, {}, line {}, kernels {}</title></rect>\n",
                       classOf(placed.place), x, y, w, std::max(h, 0.3), escapeMarkup(name),
                       sizeText(buffer.bytes), placed.place.str(), lifeText(buffer));
    if (h > 12 && w > 7.0 * double(name.size()))
      svg += textAt(x + 4, y + 11, "start", name);
  }
  for (int64_t part = 0; part <= 4; ++part)
    svg += textAt(kLeft - 6, yOf(entry.arena.bytes * part / 4) + 4, "end",
                  sizeText(entry.arena.bytes * part / 4));
  for (size_t kernel = 0; kernel < entry.kernels.size();
       kernel += std::max<size_t>(1, entry.kernels.size() / 12))
    svg += textAt(kLeft + width * (double(kernel) + 0.5), kHeight - kBottom + 16, "middle",
                  std::to_string(kernel));
  return svg + textAt(kWidth / 2, kHeight - 6, "middle", "kernel") + "</svg>\n";
}

} // namespace nnc
