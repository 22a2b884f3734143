//===- PicturesTest.cpp - Tensors as pictures -----------------------------===//
//
// Which elements a picture takes, which colours values have, and that the pixels of a plot are those
// of its pictures.
//
//===----------------------------------------------------------------------===//
#include "nnc/Plot/Pictures.h"
#include "GridLayout.h"
#include "nnc/Data/Images.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace nnc;

static Tensor bytes(TensorShape shape, const std::vector<uint8_t> &values) {
  return Tensor::of<uint8_t>(std::move(shape), values);
}

TEST(Pictures, TakeTheirElements) {
  Tensor values = Tensor::of<float>({12}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  EXPECT_EQ(takePicture(values, {1, 2, 1, false}, 3), Tensor::of<double>({1, 2}, {3, 4}));
  EXPECT_EQ(takePicture(values, {2, 1, 1, false}, 1, 5), Tensor::of<double>({2, 1}, {1, 6}));
  EXPECT_EQ(takePicture(values, {1, 2, 3, false}, 6),
            Tensor::of<double>({1, 2, 3}, {6, 8, 10, 7, 9, 11}));
  EXPECT_EQ(takePicture(values, {1, 2, 3, true}, 6),
            Tensor::of<double>({1, 2, 3}, {6, 7, 8, 9, 10, 11}));
}

TEST(Pictures, HaveColours) {
  double nan = std::nan("");
  Tensor values = Tensor::of<double>({1, 4}, {-1, 0, 2, nan});
  ColorRange gray = rangeOf(values, ColorMap::Gray), signs = rangeOf(values, ColorMap::RdBu);
  EXPECT_EQ(std::pair(gray.low, gray.high), std::pair(-1., 2.));
  EXPECT_EQ(std::pair(signs.low, signs.high), std::pair(-2., 2.));
  EXPECT_EQ(colorize(values, ColorMap::Gray, gray),
            bytes({1, 4, 3}, {0, 0, 0, 85, 85, 85, 255, 255, 255, 255, 0, 255}));
  // Zero is white, whatever the largest value is.
  EXPECT_EQ(colorize(values, ColorMap::RdBu, signs),
            bytes({1, 4, 3}, {107, 172, 209, 247, 247, 247, 103, 0, 31, 255, 0, 255}));
  // Colours stay; values outside of the range are held at its ends.
  EXPECT_EQ(colorize(Tensor::of<double>({1, 1, 3}, {0.2, 7, -7}), ColorMap::RdBu, {0, 1}),
            bytes({1, 1, 3}, {51, 255, 0}));
}

TEST(Pictures, OfOneValueAreDarkOrBright) {
  for (double value : {-3., 0., 5.}) {
    Tensor values = Tensor::of<double>({1, 1}, {value});
    uint8_t expected = value > 0 ? 255 : 0;
    EXPECT_EQ(colorize(values, ColorMap::Gray, rangeOf(values, ColorMap::Gray)),
              bytes({1, 1, 3}, {expected, expected, expected}));
  }
  Tensor nothing = Tensor::of<double>({1, 1}, {std::nan("")});
  EXPECT_EQ(rangeOf(nothing, ColorMap::RdBu).high, 1);
}

TEST(Pictures, LieOverOthers) {
  Tensor under = bytes({1, 2, 3}, {100, 100, 100, 100, 100, 100});
  Tensor values = Tensor::of<double>({1, 2}, {0, 1});
  Tensor over = colorizeOver(values, ColorMap::Inferno, {0, 1}, under);
  EXPECT_EQ(over.at(0), 60); // What is least shows only what is under it, dimmed.
  EXPECT_GT(over.at(3), 220);
}

TEST(Pictures, AreInThePlotAsTheyAre) {
  PlotSpec spec{"digits", {}};
  spec.grid.columns = {{"a", 1}, {"b", 1}};
  spec.grid.rowTitles = {"first"};
  spec.grid.pictures = {{bytes({1, 2, 3}, {255, 0, 0, 0, 255, 0}), "7"},
                        {bytes({1, 1, 3}, {0, 0, 255}), ""}};
  GridLayout layout(spec);
  GridLayout::Box first = layout.box(0), second = layout.box(1);
  EXPECT_EQ(first.width, 2 * first.height);
  EXPECT_GE(second.left, first.left + first.width);
  Result<std::string> png = renderPlot(spec, PlotFormat::Png);
  ASSERT_TRUE(png) << png.error().str();
  Result<Tensor> image = decodeImage(*png, "plot.png", 3);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->dim(1), 2 * layout.height);
  EXPECT_EQ(image->dim(2), 2 * layout.width);
  auto expectColor = [&](int x, int y, int red, int green, int blue) {
    int64_t channel = image->dim(1) * image->dim(2), place = int64_t(y) * image->dim(2) + x;
    EXPECT_EQ(image->at(place), red);
    EXPECT_EQ(image->at(channel + place), green);
    EXPECT_EQ(image->at(2 * channel + place), blue);
  };
  int top = 2 * first.top, left = 2 * first.left, right = 2 * (first.left + first.width) - 1;
  expectColor(left, top, 255, 0, 0);
  expectColor((left + right) / 2, top, 255, 0, 0);
  expectColor((left + right) / 2 + 1, top, 0, 255, 0);
  expectColor(right, top + 2 * first.height - 1, 0, 255, 0);
  expectColor(2 * second.left, 2 * second.top, 0, 0, 255);
  EXPECT_EQ(*renderPlot(spec, PlotFormat::Png), *png);

  Result<std::string> svg = renderPlot(spec, PlotFormat::Svg);
  ASSERT_TRUE(svg);
  for (const char *part :
       {">digits<", ">first<", ">a<", ">b<", ">7<", "data:image/png;base64,iVBOR"})
    EXPECT_NE(svg->find(part), std::string::npos) << part;
}

TEST(Pictures, MayBeMissing) {
  PlotSpec spec{"", {}};
  spec.grid.columns = {{"", 2}};
  spec.grid.pictures = {{bytes({1, 1, 3}, {1, 2, 3}), "1"},
                        {Tensor(ElementType::U8, {0, 0, 3}), ""}};
  EXPECT_TRUE(renderPlot(spec, PlotFormat::Png));
  spec.grid = {};
  EXPECT_TRUE(renderPlot(spec, PlotFormat::Svg));
}
