//===- Augmentation.h - Random changes to the rows of a training -*- C++ -*-===//
//
// What flips, shifts, turns, scales, crops, blots out and mixes the images of a batch. Geometric
// changes that follow each other are one affine map, and each pixel is interpolated once. What row r
// gets in epoch e depends on (seed, e, r) alone. Images are the last two axes of a field, height and
// width; all axes before them (channels) and all augmented fields of a row get the same change.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_AUGMENTATION_H
#define NNC_DATA_AUGMENTATION_H

#include "nnc/Data/Dataset.h"

#include <array>

namespace nnc {

struct Augmentation {
  enum class Kind { Flip, Shift, Rotate, Scale, Crop, Erase, Mixup };
  Kind kind = Kind::Flip;
  /// The fields that it changes, by their index.
  std::vector<size_t> fields;
  /// Flip, erase: how often.
  double probability = 1;
  /// Flip: top to bottom, instead of left to right.
  bool isVertical = false;
  /// Shift: at most so many pixels each way. Rotate: at most so many degrees each way.
  double amount = 0;
  /// Scale: the factors. Erase: the parts of the area.
  double low = 1, high = 1;
  /// Crop: the size that is cut out, after so many pixels have been added at each edge.
  int64_t height = 0, width = 0, padding = 0;
  /// Mixup: the weights are from Beta(alpha, alpha).
  double alpha = 0;
  /// What lies outside the image, or is blotted out.
  double fill = 0;
};

/// An affine map of the plane: (y, x) to (a[0] y + a[1] x + a[2], a[3] y + a[4] x + a[5]).
struct Affine {
  std::array<double, 6> a = {1, 0, 0, 0, 1, 0};

  /// First `inner`, then this.
  Affine after(const Affine &inner) const;
};

/// A plane of pixels, row by row.
template <typename T> struct Plane {
  T *pixels;
  int64_t height, width;
};

/// Each pixel of `to` is that of `from` at the place to which `map` takes it, by bilinear
/// interpolation of the four around it; what is outside of `from` is `fill`.
void warp(Plane<const float> from, Plane<float> to, const Affine &map, float fill);
void warp(Plane<const double> from, Plane<double> to, const Affine &map, double fill);

/// Applies augmentations to the rows of a dataset, which must outlive it.
class Augmenter {
public:
  Augmenter(const Dataset &dataset, std::vector<Augmentation> augmentations, int64_t seed);

  bool isEmpty() const { return augmentations.empty(); }
  /// The shape of a row of the field after all augmentations.
  TensorShape shapeOf(size_t field) const;
  /// Writes row `row` of each field, as it is in epoch `epoch`, as row `target` of `batch`.
  void write(int64_t row, int64_t epoch, std::vector<Tensor> &batch, int64_t target) const;

private:
  /// The fields that augmentations touch, of row `row` after the first `count` augmentations.
  std::vector<Tensor> rowAfter(size_t count, int64_t row, int64_t epoch) const;
  /// Whether the two are part of one map.
  bool isOneMap(const Augmentation &left, const Augmentation &right) const;

  const Dataset &dataset;
  std::vector<Augmentation> augmentations;
  int64_t seed;
  /// For each field its place among those that are touched, or -1.
  std::vector<int64_t> places;
};

/// The middle of each image, height x width pixels, after `padding` pixels of `fill` at each edge:
/// what evaluation sees of images that a training crops at random.
Tensor cropCentre(const Tensor &images, const Augmentation &crop);

} // namespace nnc

#endif // NNC_DATA_AUGMENTATION_H
