//===- Window.h - How windows slide over an input ---------------*- C++ -*-===//
//
// The attributes of the ops of NNWindow.td with their defaults filled in, and the arithmetic of
// sizes that all stages share.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_WINDOW_H
#define NNC_IR_WINDOW_H

#include "nnc/IR/Inference.h"

namespace nnc {

/// Along one axis.
struct WindowAxis {
  int64_t size = 1, stride = 1, dilation = 1, low = 0, high = 0;

  /// From the first to the last element of a window.
  int64_t span() const { return (size - 1) * dilation + 1; }
  /// Elements that are left of `input`, padded, after the first window; negative if it has no room.
  Dim room(const Dim &input) const { return input + Dim(low + high - span()); }
  /// How many windows there are in `input`.
  Dim count(const Dim &input) const { return room(input).floorDiv(Dim(stride)) + Dim(1); }
};
using WindowAxes = llvm::SmallVector<WindowAxis>;

/// The windows of an op of the convolution family; its operands and attributes are verified.
WindowAxes getWindow(nn::ConvolutionOp op);
WindowAxes getWindow(nn::ConvolutionInputGradientOp op);
WindowAxes getWindow(nn::ConvolutionWeightGradientOp op);
WindowAxes getWindow(nn::WindowsOp op);
WindowAxes getWindow(nn::OverlapAddOp op);

} // namespace nnc

#endif // NNC_IR_WINDOW_H
