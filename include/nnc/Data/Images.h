//===- Images.h - PNG and JPEG files, and folders of them --------*- C++ -*-===//
//
// Decodes images of any kind that libpng and libjpeg-turbo read to bytes of grey or of red, green
// and blue, channel by channel; what is transparent is laid on black. A folder holds a sub-folder
// for each class: the classes are numbered in the order of their names, and so are the images.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_IMAGES_H
#define NNC_DATA_IMAGES_H

#include "nnc/Data/Dataset.h"

namespace nnc {

/// u8[channels, height, width] of a PNG or JPEG file, told by its first bytes; channels is 1 or 3.
Result<Tensor> decodeImage(std::string_view bytes, const std::string &file, int64_t channels);

/// f32[channels, height, width] of an image of bytes: where it becomes smaller, each pixel is the
/// average of those around its place, weighted by a triangle; where larger, it is interpolated.
Tensor resizeImage(const Tensor &image, int64_t height, int64_t width);

struct ImageFolderOptions {
  int64_t channels = 3;
  /// The size that images are brought to; absent: all have the same.
  std::optional<std::pair<int64_t, int64_t>> size;
};

/// The fields "image", f32[N, channels, height, width] from 0 to 255, and "label", i64[N].
Result<Dataset> readImageFolder(const std::string &path, const ImageFolderOptions &options);

} // namespace nnc

#endif // NNC_DATA_IMAGES_H
