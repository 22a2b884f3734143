//===- TensorText.cpp - Tensors as text -----------------------------------===//
//
// Nested lists, written and read.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/TensorText.h"

#include "nnc/Data/Csv.h"
#include "nnc/Data/Npy.h"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nnc {

std::string typeText(const Tensor &tensor) {
  return nameOf(tensor.type()) + (tensor.rank() == 0 ? std::string() : toString(tensor.shape()));
}

namespace {
class TensorWriter {
public:
  TensorWriter(const Tensor &source, bool asJson)
      : tensor(source), json(asJson), abbreviate(!asJson && source.size() > 1000) {}

  std::string write() {
    writeAxis(0, 0, tensor.size());
    return std::move(text);
  }

private:
  void writeElement(int64_t index) {
    if (tensor.type() == ElementType::Bool)
      text += tensor.at(index) != 0 ? "true" : "false";
    else if (tensor.type() == ElementType::I64)
      text += fmt::format("{}", tensor.as<int64_t>()[index]);
    else if (json && !std::isfinite(tensor.at(index)))
      text += "null";
    else if (tensor.type() == ElementType::F32)
      text += fmt::format("{}", tensor.as<float>()[index]);
    else
      text += fmt::format("{}", tensor.at(index));
  }

  /// Writes the part along `axis` that starts at element `first` and has `count` elements.
  void writeAxis(size_t axis, int64_t first, int64_t count) {
    if (axis == tensor.shape().size())
      return writeElement(first);
    int64_t size = tensor.dim(axis), stride = size == 0 ? 0 : count / size;
    text += "[";
    for (int64_t index = 0; index < size; ++index) {
      if (abbreviate && size > 8 && index == 3) {
        text += ", …";
        index = size - 3;
      }
      text += index == 0 ? "" : ", ";
      writeAxis(axis + 1, first + index * stride, stride);
    }
    text += "]";
  }

  const Tensor &tensor;
  bool json, abbreviate;
  std::string text;
};

/// Collects the numbers of nested JSON lists, checking that they form a box.
class ListReader {
public:
  std::optional<Error> read(const nlohmann::json &value, size_t axis = 0) {
    if (!value.is_array())
      return readNumber(value, axis);
    if (axis == shape.size()) {
      if (!numbers.empty() || axis > 32)
        return Error::expectedFound("lists of one depth", "a list beside a number");
      shape.push_back(int64_t(value.size()));
    } else if (shape[axis] != int64_t(value.size())) {
      return Error::expectedFound(fmt::format("a list of {} elements", shape[axis]),
                                  fmt::format("{}", value.size()));
    }
    for (const nlohmann::json &element : value)
      if (std::optional<Error> error = read(element, axis + 1))
        return error;
    return std::nullopt;
  }

  TensorShape shape;
  std::vector<double> numbers;

private:
  std::optional<Error> readNumber(const nlohmann::json &value, size_t axis) {
    if (axis != shape.size())
      return Error::expectedFound("a list", "a number");
    if (value.is_boolean())
      numbers.push_back(value.get<bool>());
    else if (value.is_number())
      numbers.push_back(value.get<double>());
    else
      return Error::expectedFound("numbers", quote(value.dump()));
    return std::nullopt;
  }
};
} // namespace

std::string toText(const Tensor &tensor, bool json) { return TensorWriter(tensor, json).write(); }

/// Lines of text, each behind the indent.
static std::string indentLines(const std::string &bytes, const std::string &indent) {
  std::string lines;
  for (size_t start = 0; start <= bytes.size();) {
    size_t end = std::min(bytes.find('\n', start), bytes.size());
    lines += (end > start ? indent : "") + printable(bytes.substr(start, end - start)) + "\n";
    start = end + 1;
  }
  return lines;
}

std::string toCharacters(const Tensor &tensor, const std::string &indent) {
  int64_t length = tensor.rank() == 0 ? 1 : tensor.shape().back();
  std::string text, row;
  for (int64_t index = 0; index < tensor.size(); ++index) {
    double value = tensor.at(index);
    if (value >= 0 && value <= 255)
      row += char(uint8_t(value));
    else
      row += "\ufffd";
    if ((index + 1) % length == 0) {
      text += (index < length ? "" : "\n") + indentLines(row, indent);
      row.clear();
    }
  }
  return text;
}

Result<Tensor> parseTensor(const std::string &text, ElementType type) {
  nlohmann::json value = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded())
    return Error::expectedFound("a number or nested lists of numbers", quote(text));
  ListReader reader;
  if (std::optional<Error> error = reader.read(value))
    return std::move(*error);
  Tensor tensor(ElementType::F64, reader.shape);
  std::copy(reader.numbers.begin(), reader.numbers.end(), tensor.as<double>());
  return tensor.to(type);
}

Result<Tensor> readTensor(const std::string &fileOrLiteral, ElementType type) {
  auto endsWith = [&](std::string_view suffix) {
    return fileOrLiteral.size() >= suffix.size() &&
           std::string_view(fileOrLiteral).substr(fileOrLiteral.size() - suffix.size()) == suffix;
  };
  if (endsWith(".npy")) {
    Result<Tensor> tensor = readNpy(fileOrLiteral);
    return tensor ? Result<Tensor>(tensor->to(type)) : tensor;
  }
  if (endsWith(".csv") || endsWith(".csv.gz")) {
    Result<Dataset> table = readCsv(fileOrLiteral, {});
    return table ? Result<Tensor>(table->columns.front().to(type))
                 : Result<Tensor>(table.takeError());
  }
  return parseTensor(fileOrLiteral, type);
}

} // namespace nnc
