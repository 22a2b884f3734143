//===- AugmentationTest.cpp - Random changes to the rows of a training ----===//
//
// Warps against an interpolation written down once more here, each augmentation against what its
// name says, and what is drawn against its distribution.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Augmentation.h"
#include "nnc/Support/Random.h"

#include "gtest/gtest.h"

#include <cmath>
#include <functional>
#include <set>

using namespace nnc;
using Kind = Augmentation::Kind;

/// `rows` images of 2 planes of 7 x 9 with values in [1, 2), labels, and one-hot weights.
static Dataset images(int64_t rows) {
  Tensor image(ElementType::F64, {rows, 2, 7, 9}), label(ElementType::I64, {rows}),
      weights(ElementType::F64, {rows, 4});
  for (int64_t i = 0; i < image.size(); ++i)
    image.set(i, 1 + double(i * 7919 % 10007) / 10007);
  for (int64_t i = 0; i < rows; ++i) {
    label.set(i, double(i));
    weights.set(4 * i + i % 4, 1);
  }
  Dataset dataset;
  dataset.add("image", image);
  dataset.add("label", label);
  dataset.add("weights", weights);
  return dataset;
}

static Augmentation make(Kind kind, double amount = 0) {
  Augmentation augmentation;
  augmentation.kind = kind;
  augmentation.fields = {0};
  augmentation.amount = amount;
  return augmentation;
}

/// Row `row` in epoch `epoch`, a batch of one.
static std::vector<Tensor> rowOf(const Dataset &dataset, std::vector<Augmentation> list,
                                 int64_t row, int64_t epoch = 0, int64_t seed = 5) {
  Augmenter augmenter(dataset, std::move(list), seed);
  std::vector<Tensor> batch;
  for (size_t field = 0; field < dataset.columns.size(); ++field) {
    TensorShape shape = augmenter.shapeOf(field);
    shape.insert(shape.begin(), 1);
    batch.emplace_back(dataset.columns[field].type(), shape);
  }
  augmenter.write(row, epoch, batch, 0);
  return batch;
}

/// The image `image` of 7 x 9 at (y, x), as the sum over all pixels of pixel times a hat function.
static double hatSum(const Tensor &image, int64_t plane, double y, double x, double fill) {
  double sum = 0, weights = 0;
  for (int64_t row = 0; row < 7; ++row)
    for (int64_t column = 0; column < 9; ++column) {
      double weight = std::max(0., 1 - std::fabs(y - double(row))) *
                      std::max(0., 1 - std::fabs(x - double(column)));
      sum += weight * image.at(plane * 63 + row * 9 + column);
      weights += weight;
    }
  return sum + (1 - weights) * fill;
}

/// The largest difference between `actual` and the image sampled where `map` says.
static double distance(const Tensor &image, int64_t row, const Tensor &actual, double fill,
                       const std::function<std::pair<double, double>(double, double)> &map) {
  double most = 0;
  for (int64_t plane = 0; plane < 2; ++plane)
    for (int64_t y = 0; y < 7; ++y)
      for (int64_t x = 0; x < 9; ++x) {
        auto [fromY, fromX] = map(double(y), double(x));
        double expected = hatSum(image, row * 2 + plane, fromY, fromX, fill);
        most = std::max(most, std::fabs(expected - actual.at(plane * 63 + y * 9 + x)));
      }
  return most;
}

TEST(Augmentation, ComposesMaps) {
  Affine left{{1, 2, 3, 4, 5, 6}}, right{{-1, 0.5, 2, 3, 0, 1}};
  // right takes (7, 8) to (-1, 22), left takes that to (46, 112).
  Affine both = left.after(right);
  EXPECT_EQ(both.a[0] * 7 + both.a[1] * 8 + both.a[2], 46);
  EXPECT_EQ(both.a[3] * 7 + both.a[4] * 8 + both.a[5], 112);
}

