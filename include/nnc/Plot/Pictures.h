//===- Pictures.h - Tensors as pictures --------------------------*- C++ -*-===//
//
// Takes pictures out of tensors and gives their values colours. A grid of such pictures, with titles
// above and captions below, is a plot (Plot.h): the text is gnuplot's, the pixels are put in as they
// are, each a square.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_PLOT_PICTURES_H
#define NNC_PLOT_PICTURES_H

#include "nnc/Data/Tensor.h"

namespace nnc {

/// How a picture lies in memory.
struct ImageLayout {
  int64_t height = 0, width = 0, channels = 1; ///< channels is 1 or 3
  bool channelsLast = false;
  int64_t size() const { return height * width * channels; }
};

/// The values of the picture that begins at the element `first` of `tensor` and goes on with every
/// `stride`-th: f64[height, width], or [height, width, 3].
Tensor takePicture(const Tensor &tensor, const ImageLayout &layout, int64_t first,
                   int64_t stride = 1);

/// matplotlib's, under its names. RdBu_r is for signed values: blue below zero, red above.
enum class ColorMap { Gray, Viridis, Inferno, RdBu };
std::optional<ColorMap> colorMapNamed(std::string_view name);

/// The values at the two ends of the colours.
struct ColorRange {
  double low = 0, high = 1;
  /// From 0 to 1; values outside are held at the ends.
  double place(double value) const;
};
/// From the smallest to the largest finite value; with RdBu as far below zero as above.
ColorRange rangeOf(const Tensor &values, ColorMap map);

/// A picture of values as u8[height, width, 3]. Three channels are colours already, and `map` has no
/// say. What is not a number is magenta.
Tensor colorize(const Tensor &values, ColorMap map, ColorRange range);
/// The same laid over `under`, which is colorized and of the same size: the more a value is, the
/// less of what is under it remains.
Tensor colorizeOver(const Tensor &values, ColorMap map, ColorRange range, const Tensor &under);

} // namespace nnc

#endif // NNC_PLOT_PICTURES_H
