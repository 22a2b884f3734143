//===- PlotScriptTest.cpp - What gnuplot is told --------------------------===//
//
// Ticks, thinning, and that no text gets out of its quotes.
//
//===----------------------------------------------------------------------===//
#include "PlotScript.h"
#include "PlotAxis.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace nnc;
using Doubles = std::vector<double>;

static void expectTicks(double low, double high, bool isLog, const Doubles &expected) {
  PlotAxis axis{low, high, isLog, 0};
  EXPECT_THAT(axis.ticks(), testing::Pointwise(testing::DoubleEq(), expected));
}

TEST(PlotAxis, NamesRoundValues) {
  expectTicks(0, 1, false, {0, 0.2, 0.4, 0.6000000000000001, 0.8, 1});
  expectTicks(-1.04, 1.04, false, {-1, -0.5, 0, 0.5, 1});
  expectTicks(1, 20000, false, {5000, 10000, 15000, 20000});
  expectTicks(1, 100, true, {1, 2, 5, 10, 20, 50, 100});
  expectTicks(1e-6, 1, true, {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1});
  expectTicks(1e-9, 1, true, {1e-9, 1e-7, 1e-5, 1e-3, 1e-1});
  expectTicks(2, 7, true, {2, 3, 4, 5, 6, 7});
}

TEST(PlotAxis, HoldsFiniteValues) {
  double nan = std::nan(""), infinity = HUGE_VAL;
  PlotAxis axis = PlotAxis::around({nan, 1, -infinity, 3}, false, 0);
  EXPECT_EQ(std::pair(axis.low, axis.high), std::pair(1., 3.));
  axis = PlotAxis::around({-1, 0, 10, 1000}, true, 0);
  EXPECT_EQ(std::pair(axis.low, axis.high), std::pair(10., 1000.));
  axis = PlotAxis::around({nan, infinity}, true, 0);
  EXPECT_EQ(std::pair(axis.low, axis.high), std::pair(0., 1.));
  EXPECT_FALSE(axis.isLog);
  for (double value : {0., 5., -1e300, 1e-300}) {
    axis = PlotAxis::around({value}, false, 0);
    EXPECT_LT(axis.low, axis.high);
    EXPECT_LE(axis.ticks().size(), 21u);
  }
}

TEST(PlotScript, QuotesText) {
  EXPECT_EQ(gnuplotString("plain"), "'plain'");
  EXPECT_EQ(gnuplotString("it's `id` $(id) \"q\" \\n @x"), "'it’s `id` $(id) \"q\" \\n @x'");
  EXPECT_EQ(gnuplotString("a\n'; system('id') #\r\t"), "'a\\x0a’; system(’id’) #\\x0d\\x09'");
  EXPECT_EQ(gnuplotString(std::string(159, 'x') + "äb"), "'" + std::string(159, 'x') + "…'");
  EXPECT_EQ(gnuplotString("'\xff"), "'’\\xff'");
}

TEST(PlotScript, ThinsLongSeries) {
  PlotSeries series;
  for (int i = 0; i < 100000; ++i) {
    series.x.push_back(i);
    series.y.push_back(i == 77777 ? 50 : i == 33333 ? -50 : i % 2000 < 1000 ? std::nan("") : i % 7);
  }
  PlotSeries thin = thinned(series, 2000);
  EXPECT_LE(thin.x.size(), 2000u);
  EXPECT_EQ(thin.x.size(), thin.y.size());
  EXPECT_EQ(thin.x.front(), 0);
  EXPECT_EQ(thin.x.back(), 99999);
  EXPECT_TRUE(std::is_sorted(thin.x.begin(), thin.x.end()));
  EXPECT_THAT(thin.y, testing::Contains(50));
  EXPECT_THAT(thin.y, testing::Contains(-50));
  PlotSeries tiny{"", {1, 2, 3}, {1, 2, 3}};
  EXPECT_EQ(thinned(tiny, 4).x, tiny.x);
}
