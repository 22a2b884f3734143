//===- ExplainPage.cpp - An explanation as a web page ---------------------===//
//
// One file that needs nothing else: the program with what each line costs, the roofline, the map of the
// workspace, the kernels, what passes decided, and how long they took.
//
//===----------------------------------------------------------------------===//
#include "ExplainPage.h"

#include "ExplainWords.h"
#include "nnc/Plot/ReportPage.h"

#include "llvm/Support/Path.h"

namespace nnc {
namespace {

constexpr const char *kStyle = R"(
body { max-width: 1280px; } table { border-collapse: collapse; font-size: .85rem; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--soft); } th, td { padding: .1rem .5rem; }
td { border-top: 1px solid var(--line); font-variant-numeric: tabular-nums; white-space: nowrap; }
td.n, th.n { text-align: right; } td.code { font: 12.5px/1.5 ui-monospace, monospace; white-space: pre;
  max-width: 520px; overflow: hidden; text-overflow: ellipsis; } tr.idle td { color: var(--soft); }
td.wide { white-space: normal; }
.bar { display: flex; width: 130px; height: 10px; } .bar i { display: block; height: 100%; }
i.forward { background: var(--training); } i.gradient { background: var(--validation); }
svg .forward { fill: var(--training); } svg .gradient { fill: var(--validation); }
svg circle { fill-opacity: .55; } svg .roof { stroke: var(--ink); stroke-width: 1.4; }
svg.arena rect { fill-opacity: .55; stroke: var(--back); stroke-width: .4; }
svg.arena text { fill: var(--ink); } .legend b.f { color: var(--training); }
.legend b.g { color: var(--validation); } details { margin: .75rem 0; } summary { cursor: pointer; }
.scroll { overflow-x: auto; }
)";

constexpr const char *kLegend = "<p class=\"legend\"><b class=\"f\">forward</b> and "
                                "<b class=\"g\">gradient</b>{}</p>\n";

std::string cell(const std::string &text, const char *style = "n") {
  return fmt::format("<td class=\"{}\">{}</td>", style, escapeMarkup(text));
}

std::string header(std::initializer_list<const char *> left,
                   std::initializer_list<const char *> right) {
  std::string html = "<tr>";
  for (const char *name : left)
    html += fmt::format("<th>{}</th>", name);
  for (const char *name : right)
    html += fmt::format("<th class=\"n\">{}</th>", name);
  return html;
}

std::string facts(const Explanation &explanation, const ExplainedEntry &entry) {
  std::vector<std::pair<std::string, std::string>> facts = {
      {"processor", explanation.cpu},
      {"arithmetic", countText(entry.flops(), "FLOP")},
      {"moved", sizeText(entry.bytes())},
      {"kernels", std::to_string(entry.kernels.size())}};
  if (std::string sizes = sizesText(entry); !sizes.empty())
    facts.insert(facts.begin(), {"sizes", sizes.substr(2)});
  if (explanation.machine)
    facts.push_back({"threads", std::to_string(explanation.machine->threads)});
  if (entry.measured) {
    facts.push_back({"measured", timeText(entry.measured)});
    facts.push_back({"rate", rateText(double(entry.flops()) / *entry.measured, "FLOP/s")});
    facts.push_back({"of the roofline", shareText(entry.predicted, entry.measured)});
  }
  facts.push_back({"workspace", sizeText(entry.arena.bytes)});
  facts.push_back({"parameters", sizeText(entry.parameterBytes)});
  facts.push_back({"states", sizeText(entry.stateBytes)});
  std::string html = "<dl>\n";
  for (const auto &[name, value] : facts)
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, escapeMarkup(value));
  return html + "</dl>\n";
}

/// What decides how long a bar is: time or, without any, FLOPs.
double weightOf(const ExplainedEntry &entry, const ExplainedLine &line) {
  return entry.measured ? line.measured.value_or(0) : double(line.flops);
}

