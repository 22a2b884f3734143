//===- Warp.cpp - Images through an affine map ----------------------------===//
//
// Goes over the pixels that are made and fetches what lies around the place that each comes from.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Augmentation.h"

#include <cmath>

namespace nnc {

Affine Affine::after(const Affine &inner) const {
  const std::array<double, 6> &b = inner.a;
  return {{a[0] * b[0] + a[1] * b[3], a[0] * b[1] + a[1] * b[4], a[0] * b[2] + a[1] * b[5] + a[2],
           a[3] * b[0] + a[4] * b[3], a[3] * b[1] + a[4] * b[4], a[3] * b[2] + a[4] * b[5] + a[5]}};
}

namespace {
/// The value at (y, x) between the pixels. Where a weight is 0 the result is a pixel, bit by bit.
template <typename T> T sample(Plane<const T> image, double y, double x, T fill) {
  if (!(y > -1 && x > -1 && y < double(image.height) && x < double(image.width)))
    return fill;
  double floorY = std::floor(y), floorX = std::floor(x);
  int64_t top = int64_t(floorY), left = int64_t(floorX);
  T down = T(y - floorY), right = T(x - floorX);
  auto pixel = [&](int64_t row, int64_t column) {
    bool isInside = row >= 0 && column >= 0 && row < image.height && column < image.width;
    return isInside ? image.pixels[row * image.width + column] : fill;
  };
  auto between = [](T from, T to, T weight) {
    return weight == 0 ? from : from + weight * (to - from);
  };
  return between(between(pixel(top, left), pixel(top, left + 1), right),
                 between(pixel(top + 1, left), pixel(top + 1, left + 1), right), down);
}

template <typename T>
void warpPlane(Plane<const T> from, Plane<T> to, const std::array<double, 6> &a, T fill) {
  T *pixel = to.pixels;
  for (int64_t row = 0; row < to.height; ++row) {
    double y = a[0] * double(row) + a[2], x = a[3] * double(row) + a[5];
    for (int64_t column = 0; column < to.width; ++column)
      *pixel++ = sample(from, y + a[1] * double(column), x + a[4] * double(column), fill);
  }
}
} // namespace

void warp(Plane<const float> from, Plane<float> to, const Affine &map, float fill) {
  warpPlane(from, to, map.a, fill);
}
void warp(Plane<const double> from, Plane<double> to, const Affine &map, double fill) {
  warpPlane(from, to, map.a, fill);
}

} // namespace nnc
