//===- BatchesTest.cpp - The batches of a training ------------------------===//
//
// Sizes and places of batches, and that a stream gives the same bits with any number of threads and
// from any start.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Batches.h"

#include "gtest/gtest.h"

#include <chrono>
#include <set>
#include <thread>

using namespace nnc;

/// Images of random grey, 6 x 5, and their numbers.
static Dataset images(int64_t rows) {
  Tensor image(ElementType::F32, {rows, 1, 6, 5}), label(ElementType::I64, {rows});
  for (int64_t i = 0; i < image.size(); ++i)
    image.set(i, double(i * 7919 % 1009) / 1009);
  for (int64_t i = 0; i < rows; ++i)
    label.set(i, double(i));
  Dataset dataset;
  dataset.add("image", image);
  dataset.add("label", label);
  return dataset;
}

static std::vector<Augmentation> someAugmentations() {
  Augmentation flip, shift, turn, erase;
  flip.probability = 0.5;
  shift.kind = Augmentation::Kind::Shift;
  shift.amount = 2;
  turn.kind = Augmentation::Kind::Rotate;
  turn.amount = 20;
  erase.kind = Augmentation::Kind::Erase;
  erase.low = 0.02;
  erase.high = 0.3;
  std::vector<Augmentation> all = {flip, shift, turn, erase};
  for (Augmentation &augmentation : all)
    augmentation.fields = {0};
  return all;
}

static BatchOptions options(int64_t size, std::vector<Augmentation> augmentations = {}) {
  BatchOptions result;
  result.size = size;
  result.isShuffled = true;
  result.seed = 11;
  result.augmentations = std::move(augmentations);
  return result;
}

/// The next `count` batches, copied.
static std::vector<std::vector<Tensor>> take(BatchStream &stream, int count) {
  std::vector<std::vector<Tensor>> batches;
  for (int i = 0; i < count; ++i)
    batches.push_back(stream.next());
  return batches;
}

TEST(Batches, KnowsPlaces) {
  Dataset dataset = images(10);
  BatchSource source(dataset, options(4));
  EXPECT_EQ(source.batchesPerEpoch(), 3);
  EXPECT_EQ(source.cursorAt(5), (DataCursor{1, 8}));
  EXPECT_EQ(source.rowsAt({1, 8}), 2);
  EXPECT_EQ(source.after({1, 8}), (DataCursor{2, 0}));
  EXPECT_EQ(source.after({1, 4}), (DataCursor{1, 8}));
  for (int64_t step = 0; step < 20; ++step)
    EXPECT_EQ(source.after(source.cursorAt(step)), source.cursorAt(step + 1));
  BatchOptions all;
  BatchSource whole(dataset, all);
  EXPECT_EQ(whole.batchesPerEpoch(), 1);
  EXPECT_EQ(whole.rowsAt({3, 0}), 10);
  EXPECT_EQ(whole.after({3, 0}), (DataCursor{4, 0}));
}

TEST(Batches, DropsTheLastThatIsNotFull) {
  Dataset dataset = images(10);
  BatchOptions full = options(4);
  full.dropLast = true;
  BatchSource source(dataset, full);
  EXPECT_EQ(source.batchesPerEpoch(), 2);
  EXPECT_EQ(source.cursorAt(5), (DataCursor{2, 4}));
  EXPECT_EQ(source.after({1, 4}), (DataCursor{2, 0}));
  std::set<double> seen;
  for (int64_t step = 0; step < 20; ++step) {
    DataCursor cursor = source.cursorAt(step);
    EXPECT_EQ(source.after(cursor), source.cursorAt(step + 1));
    EXPECT_EQ(source.rowsAt(cursor), 4);
    std::vector<Tensor> batch = source.allocate(4);
    source.fill(cursor, source.orderOf(cursor.epoch), batch);
    for (double row : batch[1].toDoubles())
      seen.insert(row);
  }
  // Other rows are left out in each epoch.
  EXPECT_EQ(seen.size(), 10u);
  full.size = 5;
  EXPECT_EQ(BatchSource(dataset, full).batchesPerEpoch(), 2);
  full.size = 11;
  EXPECT_EQ(BatchSource(dataset, full).rowsAt({0, 0}), 10);
}

