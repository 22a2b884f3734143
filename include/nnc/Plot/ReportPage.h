//===- ReportPage.h - A training as a web page -------------------*- C++ -*-===//
//
// What a report shows (ReportPage), and the page: one HTML file that needs nothing else. Curves and
// the confusion matrix are inline SVG, pictures are PNG in the text. The same content is the body of
// a page that a running training serves, which asks for it anew every second.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_PLOT_REPORTPAGE_H
#define NNC_PLOT_REPORTPAGE_H

#include "nnc/Data/Tensor.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nnc {

/// A curve over the steps, of which the training has one point each.
struct ReportCurve {
  std::string name;
  std::vector<double> training; ///< at steps 1, 2, …
  std::vector<double> validationSteps, validation;
};

/// How often a row of class i was predicted as class j.
struct ConfusionMatrix {
  int64_t classes = 0;
  std::vector<int64_t> counts; ///< [i * classes + j]
  int64_t at(int64_t truth, int64_t predicted) const { return counts[truth * classes + predicted]; }
};

struct ReportPicture {
  Tensor pixels; ///< [height, width] or [height, width, 3], of bytes or from 0 to 1
  std::string caption;
  bool isWrong = false;
};

struct ReportPictures {
  std::string title;
  std::vector<ReportPicture> pictures;
};

struct ReportPage {
  std::string title;
  double progress = 1; ///< from 0 to 1
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<ReportCurve> curves;
  ConfusionMatrix confusion; ///< without classes: there is none
  std::vector<ReportPictures> groups;
};

/// `values` as grey or colour, from the smallest to the largest.
Tensor toPixels(const Tensor &values);

/// The content, without the page around it.
std::string renderReportBody(const ReportPage &page);
/// The page; `isLive` adds the lines that ask for `body` every second, `style` more rules of CSS.
std::string renderReportPage(const std::string &title, const std::string &body, bool isLive,
                             const std::string &style = "");

/// Text for HTML and SVG: without the characters that mean something there.
std::string escapeMarkup(std::string_view text);

} // namespace nnc

#endif // NNC_PLOT_REPORTPAGE_H
