//===- ReportPageTest.cpp - A training as a web page ----------------------===//
//
// Whatever numbers a training gives, the page has no number that is none, and no text that is markup.
//
//===----------------------------------------------------------------------===//
#include "nnc/Plot/ReportPage.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace nnc;
using testing::HasSubstr;
using testing::Not;

static constexpr double notANumber = std::numeric_limits<double>::quiet_NaN(),
                        infinity = std::numeric_limits<double>::infinity();

static std::string curve(std::vector<double> training, std::vector<double> steps = {},
                         std::vector<double> validation = {}) {
  ReportPage page;
  page.curves.push_back({"loss", std::move(training), std::move(steps), std::move(validation)});
  return renderReportBody(page);
}

TEST(ReportPage, DrawsWhatIsFinite) {
  for (const std::string &page :
       {curve({}), curve({1}), curve({0, 0, 0}), curve({notANumber, notANumber}),
        curve({1, notANumber, infinity, 2}), curve({-infinity}), curve({1.7e308, -1.7e308}),
        curve({1e16, 1e16 + 2}), curve({1e-300, 2e-300}), curve({}, {1, 2}, {notANumber, 3}),
        curve({1, 2}, {2}, {infinity})}) {
    EXPECT_THAT(page, HasSubstr("<svg"));
    for (const char *number : {"nan", "inf"})
      EXPECT_THAT(page, Not(HasSubstr(number)));
  }
}

TEST(ReportPage, KeepsPeaksOfLongCurves) {
  std::vector<double> values(100000, 1);
  values[54321] = 1000;
  std::string page = curve(values);
  EXPECT_LT(page.size(), 40000u);
  EXPECT_THAT(page, HasSubstr(">1000</text>")); // The mark at the height of the peak.
}

TEST(ReportPage, EscapesText) {
  ReportPage page;
  page.title = "a<b> & \"c\"";
  page.facts.push_back({"<script>", "1 < 2"});
  std::string body = renderReportBody(page);
  EXPECT_THAT(body, HasSubstr("<h1>a&lt;b&gt; &amp; &quot;c&quot;</h1>"));
  EXPECT_THAT(body, Not(HasSubstr("<script>")));
  EXPECT_THAT(renderReportPage(page.title, body, false), Not(HasSubstr("<script>")));
  EXPECT_THAT(renderReportPage(page.title, body, true), HasSubstr("fetch(\"body\""));
}

TEST(ReportPage, ScalesPictures) {
  EXPECT_EQ(toPixels(Tensor::of<float>({1, 3}, {-2, 0, 2})),
            Tensor::of<double>({1, 3}, {0, 0.5, 1}));
  EXPECT_EQ(toPixels(Tensor::of<float>({1, 2}, {7, 7})), Tensor::of<double>({1, 2}, {0.5, 0.5}));
  ReportPage page;
  page.groups.push_back(
      {"p", {{Tensor::of<double>({1, 2, 3}, {0, notANumber, 2, -1, 0.5, 1}), "x", true}}});
  EXPECT_THAT(renderReportBody(page), HasSubstr("src=\"data:image/png;base64,iVBORw0KGgo"));
}

TEST(ReportPage, ShowsManyClasses) {
  for (int64_t classes : {1, 2, 10, 100}) {
    ReportPage page;
    page.confusion = {classes, std::vector<int64_t>(size_t(classes * classes), 0)};
    EXPECT_THAT(renderReportBody(page), HasSubstr("confusion"));
  }
}