TEST(Batches, GivesEachRowOnceAnEpoch) {
  Dataset dataset = images(10);
  BatchSource source(dataset, options(4));
  BatchStream stream(source, {}, 0);
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<double> labels;
    for (int i = 0; i < 3; ++i) {
      std::vector<Tensor> &batch = stream.next();
      EXPECT_EQ(batch[0].dim(0), i == 2 ? 2 : 4);
      for (int64_t row = 0; row < batch[0].dim(0); ++row) {
        labels.push_back(batch[1].at(row));
        EXPECT_EQ(batch[0].at(row * 30 + 3),
                  dataset.columns[0].at(int64_t(labels.back()) * 30 + 3));
      }
    }
    RowIndices order = source.orderOf(epoch);
    EXPECT_EQ(labels, std::vector<double>(order.begin(), order.end()));
  }
}

TEST(Batches, AreTheSameOnAnyNumberOfThreads) {
  Dataset dataset = images(37);
  BatchSource source(dataset, options(5, someAugmentations()));
  BatchStream reference(source, {}, 0);
  std::vector<std::vector<Tensor>> expected = take(reference, 30);
  EXPECT_NE(expected[0][0], expected[8][0]);
  for (unsigned threads : {1u, 2u, 4u, 9u}) {
    BatchStream stream(source, {}, threads);
    EXPECT_EQ(take(stream, 30), expected) << threads;
  }
}

TEST(Batches, AreAugmentedAnewInEachEpoch) {
  Dataset dataset = images(5);
  BatchOptions inOrder = options(5, someAugmentations());
  inOrder.isShuffled = false;
  BatchSource source(dataset, inOrder);
  BatchStream stream(source, {}, 0);
  std::vector<std::vector<Tensor>> epochs = take(stream, 2);
  EXPECT_EQ(epochs[0][1], epochs[1][1]);
  EXPECT_NE(epochs[0][0], epochs[1][0]);
}

TEST(Batches, GoOnFromAnyPlace) {
  Dataset dataset = images(37);
  BatchSource source(dataset, options(5, someAugmentations()));
  BatchStream reference(source, {}, 0);
  std::vector<std::vector<Tensor>> expected = take(reference, 20);
  for (int done : {1, 7, 8, 13}) {
    BatchStream before(source, {}, 2);
    take(before, done);
    EXPECT_EQ(before.cursor(), source.cursorAt(done));
    BatchStream after(source, before.cursor(), 2);
    std::vector<std::vector<Tensor>> rest(expected.begin() + done, expected.end());
    EXPECT_EQ(take(after, 20 - done), rest) << done;
  }
}

TEST(Batches, OfEpochsOfOneRow) {
  Dataset dataset = images(1);
  BatchSource source(dataset, options(5));
  BatchStream stream(source, {}, 4);
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(stream.next()[0].dim(0), 1);
  EXPECT_EQ(stream.cursor(), (DataCursor{200, 0}));
}

TEST(Batches, AreNotOverwrittenWhileInUse) {
  Dataset dataset = images(64);
  BatchSource source(dataset, options(4));
  BatchStream stream(source, {}, 4);
  for (int i = 0; i < 20; ++i) {
    std::vector<Tensor> &batch = stream.next();
    std::vector<Tensor> copy = batch;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(batch, copy);
  }
}

TEST(Batches, EndWithBatchesLeft) {
  Dataset dataset = images(64);
  BatchSource source(dataset, options(4, someAugmentations()));
  for (int i = 0; i < 50; ++i) {
    BatchStream stream(source, {}, 3);
    if (i % 2)
      stream.next();
  }
}
