//===- Compress.h - gzip data for tests of readers ---------------*- C++ -*-===//
#ifndef NNC_TEST_UNIT_DATA_COMPRESS_H
#define NNC_TEST_UNIT_DATA_COMPRESS_H

#include "gtest/gtest.h"

#include <string>
#include <zlib.h>

inline std::string gzip(const std::string &content) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string bytes(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(content.data()));
  stream.avail_in = uInt(content.size());
  stream.next_out = reinterpret_cast<Bytef *>(bytes.data());
  stream.avail_out = uInt(bytes.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

#endif // NNC_TEST_UNIT_DATA_COMPRESS_H
