//===- PipelineTest.cpp - The stages of an input pipeline -----------------===//
//
// Each stage on small data; the shuffle against its definition and its distribution.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Pipeline.h"

#include "gtest/gtest.h"

#include <cmath>
#include <map>
#include <numeric>

using namespace nnc;
using Doubles = std::vector<double>;

/// Rows (0, 10), (1, 11), … and labels 0, 1, …
static Dataset numbered(int64_t rows) {
  Tensor x(ElementType::F32, {rows, 2}), label(ElementType::I64, {rows});
  for (int64_t i = 0; i < rows; ++i) {
    x.set(2 * i, double(i));
    x.set(2 * i + 1, double(i + 10));
    label.set(i, double(i));
  }
  Dataset dataset;
  dataset.add("x", x);
  dataset.add("label", label);
  return dataset;
}

static Doubles labels(const Dataset &dataset) { return dataset.find("label")->toDoubles(); }

TEST(Pipeline, TakesRows) {
  Result<Dataset> taken = takeRows(numbered(5), 2);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->columns[0], Tensor::of<float>({2, 2}, {0, 10, 1, 11}));
  EXPECT_EQ(labels(*taken), (Doubles{0, 1}));
  EXPECT_EQ(takeRows(numbered(5), 0)->numRows(), 0);
  EXPECT_EQ(takeRows(numbered(5), 6).error().what(),
            "expected a count from 0 to the 5 rows, found 6");
  EXPECT_EQ(takeRows(numbered(5), -1).error().what(),
            "expected a count from 0 to the 5 rows, found -1");
}

TEST(Pipeline, KeepsRowsTogether) {
  Dataset shuffled = shuffleRows(numbered(100), 7);
  EXPECT_NE(labels(shuffled), labels(numbered(100)));
  for (int64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(shuffled.columns[0].at(2 * i), shuffled.columns[1].at(i));
    EXPECT_EQ(shuffled.columns[0].at(2 * i + 1), shuffled.columns[1].at(i) + 10);
  }
}

TEST(Pipeline, PermutesEverything) {
  EXPECT_EQ(permutation(0, 1), RowIndices());
  EXPECT_EQ(permutation(1, 1), RowIndices{0});
  RowIndices order = permutation(1000, 3), sorted = order, all(1000);
  std::iota(all.begin(), all.end(), 0);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, all);
  EXPECT_EQ(permutation(1000, 3), order);
  EXPECT_NE(permutation(1000, 4), order);
  EXPECT_NE(permutation(1000, 3, 1), order);
  // These never change: runs are to be repeatable between versions.
  EXPECT_EQ(permutation(8, 0), (RowIndices{3, 5, 6, 0, 2, 4, 1, 7}));
}

TEST(Pipeline, PermutesEvenly) {
  // Chi squared over the 24 orders of 4 rows: 23 degrees of freedom, 52 is one in 2,000.
  std::map<RowIndices, int> counts;
  for (int64_t seed = 0; seed < 24000; ++seed)
    ++counts[permutation(4, seed)];
  double sum = 0;
  for (const auto &[order, count] : counts)
    sum += (count - 1000.) * (count - 1000.) / 1000;
  EXPECT_EQ(counts.size(), 24u);
  EXPECT_LT(sum, 52);
}

TEST(Pipeline, Splits) {
  Dataset all = numbered(11);
  Doubles first = labels(*splitRows(all, 0.8, 0, 5)), second = labels(*splitRows(all, 0.8, 1, 5));
  EXPECT_EQ(first.size(), 9u);
  EXPECT_EQ(second.size(), 2u);
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end()));
  Doubles both;
  std::merge(first.begin(), first.end(), second.begin(), second.end(), std::back_inserter(both));
  EXPECT_EQ(both, labels(all));
  EXPECT_NE(labels(*splitRows(all, 0.8, 1, 6)), second);
  EXPECT_EQ(labels(*splitRows(all, 0.8, 0, std::nullopt)),
            labels(gatherRows(all, {0, 1, 2, 3, 4, 5, 6, 7, 8})));
  EXPECT_EQ(labels(*splitRows(all, 0.8, 1, std::nullopt)), labels(gatherRows(all, {9, 10})));
  EXPECT_EQ(splitRows(all, 1.5, 0, 5).error().what(),
            "expected a fraction between 0 and 1, found 1.5");
  EXPECT_EQ(splitRows(all, std::nan(""), 0, 5).error().what(),
            "expected a fraction between 0 and 1, found nan");
  EXPECT_EQ(splitRows(all, 0.5, 2, 5).error().what(), "expected part 0 or 1, found 2");
}

TEST(Pipeline, Batches) {
  RowIndices order = {4, 3, 2, 1, 0};
  EXPECT_EQ(batchRows(order, 2), (std::vector<RowIndices>{{4, 3}, {2, 1}, {0}}));
  EXPECT_EQ(batchRows(order, 2, true), (std::vector<RowIndices>{{4, 3}, {2, 1}}));
  EXPECT_EQ(batchRows(order, 5), (std::vector<RowIndices>{order}));
  EXPECT_EQ(batchRows({}, 5), std::vector<RowIndices>());
}

