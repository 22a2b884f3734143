//===- ImageFolder.cpp - Folders of images --------------------------------===//
//
// Lists the images, decodes one after the other into one array.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Images.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

namespace nnc {

namespace fs = std::filesystem;

//===----------------------------------------------------------------------===//
// Size
//===----------------------------------------------------------------------===//

namespace {
/// Which pixels of a line make one pixel of the new line, and their weights, which add up to 1.
struct Mixture {
  int64_t first = 0;
  std::vector<double> weights;
};
} // namespace

static std::vector<Mixture> mixturesOf(int64_t from, int64_t to) {
  double ratio = double(from) / double(to), reach = std::max(ratio, 1.);
  std::vector<Mixture> mixtures(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    double centre = (double(i) + 0.5) * ratio - 0.5;
    int64_t first = std::max<int64_t>(int64_t(std::ceil(centre - reach)), 0);
    int64_t last = std::min<int64_t>(int64_t(std::floor(centre + reach)), from - 1);
    Mixture &mixture = mixtures[size_t(i)];
    mixture.first = first;
    double sum = 0;
    for (int64_t j = first; j <= last; ++j) {
      mixture.weights.push_back(std::max(0., 1 - std::fabs(double(j) - centre) / reach));
      sum += mixture.weights.back();
    }
    for (double &weight : mixture.weights)
      weight /= sum;
  }
  return mixtures;
}

/// Mixes along one axis: `outer` blocks of from.size() lines of `inner` numbers each.
static std::vector<double> mixAlong(const std::vector<double> &values, size_t outer, size_t length,
                                    size_t inner, const std::vector<Mixture> &mixtures) {
  std::vector<double> result(outer * mixtures.size() * inner);
  for (size_t block = 0; block < outer; ++block)
    for (size_t i = 0; i < mixtures.size(); ++i)
      for (size_t j = 0; j < mixtures[i].weights.size(); ++j) {
        const double *from = &values[(block * length + size_t(mixtures[i].first) + j) * inner];
        double *to = &result[(block * mixtures.size() + i) * inner];
        for (size_t k = 0; k < inner; ++k)
          to[k] += mixtures[i].weights[j] * from[k];
      }
  return result;
}

Tensor resizeImage(const Tensor &image, int64_t height, int64_t width) {
  if (image.dim(1) == height && image.dim(2) == width)
    return image.to(ElementType::F32);
  size_t channels = size_t(image.dim(0)), oldHeight = size_t(image.dim(1)),
         oldWidth = size_t(image.dim(2));
  std::vector<double> values = mixAlong(image.toDoubles(), channels * oldHeight, oldWidth, 1,
                                        mixturesOf(image.dim(2), width));
  values = mixAlong(values, channels, oldHeight, size_t(width), mixturesOf(image.dim(1), height));
  return Tensor::of<double>({image.dim(0), height, width}, values).to(ElementType::F32);
}

//===----------------------------------------------------------------------===//
// Folders
//===----------------------------------------------------------------------===//

namespace {
struct LabelledFile {
  std::string path;
  int64_t label;
};
} // namespace

static bool isImageName(const fs::path &path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

/// What is in a folder and satisfies `isWanted`, in the order of the names.
template <typename Predicate>
static Result<std::vector<fs::path>> list(const std::string &folder, Predicate isWanted) {
  std::error_code failed;
  std::vector<fs::path> entries;
  fs::directory_iterator entry(folder, failed), end;
  for (; !failed && entry != end; entry.increment(failed))
    if (isWanted(entry->path()))
      entries.push_back(entry->path());
  if (failed)
    return Error::plain("cannot read: " + systemReason(failed.value())).in(folder);
  std::sort(entries.begin(), entries.end());
  return entries;
}

static Result<std::vector<LabelledFile>> listImages(const std::string &folder) {
  Result<std::vector<fs::path>> classes = list(folder, [](const fs::path &path) {
    std::error_code failed;
    return fs::is_directory(path, failed) && path.filename().string()[0] != '.';
  });
  if (!classes)
    return classes.takeError();
  std::vector<LabelledFile> files;
  for (size_t label = 0; label < classes->size(); ++label) {
    Result<std::vector<fs::path>> images = list((*classes)[label].string(), isImageName);
    if (!images)
      return images.takeError();
    if (images->empty())
      return Error::expectedFound("PNG or JPEG images of one class", "none")
          .in((*classes)[label].string());
    for (const fs::path &path : *images)
      files.push_back({path.string(), int64_t(label)});
  }
  if (files.empty())
    return Error::expectedFound("a sub-folder of images for each class", "none").in(folder);
  return files;
}

Result<Dataset> readImageFolder(const std::string &path, const ImageFolderOptions &options) {
  Result<std::vector<LabelledFile>> files = listImages(path);
  if (!files)
    return files.takeError();
  Tensor images(ElementType::F32, {0}), labels(ElementType::I64, {int64_t(files->size())});
  std::optional<std::pair<int64_t, int64_t>> size = options.size;
  for (size_t i = 0; i < files->size(); ++i) {
    const std::string &file = (*files)[i].path;
    Result<std::string> bytes = readFile(file);
    if (!bytes)
      return bytes.takeError();
    Result<Tensor> image = decodeImage(*bytes, file, options.channels);
    if (!image)
      return image.takeError();
    std::pair<int64_t, int64_t> found(image->dim(1), image->dim(2));
    if (!size)
      size = found;
    if (i == 0) {
      TensorShape shape{labels.size(), options.channels, size->first, size->second};
      if (!numElements(shape))
        return Error::expectedFound("images that memory can hold", toString(shape)).in(path);
      images = Tensor(ElementType::F32, shape);
    }
    if (!options.size && found != *size)
      return Error::expectedFound(fmt::format("{} x {} pixels, as in {}", size->first, size->second,
                                              files->front().path),
                                  fmt::format("{} x {}", found.first, found.second))
          .in(file)
          .help(fmt::format("bring all to one size: size = [{}, {}]", size->first, size->second));
    Tensor resized = resizeImage(*image, size->first, size->second);
    std::copy_n(resized.as<float>(), resized.size(),
                images.as<float>() + int64_t(i) * resized.size());
    labels.as<int64_t>()[i] = (*files)[i].label;
  }
  Dataset dataset;
  dataset.add("image", std::move(images));
  dataset.add("label", std::move(labels));
  return dataset;
}

} // namespace nnc
