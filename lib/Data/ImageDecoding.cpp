//===- ImageDecoding.cpp - PNG and JPEG files -----------------------------===//
//
// libpng's simplified interface, and libjpeg-turbo with its errors caught. Anything that a decoder
// only warns of, such as an early end, is an error here: a damaged image is no example to learn from.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Images.h"

#include <fmt/format.h>

#include <csetjmp>
#include <cstdio>
#include <jpeglib.h>
#include <png.h>

namespace nnc {

/// No image has more pixels than this, so that a small file cannot fill the memory.
constexpr int64_t maxPixels = int64_t(1) << 26;

static Error damaged(const char *kind, std::string_view reason) {
  return Error::expectedFound(fmt::format("a {} image", kind),
                              fmt::format("a damaged file ({})", printable(reason)))
      .help("the file may be cut short");
}

static Status checkSize(int64_t height, int64_t width) {
  if (height > 0 && width > 0 && height <= maxPixels / width)
    return {};
  return Error::expectedFound(fmt::format("an image of 1 to {} pixels", maxPixels),
                              fmt::format("{} x {}", height, width));
}

/// Pixel by pixel to channel by channel.
static Tensor toPlanes(const std::vector<uint8_t> &pixels, int64_t channels, int64_t height,
                       int64_t width) {
  Tensor image(ElementType::U8, {channels, height, width});
  uint8_t *to = image.as<uint8_t>();
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t i = 0; i < height * width; ++i)
      *to++ = pixels[size_t(i * channels + channel)];
  return image;
}

namespace {
/// libpng's state, released at the end of its scope.
struct PngImage {
  png_image image{};
  PngImage() { image.version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(&image); }
};
} // namespace

static Result<Tensor> decodePng(std::string_view bytes, int64_t channels) {
  PngImage png;
  png_image &image = png.image;
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()))
    return damaged("PNG", image.message);
  if (Status status = checkSize(image.height, image.width); !status)
    return status.takeError();
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  // Zeros: what is transparent is laid on them.
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(image));
  int64_t height = image.height, width = image.width;
  if (!png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr))
    return damaged("PNG", image.message);
  return toPlanes(pixels, channels, height, width);
}

namespace {
/// libjpeg's state with an error handler that jumps back to who called it.
struct JpegImage {
  jpeg_decompress_struct image{};
  jpeg_error_mgr errors{};
  jmp_buf start;
  char message[JMSG_LENGTH_MAX] = "";

  static JpegImage &of(j_common_ptr info) { return *static_cast<JpegImage *>(info->client_data); }
  /// An error, or the first warning.
  [[noreturn]] static void stop(j_common_ptr info) {
    JpegImage &jpeg = of(info);
    jpeg.errors.format_message(info, jpeg.message);
    longjmp(jpeg.start, 1);
  }
  static void report(j_common_ptr info, int level) {
    if (level < 0)
      stop(info);
  }

  JpegImage() {
    image.err = jpeg_std_error(&errors);
    errors.error_exit = stop;
    errors.emit_message = report;
    image.client_data = this;
  }
  ~JpegImage() { jpeg_destroy_decompress(&image); }
};
} // namespace

/// Reads what the decoder can say without decoding. Nothing here has a destructor: an error jumps
/// out of it.
static bool beginJpeg(JpegImage &jpeg, std::string_view bytes, int64_t channels) {
  if (setjmp(jpeg.start))
    return false;
  jpeg_create_decompress(&jpeg.image);
  jpeg_mem_src(&jpeg.image, reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size());
  jpeg_read_header(&jpeg.image, TRUE);
  jpeg.image.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  // The slow transform is exact to the bit on every machine.
  jpeg.image.dct_method = JDCT_ISLOW;
  return true;
}

static bool finishJpeg(JpegImage &jpeg, uint8_t *pixels, size_t rowBytes) {
  if (setjmp(jpeg.start))
    return false;
  jpeg_start_decompress(&jpeg.image);
  while (jpeg.image.output_scanline < jpeg.image.output_height) {
    JSAMPROW row = pixels + jpeg.image.output_scanline * rowBytes;
    jpeg_read_scanlines(&jpeg.image, &row, 1);
  }
  jpeg_finish_decompress(&jpeg.image);
  return true;
}

static Result<Tensor> decodeJpeg(std::string_view bytes, int64_t channels) {
  JpegImage jpeg;
  if (!beginJpeg(jpeg, bytes, channels))
    return damaged("JPEG", jpeg.message);
  int64_t height = jpeg.image.image_height, width = jpeg.image.image_width;
  if (Status status = checkSize(height, width); !status)
    return status.takeError();
  if (jpeg.image.jpeg_color_space == JCS_CMYK || jpeg.image.jpeg_color_space == JCS_YCCK)
    return Error::expectedFound("a JPEG image of grey or of red, green and blue", "one of inks");
  std::vector<uint8_t> pixels(size_t(height * width * channels));
  if (!finishJpeg(jpeg, pixels.data(), size_t(width * channels)))
    return damaged("JPEG", jpeg.message);
  return toPlanes(pixels, channels, height, width);
}

static Result<Tensor> decode(std::string_view bytes, int64_t channels) {
  if (bytes.substr(0, 8) == std::string_view("\x89PNG\r\n\x1a\n", 8))
    return decodePng(bytes, channels);
  if (bytes.substr(0, 3) == std::string_view("\xff\xd8\xff", 3))
    return decodeJpeg(bytes, channels);
  return Error::expectedFound("a PNG or JPEG image",
                              bytes.empty() ? "an empty file" : "something else");
}

Result<Tensor> decodeImage(std::string_view bytes, const std::string &file, int64_t channels) {
  assert(channels == 1 || channels == 3);
  Result<Tensor> image = decode(bytes, channels);
  if (!image)
    return image.takeError().in(file);
  return image;
}

} // namespace nnc