TEST(Pipeline, Scales) {
  EXPECT_EQ(scaleValues(Tensor::of<uint8_t>({3}, {0, 51, 255}), 1 / 255.),
            Tensor::of<float>({3}, {0, 0.2f, 1}));
  EXPECT_EQ(scaleValues(Tensor::of<double>({2}, {1, -2}), 0.5), Tensor::of<double>({2}, {.5, -1}));
}

TEST(Pipeline, Standardizes) {
  Tensor x = Tensor::of<double>({4, 2}, {1, 5, 2, 5, 3, 5, 4, 5});
  Moments features = momentsOf(x, Sharing::Feature);
  EXPECT_EQ(features.mean, (Doubles{2.5, 5}));
  EXPECT_DOUBLE_EQ(features.deviation[0], std::sqrt(1.25));
  EXPECT_EQ(features.deviation[1], 0);
  Tensor y = standardizeValues(x, features);
  EXPECT_DOUBLE_EQ(y.at(0), -1.5 / std::sqrt(1.25));
  EXPECT_EQ(y.at(1), 0);
  Moments all = momentsOf(x, Sharing::All);
  EXPECT_EQ(all.mean, (Doubles{3.75}));
  Moments after = momentsOf(standardizeValues(x, all), Sharing::All);
  EXPECT_NEAR(after.mean[0], 0, 1e-15);
  EXPECT_NEAR(after.deviation[0], 1, 1e-15);
  // A large mean costs no digits.
  Moments large = momentsOf(Tensor::of<double>({2}, {1e9, 1e9 + 2}), Sharing::All);
  EXPECT_EQ(large.deviation[0], 1);
}

TEST(Pipeline, StandardizesChannels) {
  // Two rows of two channels of two pixels.
  Tensor x = Tensor::of<float>({2, 2, 2}, {1, 2, 10, 10, 3, 4, 20, 20});
  Moments moments = momentsOf(x, Sharing::Channel);
  EXPECT_EQ(moments.mean, (Doubles{2.5, 15}));
  EXPECT_EQ(moments.deviation[1], 5);
  EXPECT_EQ(standardizeValues(x, {{1, 10}, {1, 2}, 2}),
            Tensor::of<float>({2, 2, 2}, {0, 1, 0, 0, 2, 3, 5, 5}));
  // What the training data say goes for the rest.
  EXPECT_EQ(standardizeValues(Tensor::of<uint8_t>({1, 2, 2}, {2, 3, 15, 20}), {{2, 15}, {1, 5}, 2}),
            Tensor::of<float>({1, 2, 2}, {0, 1, 0, 1}));
}

TEST(Pipeline, Normalizes) {
  Tensor x = Tensor::of<double>({3, 2}, {1, 7, 3, 7, 5, 7});
  EXPECT_EQ(standardizeValues(x, rangesOf(x, Sharing::Feature, 0, 1)),
            Tensor::of<double>({3, 2}, {0, 0, 0.5, 0, 1, 0}));
  EXPECT_EQ(standardizeValues(x, rangesOf(x, Sharing::Feature, -1, 1)),
            Tensor::of<double>({3, 2}, {-1, -1, 0, -1, 1, -1}));
  EXPECT_EQ(standardizeValues(x, rangesOf(x, Sharing::All, 0, 6)),
            Tensor::of<double>({3, 2}, {0, 6, 2, 6, 4, 6}));
}

TEST(Pipeline, MakesFolds) {
  Dataset all = numbered(11);
  Doubles seen;
  for (int64_t fold = 0; fold < 3; ++fold) {
    Doubles inside = labels(*foldRows(all, fold, 3, 1, 5)),
            outside = labels(*foldRows(all, fold, 3, 0, 5)), both;
    EXPECT_EQ(inside.size(), fold == 2 ? 3u : 4u);
    EXPECT_TRUE(std::is_sorted(inside.begin(), inside.end()));
    std::merge(inside.begin(), inside.end(), outside.begin(), outside.end(),
               std::back_inserter(both));
    EXPECT_EQ(both, labels(all));
    seen.insert(seen.end(), inside.begin(), inside.end());
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, labels(all));
  EXPECT_EQ(foldRows(all, 3, 3, 0, 5).error().what(), "expected a fold from 0 to 2, found 3");
  EXPECT_EQ(foldRows(all, 0, 1, 0, 5).error().what(),
            "expected 2 to 11 folds, as there are rows, found 1");
}

TEST(Pipeline, MarksClasses) {
  EXPECT_EQ(*oneHot(Tensor::of<int64_t>({2}, {2, 0}), 3),
            Tensor::of<float>({2, 3}, {0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(oneHot(Tensor::of<int64_t>({2}, {0, 3}), 3).error().what(),
            "expected classes from 0 to 2, found 3");
}
