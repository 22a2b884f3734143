//===- Dataset.cpp - Named columns with one row an example ----------------===//
//
// Looking fields up, and checking that arrays from a file line up.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Dataset.h"

#include <fmt/format.h>

namespace nnc {

void Dataset::add(std::string field, Tensor column) {
  assert(column.rank() > 0 && (columns.empty() || column.dim(0) == numRows()));
  fields.push_back(std::move(field));
  columns.push_back(std::move(column));
}

const Tensor *Dataset::find(std::string_view field) const {
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i] == field)
      return &columns[i];
  return nullptr;
}

Tensor *Dataset::find(std::string_view field) {
  return const_cast<Tensor *>(std::as_const(*this).find(field));
}

Result<Dataset> makeDataset(std::vector<NamedTensor> arrays, const std::string &file) {
  Dataset dataset;
  for (NamedTensor &array : arrays) {
    std::string field = fmt::format("array {}", quote(array.name));
    if (array.value.rank() == 0)
      return Error::expectedFound("rows of examples", "a scalar").in(file).of(field);
    if (!dataset.columns.empty() && array.value.dim(0) != dataset.numRows())
      return Error::expectedFound(fmt::format("{} rows, as in array {}", dataset.numRows(),
                                              quote(dataset.fields[0])),
                                  fmt::format("{}", array.value.dim(0)))
          .in(file)
          .of(field);
    dataset.add(std::move(array.name), std::move(array.value));
  }
  return dataset;
}

} // namespace nnc
