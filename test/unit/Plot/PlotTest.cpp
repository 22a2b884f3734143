//===- PlotTest.cpp - Plots as images -------------------------------------===//
//
// Every plot of training renders in both formats, to the same bytes each time; odd names and values
// do no harm.
//
//===----------------------------------------------------------------------===//
#include "nnc/Plot/Plot.h"
#include "nnc/Support/File.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

using namespace nnc;

static std::string render(const PlotSpec &spec, PlotFormat format) {
  Result<std::string> image = renderPlot(spec, format);
  EXPECT_TRUE(image) << image.error().str();
  return image ? *image : "";
}

static void expectRenders(const PlotSpec &spec) {
  std::string svg = render(spec, PlotFormat::Svg), png = render(spec, PlotFormat::Png);
  EXPECT_TRUE(svg.find("</svg>") != std::string::npos);
  EXPECT_TRUE(png.find("IEND") != std::string::npos);
  EXPECT_TRUE(render(spec, PlotFormat::Svg) == svg);
  EXPECT_TRUE(render(spec, PlotFormat::Png) == png);
}

static Tensor fourPoints() {
  return Tensor::of<double>({4, 3}, {0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1});
}

TEST(Plot, DrawsRecords) {
  PlotSpec spec = recordsPlot("run", {{"accuracy", {0.5, 0.7, 0.9}}, {"loss", {3, 2, 1}}}, true);
  EXPECT_EQ(spec.panels.size(), 2u);
  EXPECT_EQ(spec.panels[1].series[0].x, (std::vector<double>{1, 2, 3}));
  expectRenders(spec);
}

TEST(Plot, DrawsParameterPaths) {
  PlotSpec spec = parameterPathPlot("run", {{"w1", {1, 2, 3}}, {"w2", {3, 2, 1}}});
  EXPECT_EQ(spec.panels.size(), 1u);
  expectRenders(spec);
  PlotSeries path{"path", {1, 2, 3}, {3, 2, 1}, PlotStyle::Path};
  expectRenders({"", {{"", "w1", "w2", {path}}}});
}

TEST(Plot, DrawsClasses) {
  PlotSpec spec = classScatterPlot("data", fourPoints(), Tensor::of<int64_t>({4}, {0, 1, 1, 0}));
  EXPECT_EQ(spec.panels[0].series.size(), 2u);
  EXPECT_EQ(spec.panels[0].series[1].title, "class 1");
  EXPECT_EQ(spec.panels[0].series[1].x, (std::vector<double>{1, 0}));
  expectRenders(spec);
}

TEST(Plot, DrawsTruthAndPrediction) {
  Tensor truth = Tensor::of<int64_t>({4}, {0, 1, 1, 0});
  Tensor prediction = Tensor::of<bool>({4, 1}, {false, true, false, false});
  PlotSpec spec = truthAndPredictionPlot("run", fourPoints(), truth, prediction);
  ASSERT_EQ(spec.panels.size(), 2u);
  ASSERT_EQ(spec.panels[1].series.size(), 3u);
  EXPECT_EQ(spec.panels[1].series[2].title, "wrong (1)");
  expectRenders(spec);
  expectRenders(truthAgainstPredictionPlot("run", Tensor::of<double>({3}, {1, 2, 3}),
                                           Tensor::of<float>({3, 1}, {1, 2.5, 3})));
}

TEST(Plot, DrawsBars) {
  PlotPanel panel;
  panel.categories = {"one", "two", "three"};
  panel.series = {{"a", {0, 1, 2}, {3, -1, 0.5}, PlotStyle::Bars},
                  {"b", {0, 1, 2}, {1, std::nan(""), 1e-9}, PlotStyle::Bars}};
  expectRenders({"bars", {panel}});
  std::string svg = render({"bars", {panel}}, PlotFormat::Svg);
  EXPECT_TRUE(svg.find(">two<") != std::string::npos);
  panel.logY = true;
  expectRenders({"bars", {panel}});
  panel.series = {{"", {}, {}, PlotStyle::Bars}};
  expectRenders({"none", {panel}});
}

TEST(Plot, SurvivesOddNamesAndValues) {
  std::string marker = testing::TempDir() + "nnc-plot-" + std::to_string(getpid());
  std::string evil = "'; system('touch " + marker + "') `touch " + marker + "` <b>&\n\"$(x)";
  double nan = std::nan("");
  PlotSpec spec = recordsPlot(evil, {{evil, {1, nan, HUGE_VAL, 3}},
                                     {"nothing", {nan}},
                                     {"none", {}},
                                     {"same", {2, 2}},
                                     {"huge", {1.7e308, -1.7e308, 1}},
                                     {"\xff\xc3(", {1, 2}}});
  spec.panels[0].series[0].title = evil;
  expectRenders(spec);
  EXPECT_FALSE(std::filesystem::exists(marker));
  std::string svg = render(spec, PlotFormat::Svg);
  EXPECT_TRUE(svg.find("&lt;b>&amp;") != std::string::npos);
  EXPECT_TRUE(svg.find("<b>") == std::string::npos);
  expectRenders({});
}

TEST(PlotError, NameHasAnotherEnd) {
  EXPECT_EQ(writePlot({}, "plot.pdf").error().str(),
            "error: expected a name that ends in .svg or .png, found 'plot.pdf'");
}

TEST(PlotError, FolderIsNotThere) {
  EXPECT_EQ(writePlot(recordsPlot("", {{"a", {1, 2}}}), "/nonexistent/plot.svg").error().str(),
            "/nonexistent/plot.svg: error: cannot write: no such file or directory");
}

TEST(PlotError, GnuplotIsNotThere) {
  std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  Status status = writePlot({}, "plot.svg");
  setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().str(), "plot.svg: error: plots need gnuplot: run utils/setup");
}
