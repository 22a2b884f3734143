//===- CsvNumber.cpp - The number in a cell -------------------------------===//
//
// std::from_chars does the work: exact, fast, and the same in every locale.
//
//===----------------------------------------------------------------------===//
#include "CsvNumber.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <type_traits>

namespace nnc {

/// std::from_chars takes no plus sign.
static std::string_view withoutPlus(std::string_view cell) {
  bool hasPlus = cell.size() > 1 && cell[0] == '+' && cell[1] != '-' && cell[1] != '+';
  return hasPlus ? cell.substr(1) : cell;
}

template <typename T> static CellState parseFloat(std::string_view cell, T &value) {
  cell = withoutPlus(cell);
  const char *end = cell.data() + cell.size();
  auto [rest, code] = std::from_chars(cell.data(), end, value);
  if (code == std::errc() && rest == end)
    return CellState::Ok;
  if (code != std::errc::result_out_of_range || rest != end)
    return CellState::NotANumber;
  // Too small is as good as rounded; too large is not.
  std::string text(cell);
  if constexpr (std::is_same_v<T, float>)
    value = std::strtof(text.c_str(), nullptr);
  else
    value = std::strtod(text.c_str(), nullptr);
  return std::isinf(value) ? CellState::OutOfRange : CellState::Ok;
}

static CellState parseInteger(std::string_view cell, int64_t &value) {
  cell = withoutPlus(cell);
  const char *end = cell.data() + cell.size();
  auto [rest, code] = std::from_chars(cell.data(), end, value);
  if (rest == end && code == std::errc())
    return CellState::Ok;
  if (rest == end && code == std::errc::result_out_of_range)
    return CellState::OutOfRange;
  // "3.0" and "1e3" are whole numbers too.
  double number;
  if (CellState state = parseFloat(cell, number); state != CellState::Ok)
    return state;
  if (!(std::fabs(number) < 9.2e18))
    return CellState::OutOfRange;
  value = int64_t(number);
  return double(value) == number ? CellState::Ok : CellState::NotWhole;
}

static CellState parseBool(std::string_view cell, bool &value) {
  value = cell == "1" || cell == "true" || cell == "True" || cell == "TRUE";
  bool isFalse = cell == "0" || cell == "false" || cell == "False" || cell == "FALSE";
  return value || isFalse ? CellState::Ok : CellState::NotANumber;
}

template <typename T> CellState parseCell(std::string_view cell, T &value) {
  if constexpr (std::is_same_v<T, bool>) {
    return parseBool(cell, value);
  } else if constexpr (std::is_floating_point_v<T>) {
    return parseFloat(cell, value);
  } else if constexpr (std::is_integral_v<T>) {
    int64_t wide = 0;
    CellState state = parseInteger(cell, wide);
    value = T(wide);
    bool fits = wide >= std::numeric_limits<T>::min() && wide <= std::numeric_limits<T>::max();
    return state == CellState::Ok && !fits ? CellState::OutOfRange : state;
  } else {
    double wide = 0;
    CellState state = parseFloat(cell, wide);
    value = T(wide);
    bool overflowed = std::isinf(double(value)) && !std::isinf(wide);
    return state == CellState::Ok && overflowed ? CellState::OutOfRange : state;
  }
}

template CellState parseCell(std::string_view, double &);
template CellState parseCell(std::string_view, float &);
template CellState parseCell(std::string_view, Float16 &);
template CellState parseCell(std::string_view, BFloat16 &);
template CellState parseCell(std::string_view, int64_t &);
template CellState parseCell(std::string_view, int32_t &);
template CellState parseCell(std::string_view, int8_t &);
template CellState parseCell(std::string_view, uint8_t &);
template CellState parseCell(std::string_view, bool &);

bool isNumber(std::string_view cell) {
  double value;
  return parseFloat(cell, value) != CellState::NotANumber;
}

} // namespace nnc
