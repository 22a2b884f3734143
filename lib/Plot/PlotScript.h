//===- PlotScript.h - A plot as a gnuplot script -----------------*- C++ -*-===//
//
// Everything about how plots look is decided in the script.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_PLOT_PLOTSCRIPT_H
#define NNC_LIB_PLOT_PLOTSCRIPT_H

#include "nnc/Plot/Plot.h"

namespace nnc {

std::string plotScript(const PlotSpec &spec, PlotFormat format);

/// A string for gnuplot that stands for `text` and nothing else.
std::string gnuplotString(std::string_view text);

/// The series with at most `maxPoints` points (at least 4) that draw the same line: the lowest and
/// the highest of each stretch.
PlotSeries thinned(const PlotSeries &series, size_t maxPoints);

} // namespace nnc

#endif // NNC_LIB_PLOT_PLOTSCRIPT_H
