//===- ImagesTest.cpp - PNG and JPEG files, and folders of them -----------===//
//
// Images written here by the libraries themselves, sizes changed against sums written down once
// more, and what is said of files and folders that are wrong.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Images.h"
#include "Damage.h"
#include "Scratch.h"
#include "nnc/Support/File.h"

#include <cmath>
#include <cstdio>
#include <jpeglib.h>
#include <png.h>

using namespace nnc;
using Bytes = std::vector<uint8_t>;

/// A PNG file; `channels` is 1 to 4, pixel after pixel.
static std::string png(const Bytes &pixels, int height, int width, int channels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = png_uint_32(height);
  image.width = png_uint_32(width);
  image.format = std::array<png_uint_32, 4>{PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB,
                                            PNG_FORMAT_RGBA}[size_t(channels - 1)];
  png_alloc_size_t size = 0;
  EXPECT_TRUE(png_image_write_get_memory_size(image, size, 0, pixels.data(), 0, nullptr));
  std::string bytes(size, '\0');
  EXPECT_TRUE(png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr));
  bytes.resize(size);
  return bytes;
}

static std::string jpeg(const Bytes &pixels, unsigned height, unsigned width, int channels) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char *memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_height = height;
  info.image_width = width;
  info.input_components = channels;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  jpeg_start_compress(&info, TRUE);
  for (unsigned row = 0; row < height; ++row) {
    JSAMPROW line = const_cast<uint8_t *>(pixels.data()) + row * width * unsigned(channels);
    jpeg_write_scanlines(&info, &line, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes(reinterpret_cast<char *>(memory), size);
  free(memory);
  return bytes;
}

/// Smooth colours, pixel after pixel.
static Bytes colours(int height, int width, int channels) {
  Bytes pixels;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c)
        pixels.push_back(uint8_t(40 + 4 * y + 3 * x + 20 * c));
  return pixels;
}

static std::string errorOf(const std::string &bytes) {
  Result<Tensor> image = decodeImage(bytes, "i.png", 3);
  return image ? "no error" : image.error().str();
}

TEST(Images, DecodePng) {
  Bytes pixels = colours(3, 2, 3);
  Result<Tensor> image = decodeImage(png(pixels, 3, 2, 3), "i.png", 3);
  ASSERT_TRUE(image) << image.error().str();
  EXPECT_EQ(image->shape(), (TensorShape{3, 3, 2}));
  EXPECT_EQ(image->type(), ElementType::U8);
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t i = 0; i < 6; ++i)
      EXPECT_EQ(image->at(c * 6 + i), pixels[size_t(i * 3 + c)]);
  // Grey as it is, and grey as colours.
  Bytes grey = {0, 7, 255, 128};
  EXPECT_EQ(*decodeImage(png(grey, 2, 2, 1), "i", 1), Tensor::of<uint8_t>({1, 2, 2}, grey));
  EXPECT_EQ(*decodeImage(png(grey, 2, 2, 1), "i", 3),
            Tensor::of<uint8_t>({3, 2, 2}, {0, 7, 255, 128, 0, 7, 255, 128, 0, 7, 255, 128}));
  // Transparent white is black, opaque white is white.
  EXPECT_EQ(*decodeImage(png({255, 0, 255, 255}, 1, 2, 2), "i", 1),
            Tensor::of<uint8_t>({1, 1, 2}, {0, 255}));
}

TEST(Images, DecodeJpeg) {
  Bytes pixels = colours(16, 24, 3);
  Result<Tensor> image = decodeImage(jpeg(pixels, 16, 24, 3), "i.jpg", 3);
  ASSERT_TRUE(image) << image.error().str();
  ASSERT_EQ(image->shape(), (TensorShape{3, 16, 24}));
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t i = 0; i < 16 * 24; ++i)
      ASSERT_NEAR(image->at(c * 16 * 24 + i), pixels[size_t(i * 3 + c)], 6);
  Bytes grey = colours(8, 8, 1);
  Result<Tensor> plane = decodeImage(jpeg(grey, 8, 8, 1), "i.jpg", 1);
  ASSERT_TRUE(plane);
  for (int64_t i = 0; i < 64; ++i)
    ASSERT_NEAR(plane->at(i), grey[size_t(i)], 2);
}

TEST(Images, SaysWhatIsWrong) {
  EXPECT_EQ(errorOf(""), "i.png: error: expected a PNG or JPEG image, found an empty file");
  EXPECT_EQ(errorOf("GIF89a"), "i.png: error: expected a PNG or JPEG image, found something else");
  std::string good = png(colours(9, 9, 3), 9, 9, 3);
  std::string error = errorOf(good.substr(0, good.size() / 2));
  EXPECT_EQ(error.substr(0, 52), "i.png: error: expected a PNG image, found a damaged ") << error;
  EXPECT_NE(error.find("help: the file may be cut short"), std::string::npos);
  good = jpeg(colours(32, 32, 3), 32, 32, 3);
  EXPECT_EQ(
      errorOf(good.substr(0, good.size() / 2)),
      "i.png: error: expected a JPEG image, found a damaged file (Premature end of JPEG file)\n"
      "help: the file may be cut short");
}