TEST(Augmentation, WarpsByInterpolation) {
  Dataset dataset = images(1);
  const Tensor &image = dataset.columns[0];
  for (const Affine &map : {Affine{{0.8, 0.3, -1.2, -0.4, 1.3, 2.1}}, Affine{{1, 0, 0.25, 0, 1, 0}},
                            Affine{{-1, 0, 6, 0, -1, 8}}, Affine{{2, 1, -9, 1, 3, -12}}}) {
    Tensor result(ElementType::F64, {2, 7, 9});
    for (int64_t plane = 0; plane < 2; ++plane)
      warp({image.as<double>() + plane * 63, 7, 9}, {result.as<double>() + plane * 63, 7, 9}, map,
           -3);
    EXPECT_LT(distance(image, 0, result, -3,
                       [&](double y, double x) {
                         return std::pair(map.a[0] * y + map.a[1] * x + map.a[2],
                                          map.a[3] * y + map.a[4] * x + map.a[5]);
                       }),
              1e-14);
  }
}

TEST(Augmentation, Flips) {
  Dataset dataset = images(200);
  const double *source = dataset.columns[0].as<double>();
  for (bool isVertical : {false, true}) {
    Augmentation flip = make(Kind::Flip);
    flip.isVertical = isVertical;
    flip.probability = 0.3;
    int flipped = 0;
    for (int64_t row = 0; row < 200; ++row) {
      Tensor image = rowOf(dataset, {flip}, row)[0];
      bool isFlipped = image.at(0) != source[row * 126];
      flipped += isFlipped;
      for (int64_t i = 0; i < 126; ++i) {
        int64_t plane = i / 63, y = i / 9 % 7, x = i % 9;
        (isVertical ? y : x) = isFlipped ? (isVertical ? 6 - y : 8 - x) : (isVertical ? y : x);
        ASSERT_EQ(image.at(i), source[row * 126 + plane * 63 + y * 9 + x]);
      }
    }
    // 60 are expected, the deviation is 6.5.
    EXPECT_NEAR(flipped, 60, 26);
  }
}

TEST(Augmentation, Shifts) {
  Dataset dataset = images(400);
  Augmentation shift = make(Kind::Shift, 2);
  shift.fill = -1;
  std::set<std::pair<int, int>> seen;
  for (int64_t row = 0; row < 400; ++row) {
    Tensor image = rowOf(dataset, {shift}, row)[0];
    int fits = 0;
    for (int dy = -2; dy <= 2; ++dy)
      for (int dx = -2; dx <= 2; ++dx)
        if (distance(dataset.columns[0], row, image, -1,
                     [&](double y, double x) { return std::pair(y + dy, x + dx); }) == 0) {
          seen.emplace(dy, dx);
          ++fits;
        }
    ASSERT_EQ(fits, 1);
  }
  EXPECT_EQ(seen.size(), 25u);
}

TEST(Augmentation, RotatesAboutTheMiddle) {
  Dataset dataset = images(40);
  double least = 90, most = -90;
  for (int64_t row = 0; row < 40; ++row) {
    Tensor image = rowOf(dataset, {make(Kind::Rotate, 30)}, row)[0];
    // The angle that explains the image, by a scan and a finer one around the best.
    double best = 0, smallest = 1e9, step = 1;
    for (double centre = 0, width = 30; step > 1e-7; centre = best, width = step, step /= 10)
      for (double degrees = centre - width; degrees <= centre + width; degrees += step) {
        double angle = degrees * M_PI / 180;
        double error = distance(dataset.columns[0], row, image, 0, [&](double y, double x) {
          // Counter-clockwise as seen: y points down.
          double right = x - 4, up = 3 - y;
          double fromRight = std::cos(angle) * right + std::sin(angle) * up;
          double fromUp = -std::sin(angle) * right + std::cos(angle) * up;
          return std::pair(3 - fromUp, 4 + fromRight);
        });
        if (error < smallest) {
          smallest = error;
          best = degrees;
        }
      }
    ASSERT_LT(smallest, 1e-7) << row;
    least = std::min(least, best);
    most = std::max(most, best);
  }
  EXPECT_GE(least, -30);
  EXPECT_LE(most, 30);
  EXPECT_LT(least, -20);
  EXPECT_GT(most, 20);
}

