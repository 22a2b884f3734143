//===- CsvNumber.h - The number in a cell ------------------------*- C++ -*-===//
//
// Text to number for every element type, without rounding through another type and without silent
// loss: 300 is no u8 and 3.5 no i64.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_DATA_CSVNUMBER_H
#define NNC_LIB_DATA_CSVNUMBER_H

#include "nnc/Data/Tensor.h"

#include <string_view>

namespace nnc {

enum class CellState { Ok, NotANumber, OutOfRange, NotWhole };

template <typename T> CellState parseCell(std::string_view cell, T &value);

/// Whether a cell holds a number at all, of any size.
bool isNumber(std::string_view cell);

} // namespace nnc

#endif // NNC_LIB_DATA_CSVNUMBER_H