TEST(Images, SurviveDamage) {
  for (const std::string &good :
       {png(colours(9, 7, 4), 9, 7, 4), jpeg(colours(17, 9, 3), 17, 9, 3)}) {
    truncateEverywhere(good, [](const std::string &cut) { errorOf(cut); });
    mutate(good, 1000, [](const std::string &changed) { errorOf(changed); });
  }
}

TEST(Images, Resize) {
  Tensor image(ElementType::U8, {2, 5, 7});
  for (int64_t i = 0; i < image.size(); ++i)
    image.set(i, double(i * 37 % 256));
  EXPECT_EQ(resizeImage(image, 5, 7), image.to(ElementType::F32));
  for (auto [height, width] :
       {std::pair(10, 7), std::pair(3, 4), std::pair(1, 1), std::pair(5, 20)}) {
    Tensor resized = resizeImage(image, height, width);
    ASSERT_EQ(resized.shape(), (TensorShape{2, height, width}));
    double scaleY = 5. / height, scaleX = 7. / width;
    double reachY = std::max(1., scaleY), reachX = std::max(1., scaleX);
    for (int64_t c = 0; c < 2; ++c)
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
          double sum = 0, weights = 0;
          for (int row = 0; row < 5; ++row)
            for (int column = 0; column < 7; ++column) {
              double dy = std::fabs(row + .5 - (y + .5) * scaleY) / reachY;
              double dx = std::fabs(column + .5 - (x + .5) * scaleX) / reachX;
              double weight = std::max(0., 1 - dy) * std::max(0., 1 - dx);
              weights += weight;
              sum += weight * image.at((c * 5 + row) * 7 + column);
            }
          ASSERT_NEAR(resized.at((c * height + y) * width + x), sum / weights, 1e-4);
        }
  }
}

static void write(const std::string &path, const std::string &bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  ASSERT_TRUE(writeFileAtomically(path, bytes));
}

TEST(Images, ReadFolders) {
  Scratch scratch;
  write(scratch.path("dog/b.PNG"), png({1, 2}, 1, 2, 1));
  write(scratch.path("dog/a.png"), png({3, 4}, 1, 2, 1));
  write(scratch.path("cat/z.png"), png({5, 6}, 1, 2, 1));
  write(scratch.path("cat/notes.txt"), "not an image");
  write(scratch.path("readme"), "not a folder");
  ImageFolderOptions options;
  options.channels = 1;
  Result<Dataset> dataset = readImageFolder(scratch.path(), options);
  ASSERT_TRUE(dataset) << dataset.error().str();
  EXPECT_EQ(*dataset->find("image"), Tensor::of<float>({3, 1, 1, 2}, {5, 6, 3, 4, 1, 2}));
  EXPECT_EQ(*dataset->find("label"), Tensor::of<int64_t>({3}, {0, 1, 1}));

  write(scratch.path("dog/c.png"), png({7}, 1, 1, 1));
  EXPECT_EQ(readImageFolder(scratch.path(), options).error().str(),
            scratch.path("dog/c.png") + ": error: expected 1 x 2 pixels, as in " +
                scratch.path("cat/z.png") +
                ", found 1 x 1\nhelp: bring all to one size: size = [1, 2]");
  options.size = {1, 2};
  Result<Dataset> resized = readImageFolder(scratch.path(), options);
  ASSERT_TRUE(resized);
  EXPECT_EQ(*resized->find("image"), Tensor::of<float>({4, 1, 1, 2}, {5, 6, 3, 4, 1, 2, 7, 7}));

  write(scratch.path("dog/d.png"), "nothing of the kind");
  EXPECT_EQ(readImageFolder(scratch.path(), options).error().str(),
            scratch.path("dog/d.png") +
                ": error: expected a PNG or JPEG image, found something else");
}

TEST(Images, SayWhatIsMissing) {
  Scratch scratch;
  EXPECT_EQ(readImageFolder(scratch.path("none"), {}).error().str(),
            scratch.path("none") + ": error: cannot read: no such file or directory");
  EXPECT_EQ(readImageFolder(scratch.path(), {}).error().str(),
            scratch.path() + ": error: expected a sub-folder of images for each class, found none");
  std::filesystem::create_directories(scratch.path("empty"));
  EXPECT_EQ(readImageFolder(scratch.path(), {}).error().str(),
            scratch.path("empty") +
                ": error: expected PNG or JPEG images of one class, found none");
}
