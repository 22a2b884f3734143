//===- Gnuplot.h - Running gnuplot -------------------------------*- C++ -*-===//
//
// Gives a script to the program and takes what it writes; no shell is involved.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_PLOT_GNUPLOT_H
#define NNC_LIB_PLOT_GNUPLOT_H

#include "nnc/Support/Result.h"

namespace nnc {

/// What gnuplot writes to its standard output for `script`.
Result<std::string> runGnuplot(const std::string &script);

} // namespace nnc

#endif // NNC_LIB_PLOT_GNUPLOT_H
