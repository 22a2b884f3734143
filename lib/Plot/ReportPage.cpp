//===- ReportPage.cpp - A training as a web page --------------------------===//
//
// Text in, text out: the same content gives the same bytes.
//
//===----------------------------------------------------------------------===//
#include "nnc/Plot/ReportPage.h"
#include "Markup.h"

#include <algorithm>
#include <fmt/format.h>

namespace nnc {

std::string escapeMarkup(std::string_view text) {
  std::string result;
  for (char c : text)
    switch (c) {
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '&':
      result += "&amp;";
      break;
    case '"':
      result += "&quot;";
      break;
    default:
      result += c;
    }
  return result;
}

static constexpr const char *pageStyle = R"(
:root { color-scheme: light dark; --ink: #1f2933; --soft: #6b7785; --line: #d8dee5; --back: #ffffff;
  --training: #2f6fb3; --validation: #d9622b; --right: #2f6fb3; --wrong: #c23b3b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --soft: #9aa6b2; --line: #3a444e;
  --back: #171c21; --training: #6aa7e0; --validation: #f08c56; --right: #4b8cd0; --wrong: #dd6464; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back);
  max-width: 1000px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: .95rem; margin: 0 0 .25rem; font-weight: 600; }
.progress { height: 6px; border-radius: 3px; background: var(--line); overflow: hidden; }
.progress div { height: 100%; background: var(--training); }
dl { display: flex; flex-wrap: wrap; gap: .25rem 2rem; margin: .75rem 0; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-variant-numeric: tabular-nums; }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 1.5rem; }
.legend { color: var(--soft); font-size: .85rem; margin: 0 0 .75rem; } .legend b { font-weight: 600; }
.legend .t { color: var(--training); } .legend .v { color: var(--validation); }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 11px; }
svg.confusion { max-width: 520px; } svg text.on-dark { fill: #ffffff; }
.grid { stroke: var(--line); stroke-width: .6; } .axis { stroke: var(--soft); fill: none; }
.band { fill: var(--training); opacity: .18; } .training, .validation { fill: none; stroke-width: 1.6; }
.training { stroke: var(--training); } .validation { stroke: var(--validation); }
.dot { fill: var(--validation); } .right { fill: var(--right); } .wrong { fill: var(--wrong); }
.pictures { display: flex; flex-wrap: wrap; gap: .75rem; } figure { margin: 0; text-align: center; }
.pictures img { width: 64px; image-rendering: pixelated; border: 1px solid var(--line); display: block; }
figcaption { font-size: .8rem; color: var(--soft); } .miss figcaption { color: var(--wrong); }
.miss img { border-color: var(--wrong); } #note { color: var(--soft); }
)";

/// Asks for the content once a second, one question at a time, and says when nobody answers.
static constexpr const char *script = R"(<script>
async function refresh() {
  try {
    const answer = await fetch("body", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    document.querySelector("main").innerHTML = await answer.text();
    document.getElementById("note").textContent = "";
  } catch (error) {
    document.getElementById("note").textContent = "The training has ended; this is what it last showed.";
  }
  setTimeout(refresh, 1000);
}
setTimeout(refresh, 1000);
</script>
)";

static std::string renderCurves(const ReportPage &page) {
  if (page.curves.empty())
    return "";
  bool hasValidation = std::any_of(page.curves.begin(), page.curves.end(),
                                   [](const auto &curve) { return !curve.validation.empty(); });
  std::string html =
      "<h2>Curves</h2>\n<p class=\"legend\"><b class=\"t\">training</b>, mean and range "
      "over the steps";
  html += hasValidation ? "; <b class=\"v\">validation</b></p>\n" : "</p>\n";
  html += "<div class=\"curves\">\n";
  for (const ReportCurve &curve : page.curves)
    html += fmt::format("<section><h3>{}</h3>{}</section>\n", escapeMarkup(curve.name),
                        curveSvg(curve));
  return html + "</div>\n";
}

static std::string renderGroup(const ReportPictures &group) {
  std::string html =
      fmt::format("<h2>{}</h2>\n<div class=\"pictures\">\n", escapeMarkup(group.title));
  for (const ReportPicture &picture : group.pictures) {
    html += fmt::format("<figure{}><img alt=\"{}\" src=\"data:image/png;base64,{}\">",
                        picture.isWrong ? " class=\"miss\"" : "", escapeMarkup(picture.caption),
                        encodeBase64(encodePng(picture.pixels)));
    if (!picture.caption.empty())
      html += fmt::format("<figcaption>{}</figcaption>", escapeMarkup(picture.caption));
    html += "</figure>\n";
  }
  return html + "</div>\n";
}

std::string renderReportBody(const ReportPage &page) {
  std::string html =
      fmt::format("<h1>{}</h1>\n<div class=\"progress\"><div style=\"width:{:.1f}%\">"
                  "</div></div>\n<dl>\n",
                  escapeMarkup(page.title), 100 * page.progress);
  for (const auto &[name, value] : page.facts)
    html +=
        fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escapeMarkup(name), escapeMarkup(value));
  html += "</dl>\n" + renderCurves(page);
  if (page.confusion.classes)
    html +=
        "<h2>Confusion matrix of the validation data</h2>\n" + confusionSvg(page.confusion) + "\n";
  for (const ReportPictures &group : page.groups)
    html += renderGroup(group);
  return html;
}

std::string renderReportPage(const std::string &title, const std::string &body, bool isLive,
                             const std::string &style) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{}{}</style>\n"
      "</head>\n<body>\n<main>\n{}</main>\n<p id=\"note\"></p>\n{}</body>\n</html>\n",
      escapeMarkup(title), pageStyle, style, body, isLive ? script : "");
}

} // namespace nnc
