//===- FuzzCsv.cpp - Any bytes as a CSV table -----------------------------===//
//
// The first byte chooses the options, the rest is the file. Whatever it holds, the reader answers
// with a dataset or with an error that says where.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Csv.h"

#include <cstdlib>

using namespace nnc;

static CsvOptions chooseOptions(uint8_t choice) {
  CsvOptions options;
  if (choice & 1)
    options.fields = {{"x", {CsvColumns::range(0, -1)}, ElementType::F64, false},
                      {"y", {CsvColumns::single(-1)}, ElementType::I64, true}};
  if (choice & 2)
    options.hasHeader = (choice & 4) != 0;
  if (choice & 8)
    options.delimiter = (choice & 16) != 0 ? ';' : ' ';
  options.skip = choice >> 6;
  return options;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size == 0)
    return 0;
  std::string_view text(reinterpret_cast<const char *>(bytes) + 1, size - 1);
  Result<Dataset> dataset = parseCsv(text, "fuzz.csv", chooseOptions(bytes[0]));
  if (!dataset && dataset.error().what().empty())
    abort();
  return 0;
}