TEST(Augmentation, RotatesCounterClockwiseByPositiveAngles) {
  // A bright pixel on the right of the middle: up, where y is smaller, is counter-clockwise.
  Dataset dataset;
  dataset.add("image", Tensor(ElementType::F64, {20, 1, 9, 9}));
  for (int64_t row = 0; row < 20; ++row)
    dataset.columns[0].as<double>()[row * 81 + 4 * 9 + 7] = 1;
  for (int64_t row = 0; row < 20; ++row) {
    // The first number that is drawn for the row, as Augmentation.cpp counts them.
    double drawn = unitInterval53(randomWords(/*seed=*/5, /*step=*/0, /*stream=*/-16, row << 16));
    double angle = (-90 + 180 * drawn) * M_PI / 180;
    Tensor image = rowOf(dataset, {make(Kind::Rotate, 90)}, row)[0];
    double mass = 0, up = 0, right = 0;
    for (int64_t i = 0; i < 81; ++i) {
      mass += image.at(i);
      up += image.at(i) * double(4 - i / 9);
      right += image.at(i) * double(i % 9 - 4);
    }
    EXPECT_NEAR(up / mass, 3 * std::sin(angle), 0.3) << row;
    EXPECT_NEAR(right / mass, 3 * std::cos(angle), 0.3) << row;
  }
}

TEST(Augmentation, ScalesAboutTheMiddle) {
  Dataset dataset = images(1);
  Augmentation scale = make(Kind::Scale);
  scale.low = scale.high = 1.25;
  Tensor image = rowOf(dataset, {scale}, 0)[0];
  EXPECT_LT(distance(dataset.columns[0], 0, image, 0,
                     [](double y, double x) {
                       return std::pair(3 + (y - 3) / 1.25, 4 + (x - 4) / 1.25);
                     }),
            1e-14);
}

TEST(Augmentation, Crops) {
  Dataset dataset = images(300);
  Augmentation crop = make(Kind::Crop);
  crop.height = 6;
  crop.width = 4;
  crop.padding = 1;
  crop.fill = 9;
  std::set<std::pair<int64_t, int64_t>> seen;
  for (int64_t row = 0; row < 300; ++row) {
    Tensor image = rowOf(dataset, {crop}, row)[0];
    ASSERT_EQ(image.shape(), (TensorShape{1, 2, 6, 4}));
    for (int64_t top = -1; top <= 2; ++top)
      for (int64_t left = -1; left <= 6; ++left) {
        bool fits = true;
        for (int64_t i = 0; i < image.size(); ++i) {
          int64_t y = top + i / 4 % 6, x = left + i % 4;
          bool isInside = y >= 0 && y < 7 && x >= 0 && x < 9;
          double expected =
              isInside ? dataset.columns[0].at((row * 2 + i / 24) * 63 + y * 9 + x) : 9;
          fits = fits && image.at(i) == expected;
        }
        if (fits)
          seen.emplace(top, left);
      }
  }
  EXPECT_EQ(seen.size(), 4u * 8u);
  Tensor centre = cropCentre(dataset.columns[0], crop);
  EXPECT_EQ(centre.shape(), (TensorShape{300, 2, 6, 4}));
  // (7 + 2 - 6) / 2 - 1 = 0 rows and (9 + 2 - 4) / 2 - 1 = 2 columns are left out before it.
  EXPECT_EQ(centre.at(0), dataset.columns[0].at(2));
}

TEST(Augmentation, Erases) {
  Dataset dataset = images(300);
  Augmentation erase = make(Kind::Erase);
  erase.probability = 0.5;
  erase.low = 0.1;
  erase.high = 0.4;
  int erased = 0;
  for (int64_t row = 0; row < 300; ++row) {
    Tensor image = rowOf(dataset, {erase}, row)[0];
    int64_t top = 7, bottom = -1, left = 9, right = -1, count = 0;
    for (int64_t i = 0; i < 126; ++i) {
      if (image.at(i) != 0) {
        ASSERT_EQ(image.at(i), dataset.columns[0].at(row * 126 + i));
        continue;
      }
      int64_t y = i / 9 % 7, x = i % 9;
      top = std::min(top, y);
      bottom = std::max(bottom, y);
      left = std::min(left, x);
      right = std::max(right, x);
      ++count;
    }
    if (count == 0)
      continue;
    ++erased;
    // A full rectangle, in both planes.
    EXPECT_EQ(count, 2 * (bottom - top + 1) * (right - left + 1));
    EXPECT_LE(count, 2 * 35);
  }
  EXPECT_NEAR(erased, 150, 40);
}

