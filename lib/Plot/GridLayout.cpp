//===- GridLayout.cpp - Where the pictures of a plot stand ----------------===//
//
// Few pictures are large, many small; the largest decides, and smaller ones stand in the middle of
// their cells.
//
//===----------------------------------------------------------------------===//
#include "GridLayout.h"

#include "nnc/Support/Result.h"

#include <cstring>

namespace nnc {

static constexpr int margin = 16, gap = 8, groupGap = 20, titleHeight = 32, headHeight = 22,
                     captionHeight = 20, letterWidth = 8, minWidth = 200;
static constexpr size_t maxLetters = 24;

/// How wide a cell should be where so many stand in a row.
static int wantedWidth(int numColumns) {
  return numColumns <= 4 ? 150 : numColumns <= 8 ? 112 : numColumns <= 12 ? 84 : 56;
}

GridLayout::GridLayout(const PlotSpec &spec) : spec(spec) {
  const PictureGrid &grid = spec.grid;
  int pixelsWide = 1, pixelsHigh = 1;
  bool hasHeads = false, hasGroups = false;
  for (const PlotPicture &picture : grid.pictures) {
    pixelsWide = std::max(pixelsWide, int(picture.pixels.dim(1)));
    pixelsHigh = std::max(pixelsHigh, int(picture.pixels.dim(0)));
  }
  for (const PictureColumns &group : grid.columns) {
    hasHeads |= !group.title.empty();
    hasGroups |= group.count > 1 && grid.columns.size() > 1;
  }
  size_t numColumns = 0;
  for (const PictureColumns &group : grid.columns)
    numColumns += group.count;
  int scale = std::max(1, wantedWidth(int(numColumns)) / std::max(pixelsWide, pixelsHigh));
  cellWidth = scale * pixelsWide;
  cellHeight = scale * pixelsHigh;
  int left = margin + rowTitleWidth();
  for (const PictureColumns &group : grid.columns) {
    for (size_t column = 0; column < group.count; ++column, left += cellWidth + gap)
      lefts.push_back(left);
    left += hasGroups ? groupGap - gap : 0;
  }
  width = std::max(minWidth, lefts.empty() ? 0 : lefts.back() + cellWidth + margin);
  firstTop = margin / 2 + (spec.title.empty() ? 0 : titleHeight) + (hasHeads ? headHeight : 0);
  height = firstTop;
  for (size_t index = 0; index < grid.pictures.size(); ++index) {
    if (index % lefts.size() == 0)
      tops.push_back(height);
    bool isLast = index % lefts.size() == lefts.size() - 1 || index + 1 == grid.pictures.size();
    if (isLast)
      height += cellHeight + (hasCaptions(tops.size() - 1) ? captionHeight : 0) + gap;
  }
  height += margin - gap;
}

bool GridLayout::hasCaptions(size_t row) const {
  size_t end = std::min((row + 1) * lefts.size(), spec.grid.pictures.size());
  for (size_t index = row * lefts.size(); index < end; ++index)
    if (!spec.grid.pictures[index].caption.empty())
      return true;
  return false;
}

/// The width of the longest, and a distance.
int GridLayout::rowTitleWidth() const {
  size_t letters = 0;
  for (const std::string &title : spec.grid.rowTitles)
    letters = std::max(letters, std::min(title.size(), maxLetters));
  return letters ? letterWidth * int(letters) + gap : 0;
}

GridLayout::Box GridLayout::box(size_t index) const {
  const Tensor &pixels = spec.grid.pictures[index].pixels;
  int pixelsHigh = int(pixels.dim(0)), pixelsWide = int(pixels.dim(1));
  int scale = std::max(1, std::min(cellWidth / pixelsWide, cellHeight / pixelsHigh));
  Box box{lefts[index % lefts.size()], tops[index / lefts.size()], scale * pixelsWide,
          scale * pixelsHigh};
  box.left += (cellWidth - box.width) / 2;
  box.top += (cellHeight - box.height) / 2;
  return box;
}

std::string GridLayout::fitting(const std::string &text, int room) const {
  size_t most = size_t(std::max(3, room / letterWidth));
  std::string shown = printable(text);
  return shown.size() <= most ? shown : std::string(wholeCharacters(shown, most - 1)) + "…";
}

std::vector<GridLayout::Text> GridLayout::texts() const {
  std::vector<Text> texts;
  if (!spec.title.empty())
    texts.push_back({spec.title, margin, margin / 2 + titleHeight / 2, true, true});
  size_t column = 0;
  for (const PictureColumns &group : spec.grid.columns) {
    if (group.count == 0)
      continue;
    int left = lefts[column], right = lefts[column + group.count - 1] + cellWidth;
    if (!group.title.empty())
      texts.push_back({fitting(group.title, right - left + gap), (left + right) / 2,
                       firstTop - headHeight / 2, false, false});
    column += group.count;
  }
  for (size_t row = 0; row < spec.grid.rowTitles.size(); ++row)
    texts.push_back({fitting(spec.grid.rowTitles[row], int(maxLetters) * letterWidth), margin,
                     tops[row] + cellHeight / 2, true, false});
  for (size_t index = 0; index < spec.grid.pictures.size(); ++index) {
    const std::string &caption = spec.grid.pictures[index].caption;
    if (!caption.empty())
      texts.push_back({fitting(caption, cellWidth + gap),
                       lefts[index % lefts.size()] + cellWidth / 2,
                       tops[index / lefts.size()] + cellHeight + captionHeight / 2, false, false});
  }
  return texts;
}

Tensor enlarged(const Tensor &pixels, int scale) {
  int64_t height = pixels.dim(0), width = pixels.dim(1);
  Tensor result(ElementType::U8, {height * scale, width * scale, 3});
  const uint8_t *from = pixels.as<uint8_t>();
  uint8_t *to = result.as<uint8_t>();
  for (int64_t row = 0; row < height * scale; ++row)
    for (int64_t column = 0; column < width * scale; ++column, to += 3)
      std::memcpy(to, from + ((row / scale) * width + column / scale) * 3, 3);
  return result;
}

} // namespace nnc
