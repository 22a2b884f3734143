//===- Augmentation.cpp - Random changes to the rows of a training --------===//
//
// A row goes through the augmentations in their order; a run of geometric ones is one map, from the
// pixels that come out to those that go in.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Augmentation.h"
#include "nnc/Support/Random.h"

#include <cmath>

namespace nnc {

// Streams of random numbers count down from here, one for each augmentation of a pipeline.
static constexpr int64_t firstStream = -16;

namespace {
using Kind = Augmentation::Kind;

/// The random numbers of one augmentation of one row in one epoch.
class Draws {
public:
  Draws(int64_t seed, int64_t epoch, size_t augmentation, int64_t row)
      : seed(seed), epoch(epoch), stream(firstStream - int64_t(augmentation)), index(row << 16) {}

  double uniform() { return unitInterval53(words()); }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// From 0 to bound - 1.
  int64_t below(int64_t bound) { return std::min(int64_t(uniform() * double(bound)), bound - 1); }
  double normal() { return normal53(words()); }

private:
  PhiloxWords words() { return randomWords(seed, epoch, stream, index++); }
  int64_t seed, epoch, stream, index;
};

struct Size {
  int64_t height, width;
};
} // namespace

static Size imageSize(const TensorShape &shape) {
  return {shape[shape.size() - 2], shape[shape.size() - 1]};
}

static bool isGeometric(Kind kind) { return kind != Kind::Erase && kind != Kind::Mixup; }

/// The size of an image after the augmentation.
static Size sizeAfter(const Augmentation &augmentation, Size size) {
  return augmentation.kind == Kind::Crop ? Size{augmentation.height, augmentation.width} : size;
}

/// The map with this linear part that leaves the middle of an image where it is.
static Affine aboutCentre(double yy, double yx, double xy, double xx, Size size) {
  double y = double(size.height - 1) / 2, x = double(size.width - 1) / 2;
  return {{yy, yx, y - yy * y - yx * x, xy, xx, x - xy * y - xx * x}};
}

/// Where a pixel after the augmentation is in the image before it, which has size `size`.
static Affine drawMap(const Augmentation &augmentation, Size size, Draws draws) {
  switch (augmentation.kind) {
  case Kind::Flip:
    if (draws.uniform() >= augmentation.probability)
      return {};
    return augmentation.isVertical ? aboutCentre(-1, 0, 0, 1, size)
                                   : aboutCentre(1, 0, 0, -1, size);
  case Kind::Shift: {
    int64_t most = int64_t(augmentation.amount);
    double y = double(draws.below(2 * most + 1) - most);
    return {{1, 0, y, 0, 1, double(draws.below(2 * most + 1) - most)}};
  }
  case Kind::Rotate: {
    double angle = draws.uniform(-augmentation.amount, augmentation.amount) * M_PI / 180;
    double cosine = std::cos(angle), sine = std::sin(angle);
    return aboutCentre(cosine, sine, -sine, cosine, size);
  }
  case Kind::Scale: {
    double inverse = 1 / draws.uniform(augmentation.low, augmentation.high);
    return aboutCentre(inverse, 0, 0, inverse, size);
  }
  case Kind::Crop: {
    int64_t padding = augmentation.padding;
    int64_t top = draws.below(size.height + 2 * padding - augmentation.height + 1);
    int64_t left = draws.below(size.width + 2 * padding - augmentation.width + 1);
    return {{1, 0, double(top - padding), 0, 1, double(left - padding)}};
  }
  case Kind::Erase:
  case Kind::Mixup:
    break;
  }
  return {};
}

/// Calls `function` with a value of the C++ type of the tensor, which is float or double.
template <typename Function> static void onFloats(const Tensor &tensor, Function function) {
  assert(tensor.type() == ElementType::F32 || tensor.type() == ElementType::F64);
  if (tensor.type() == ElementType::F32)
    function(float());
  else
    function(double());
}

/// All planes of `images` through one map.
static Tensor warpAll(const Tensor &images, Size to, const Affine &map, double fill) {
  Size from = imageSize(images.shape());
  TensorShape shape = images.shape();
  shape[shape.size() - 2] = to.height;
  shape[shape.size() - 1] = to.width;
  Tensor result(images.type(), shape);
  int64_t pixelsIn = from.height * from.width, pixelsOut = to.height * to.width;
  onFloats(images, [&](auto type) {
    using T = decltype(type);
    for (int64_t in = 0, out = 0; out < result.size(); in += pixelsIn, out += pixelsOut)
      warp({images.as<T>() + in, from.height, from.width},
           {result.as<T>() + out, to.height, to.width}, map, T(fill));
  });
  return result;
}

Tensor cropCentre(const Tensor &images, const Augmentation &crop) {
  Size size = imageSize(images.shape());
  auto offset = [&](int64_t before, int64_t after) {
    int64_t pixels = (before + 2 * crop.padding - after) / 2 - crop.padding;
    return double(pixels);
  };
  Affine map{{1, 0, offset(size.height, crop.height), 0, 1, offset(size.width, crop.width)}};
  return warpAll(images, {crop.height, crop.width}, map, crop.fill);
}

/// Sets a rectangle to the fill value (Zhong et al., Random erasing data augmentation, 2020).
static void erase(Tensor &images, const Augmentation &augmentation, Draws draws) {
  if (draws.uniform() >= augmentation.probability)
    return;
  Size size = imageSize(images.shape());
  double area =
      draws.uniform(augmentation.low, augmentation.high) * double(size.height * size.width);
  double aspect = std::exp(draws.uniform(-1, 1) * std::log(10. / 3));
  auto side = [](double length, int64_t most) {
    return std::clamp<int64_t>(std::llround(std::sqrt(length)), 1, most);
  };
  int64_t height = side(area * aspect, size.height), width = side(area / aspect, size.width);
  int64_t top = draws.below(size.height - height + 1), left = draws.below(size.width - width + 1);
  onFloats(images, [&](auto type) {
    using T = decltype(type);
    for (int64_t plane = 0; plane < images.size(); plane += size.height * size.width)
      for (int64_t y = top; y < top + height; ++y)
        std::fill_n(images.as<T>() + plane + y * size.width + left, width, T(augmentation.fill));
  });
}

/// A number with the gamma distribution (Marsaglia and Tsang, A simple method for generating gamma
/// variables, 2000).
static double drawGamma(double shape, Draws &draws) {
  double boost = shape < 1 ? std::pow(1 - draws.uniform(), 1 / shape) : 1;
  double d = (shape < 1 ? shape + 1 : shape) - 1. / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    double x = draws.normal(), v = 1 + c * x;
    if (v <= 0)
      continue;
    v = v * v * v;
    if (std::log(1 - draws.uniform()) < x * x / 2 + d - d * v + d * std::log(v))
      return boost * d * v;
  }
}