std::string bar(double forward, double gradient, double longest) {
  double scale = longest > 0 ? 100 / longest : 0;
  return fmt::format("<td><div class=\"bar\"><i class=\"forward\" style=\"width:{:.1f}%\"></i>"
                     "<i class=\"gradient\" style=\"width:{:.1f}%\"></i></div></td>",
                     forward * scale, gradient * scale);
}

/// What a line costs, forward and as a gradient.
std::string lineCells(const ExplainedEntry &entry, const ExplainedLine &forward,
                      const ExplainedLine &gradient, double longest) {
  double predicted = forward.predicted.value_or(0) + gradient.predicted.value_or(0);
  double measured = forward.measured.value_or(0) + gradient.measured.value_or(0);
  std::string html = bar(weightOf(entry, forward), weightOf(entry, gradient), longest);
  html += cell(entry.measured ? shareText(measured, entry.measured) : "");
  return html + cell(countText(forward.flops + gradient.flops)) +
         cell(sizeText(forward.bytes + gradient.bytes)) + cell(timeText(forward.measured)) +
         cell(timeText(gradient.measured)) +
         cell(entry.measured ? shareText(predicted, measured) : "-");
}

std::string linesTable(const Explanation &explanation, const ExplainedEntry &entry) {
  std::map<ExplainedPlace, ExplainedLine> lines;
  std::map<std::pair<std::string, unsigned>, double> weights;
  double longest = 0;
  for (const ExplainedLine &line : entry.lines) {
    lines[line.place] = line;
    longest =
        std::max(longest, weights[{line.place.file, line.place.line}] += weightOf(entry, line));
  }
  std::string html =
      "<h2>Lines</h2>\n" + fmt::format(fmt::runtime(kLegend), "") +
      "<div class=\"scroll\"><table>\n" +
      header({"", "", "", ""}, {"FLOP", "moved", "forward", "gradient", "roofline"}) + "</tr>\n";
  for (const auto &[file, text] : explanation.texts) {
    if (!file.empty())
      html += fmt::format("<tr><td></td><th>{}</th></tr>\n",
                          escapeMarkup(llvm::sys::path::filename(file).str()));
    for (unsigned number = 1; number <= text.size(); ++number) {
      bool isIdle = !weights.count({file, number});
      // Of what is imported, the lines that do something.
      if (isIdle && !file.empty())
        continue;
      html += fmt::format("<tr{}>{}{}{}</tr>\n", isIdle ? " class=\"idle\"" : "",
                          cell(std::to_string(number)), cell(text[number - 1], "code"),
                          isIdle ? "<td></td><td></td><td></td><td></td><td></td><td></td><td></td>"
                                 : lineCells(entry, lines[{file, number, false}],
                                             lines[{file, number, true}], longest));
    }
  }
  return html + "</table></div>\n";
}

