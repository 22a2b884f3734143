//===- GridLayout.h - Where the pictures of a plot stand ---------*- C++ -*-===//
//
// In pixels of an SVG image from the top left; a PNG has twice as many. Every pixel of a picture is a
// square of a whole number of them.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_PLOT_GRIDLAYOUT_H
#define NNC_LIB_PLOT_GRIDLAYOUT_H

#include "nnc/Plot/Plot.h"

namespace nnc {

struct GridLayout {
  explicit GridLayout(const PlotSpec &spec);

  struct Box {
    int left, top, width, height;
  };
  /// The place of a picture: of the cell's size or smaller, in its middle.
  Box box(size_t index) const;
  /// What is written: the middle of a line of text, and how many letters have room.
  struct Text {
    std::string text;
    int x, y;
    bool isLeft; ///< x is its left end
    bool isTitle;
  };
  std::vector<Text> texts() const;

  int width = 0, height = 0;

private:
  bool hasCaptions(size_t row) const;
  int rowTitleWidth() const;
  std::string fitting(const std::string &text, int room) const;

  const PlotSpec &spec;
  int cellWidth = 1, cellHeight = 1, firstTop = 0;
  std::vector<int> lefts, tops; ///< of the columns and the rows
};

/// The picture with each pixel as a square of `scale` x `scale`.
Tensor enlarged(const Tensor &pixels, int scale);

} // namespace nnc

#endif // NNC_LIB_PLOT_GRIDLAYOUT_H