static double drawBeta(double alpha, Draws &draws) {
  double left = drawGamma(alpha, draws), right = drawGamma(alpha, draws);
  // Both are too small for a double where alpha is nearly 0; then one weight is 0, the other 1.
  return left + right > 0 ? left / (left + right) : double(draws.below(2));
}

static void mix(Tensor &tensor, const Tensor &other, double weight) {
  onFloats(tensor, [&](auto type) {
    using T = decltype(type);
    T *values = tensor.as<T>();
    const T *others = other.as<T>();
    for (int64_t i = 0; i < tensor.size(); ++i)
      values[i] = T(weight) * values[i] + T(1 - weight) * others[i];
  });
}

Augmenter::Augmenter(const Dataset &dataset, std::vector<Augmentation> list, int64_t seed)
    : dataset(dataset), augmentations(std::move(list)), seed(seed),
      places(dataset.columns.size(), -1) {
  int64_t count = 0;
  for (const Augmentation &augmentation : augmentations)
    for (size_t field : augmentation.fields)
      if (places[field] < 0)
        places[field] = count++;
}

TensorShape Augmenter::shapeOf(size_t field) const {
  TensorShape shape = dataset.columns[field].shape();
  shape.erase(shape.begin());
  for (const Augmentation &augmentation : augmentations)
    if (isGeometric(augmentation.kind) &&
        std::count(augmentation.fields.begin(), augmentation.fields.end(), field)) {
      Size size = sizeAfter(augmentation, imageSize(shape));
      shape[shape.size() - 2] = size.height;
      shape[shape.size() - 1] = size.width;
    }
  return shape;
}

bool Augmenter::isOneMap(const Augmentation &left, const Augmentation &right) const {
  return isGeometric(left.kind) && isGeometric(right.kind) && left.fields == right.fields &&
         left.fill == right.fill;
}

/// A row of a column, without the first axis.
static Tensor rowOf(const Tensor &column, int64_t row) {
  Tensor result(column.type(), TensorShape(column.shape().begin() + 1, column.shape().end()));
  std::memcpy(result.data(), column.bytes().data() + size_t(row) * result.sizeInBytes(),
              result.sizeInBytes());
  return result;
}

std::vector<Tensor> Augmenter::rowAfter(size_t count, int64_t row, int64_t epoch) const {
  std::vector<Tensor> fields(places.size());
  for (size_t field = 0; field < places.size(); ++field)
    if (places[field] >= 0)
      fields[size_t(places[field])] = rowOf(dataset.columns[field], row);
  auto fieldAt = [&](size_t field) -> Tensor & { return fields[size_t(places[field])]; };
  for (size_t first = 0, next = 0; first < count; first = next) {
    const Augmentation &augmentation = augmentations[first];
    next = first + 1;
    if (augmentation.kind == Kind::Mixup) {
      Draws draws(seed, epoch, first, row);
      std::vector<Tensor> other = rowAfter(first, draws.below(dataset.numRows()), epoch);
      double weight = drawBeta(augmentation.alpha, draws);
      for (size_t field : augmentation.fields)
        mix(fieldAt(field), other[size_t(places[field])], weight);
      continue;
    }
    if (augmentation.kind == Kind::Erase) {
      for (size_t field : augmentation.fields)
        erase(fieldAt(field), augmentation, Draws(seed, epoch, first, row));
      continue;
    }
    while (next < count && isOneMap(augmentation, augmentations[next]))
      ++next;
    for (size_t field : augmentation.fields) {
      Tensor &images = fieldAt(field);
      Size size = imageSize(images.shape());
      Affine map;
      for (size_t index = first; index < next; ++index) {
        map = map.after(drawMap(augmentations[index], size, Draws(seed, epoch, index, row)));
        size = sizeAfter(augmentations[index], size);
      }
      images = warpAll(images, size, map, augmentation.fill);
    }
  }
  return fields;
}

void Augmenter::write(int64_t row, int64_t epoch, std::vector<Tensor> &batch,
                      int64_t target) const {
  std::vector<Tensor> changed;
  if (!isEmpty())
    changed = rowAfter(augmentations.size(), row, epoch);
  for (size_t field = 0; field < batch.size(); ++field) {
    const Tensor &column = dataset.columns[field];
    size_t size = batch[field].sizeInBytes() / size_t(batch[field].dim(0));
    const char *source = places[field] < 0 ? column.bytes().data() + size_t(row) * size
                                           : changed[size_t(places[field])].bytes().data();
    std::memcpy(static_cast<char *>(batch[field].data()) + size_t(target) * size, source, size);
  }
}

} // namespace nnc