std::string kernelRows(const ExplainedEntry &entry,
                       const std::vector<const ExplainedKernel *> &kernels) {
  double longest = 0;
  for (const ExplainedKernel *kernel : kernels)
    longest = std::max(longest, kernel->measured.value_or(0));
  std::string html = "<div class=\"scroll\"><table>\n" +
                     header({"", "line", "kernel", "loops", "tile", ""},
                            {"measured", "predicted", "roofline", "FLOP", "moved", "parts"}) +
                     "<th>limit</th><th>writes</th><th>operations</th></tr>\n";
  for (const ExplainedKernel *kernel : kernels) {
    const KernelReport &report = kernel->report;
    double time = kernel->measured.value_or(0);
    bool isGradient = kernel->place.isGradient;
    html += "<tr>" + cell(std::to_string(report.number)) + cell(kernel->place.str(), "") +
            cell(report.kind, "") + cell(loopsText(report), "") + cell(tileText(report), "") +
            bar(isGradient ? 0 : time, isGradient ? time : 0, longest) +
            cell(timeText(kernel->measured)) + cell(timeText(kernel->predicted)) +
            cell(shareText(kernel->predicted, kernel->measured)) +
            cell(countText(kernel->flops())) + cell(sizeText(kernel->bytes())) +
            cell(std::to_string(report.parts)) + cell(kernel->bound, "") +
            cell(shortened(writesText(report), 32), "") +
            cell(shortened(llvm::join(report.operations, " "), 40), "") + "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::string kernelTables(const ExplainedEntry &entry) {
  constexpr size_t kShown = 20;
  std::vector<const ExplainedKernel *> all;
  for (const ExplainedKernel &kernel : entry.kernels)
    all.push_back(&kernel);
  std::string html = "<h2>Kernels</h2>\n";
  if (all.size() <= kShown)
    return html + kernelRows(entry, all);
  std::vector<const ExplainedKernel *> dearest = all;
  llvm::sort(dearest, [](const ExplainedKernel *left, const ExplainedKernel *right) {
    auto weigh = [](const ExplainedKernel *kernel) {
      return std::tuple(-kernel->measured.value_or(0), -kernel->flops(), kernel->report.number);
    };
    return weigh(left) < weigh(right);
  });
  dearest.resize(kShown);
  return html + fmt::format("<h3>The {} that take the most</h3>\n", kShown) +
         kernelRows(entry, dearest) +
         fmt::format("<details><summary>All {}, in order</summary>\n", all.size()) +
         kernelRows(entry, all) + "</details>\n";
}

std::string remarksTable(const ExplainedEntry &entry) {
  if (entry.remarks.empty())
    return "";
  std::string html = "<h2>Decisions</h2>\n<table>\n" + header({"line", "pass", ""}, {}) + "</tr>\n";
  for (const ExplainedRemark &remark : entry.remarks)
    html += "<tr>" + cell(remark.place.str(), "") + cell(remark.pass, "") +
            cell(remarkText(remark), "wide") + "</tr>\n";
  return html + "</table>\n";
}

std::string phasesTable(const ExplainedEntry &entry) {
  std::vector<std::pair<std::string, double>> phases;
  double longest = 0;
  for (const PassTime &pass : entry.passes) {
    if (phases.empty() || phases.back().first != pass.phase)
      phases.push_back({pass.phase, 0});
    phases.back().second += double(pass.end - pass.begin) * 1e-9;
    longest = std::max(longest, phases.back().second);
  }
  std::string html = "<h2>Compilation</h2>\n<table>\n";
  for (const auto &[phase, seconds] : phases)
    html +=
        "<tr>" + cell(phase, "") + cell(timeText(seconds)) + bar(seconds, 0, longest) + "</tr>\n";
  return html + "</table>\n";
}

} // namespace

std::string renderExplanationPage(const Explanation &explanation) {
  std::string body;
  for (const ExplainedEntry &entry : explanation.entries) {
    body += fmt::format("<h1>{} of {}</h1>\n", escapeMarkup(entry.name),
                        escapeMarkup(explanation.file));
    body += facts(explanation, entry) + linesTable(explanation, entry);
    if (explanation.machine && entry.measured)
      body += "<h2>Roofline</h2>\n" +
              fmt::format(fmt::runtime(kLegend), "; the larger, the more time") +
              rooflineSvg(entry, *explanation.machine);
    if (std::string map = arenaSvg(entry); !map.empty())
      body +=
          fmt::format("<h2>Workspace</h2>\n<p class=\"legend\">{} in all, at most {} in use at a "
                      "time{}; <b class=\"f\">forward</b> and <b class=\"g\">gradient</b></p>\n",
                      sizeText(entry.arena.bytes), sizeText(entry.arena.leastBytes),
                      escapeMarkup(fullestText(entry))) +
          map;
    body += kernelTables(entry) + remarksTable(entry) + phasesTable(entry);
  }
  return renderReportPage(explanation.file + ", explained", body, /*isLive=*/false, kStyle);
}

} // namespace nnc