TEST(Augmentation, MixesRowsAndTheirWeights) {
  Dataset dataset = images(400);
  Augmentation mixup = make(Kind::Mixup);
  mixup.fields = {0, 2};
  mixup.alpha = 0.4;
  double sum = 0, squares = 0;
  for (int64_t row = 0; row < 400; ++row) {
    std::vector<Tensor> batch = rowOf(dataset, {mixup}, row);
    EXPECT_EQ(batch[1].at(0), double(row));
    double own = batch[2].at(row % 4), total = 0;
    for (int64_t i = 0; i < 4; ++i)
      total += batch[2].at(i);
    EXPECT_NEAR(total, 1, 1e-15);
    if (own == 1)
      continue; // mixed with one of its class
    // The partner is the row that explains the first pixels with this weight.
    int fits = 0;
    for (int64_t other = 0; other < 400; ++other) {
      bool fit = true;
      for (int64_t i = 0; i < 126 && fit; ++i)
        fit =
            std::fabs(own * dataset.columns[0].at(row * 126 + i) +
                      (1 - own) * dataset.columns[0].at(other * 126 + i) - batch[0].at(i)) < 1e-12;
      fits += fit;
    }
    EXPECT_GE(fits, 1) << row;
    sum += own - 0.5;
    squares += (own - 0.5) * (own - 0.5);
  }
  // Of about 300: Beta(0.4, 0.4) has mean 1/2 and variance 1 / (4 * 1.8) = 0.139.
  EXPECT_NEAR(sum / 300, 0, 0.1);
  EXPECT_NEAR(squares / 300, 0.139, 0.03);
}

TEST(Augmentation, InterpolatesOnce) {
  // Half a turn in two quarters of random sign and two flips move whole pixels in a square image,
  // also those that only one of the maps would push out.
  Dataset dataset;
  Tensor image(ElementType::F64, {1, 6, 6});
  for (int64_t i = 0; i < 36; ++i)
    image.set(i, double(i));
  dataset.add("image", image);
  Augmentation small = make(Kind::Scale), large = make(Kind::Scale);
  small.low = small.high = 0.5;
  large.low = large.high = 2;
  EXPECT_EQ(rowOf(dataset, {small, large}, 0)[0], image);
  // With something else between them there are two maps.
  Augmentation erase = make(Kind::Erase);
  erase.probability = 0;
  EXPECT_NE(rowOf(dataset, {small, erase, large}, 0)[0], image);
}

TEST(Augmentation, FollowsTheOrderOfThePipeline) {
  // What is cut out is mirrored: the maps do not commute.
  Dataset dataset = images(20);
  Augmentation crop = make(Kind::Crop), flip = make(Kind::Flip);
  crop.height = 6;
  crop.width = 4;
  for (int64_t row = 0; row < 20; ++row) {
    Tensor cropped = rowOf(dataset, {crop}, row)[0], both = rowOf(dataset, {crop, flip}, row)[0];
    for (int64_t i = 0; i < cropped.size(); ++i)
      ASSERT_EQ(both.at(i), cropped.at(i / 4 * 4 + 3 - i % 4));
  }
}

TEST(Augmentation, DependsOnSeedEpochAndRow) {
  Dataset dataset = images(2);
  // Rows alike, so that only what is drawn differs.
  std::copy_n(dataset.columns[0].as<double>(), 126, dataset.columns[0].as<double>() + 126);
  Augmentation turn = make(Kind::Rotate, 30);
  Tensor image = rowOf(dataset, {turn}, 0)[0];
  EXPECT_EQ(rowOf(dataset, {turn}, 0)[0], image);
  EXPECT_NE(rowOf(dataset, {turn}, 1)[0], image);
  EXPECT_NE(rowOf(dataset, {turn}, 0, 1)[0], image);
  EXPECT_NE(rowOf(dataset, {turn}, 0, 0, 6)[0], image);
}
