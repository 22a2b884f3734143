//===- NNWindow.td - Ops on windows that slide over a tensor ----*- tablegen -*-===//
#ifndef NNC_IR_NNWINDOW
#define NNC_IR_NNWINDOW

include "nnc/IR/NNBase.td"

/// What slides: `strides` between windows, `dilations` between the elements of one, `low` and `high`
/// zeros around the input, one number an axis or one for all.
class NN_ConvolutionFamilyOp<string mnemonic, string text> : NN_PureOp<mnemonic, "Window"> {
  let summary = text;
  let nnPromotesOperands = 1;
}

def NN_ConvolutionOp : NN_ConvolutionFamilyOp<"convolution", "convolution of images with filters"> {
  let description = [{
    `y[n, f, o] = sum over c and k of x[n, c, o * strides + k * dilations - low] * w[f, c, k]`, where
    o and k have an entry for each spatial axis (one, two, three or more) and x is zero outside. x is
    [N, channels, spatial…], w is [filters, channels / groups, kernel…], y is [N, filters, spatial…].
    With `groups`, filters and channels are divided into so many groups that do not see each other.
    `low` and `high` zeros are added before and after each spatial axis. Each of these is one number
    an axis, or one for all. As in ONNX and PyTorch the kernel is not reversed.
  }];
  let arguments = (ins NN_Tensor:$x, NN_Tensor:$w, OptionalAttr<DenseI64ArrayAttr>:$strides,
                       OptionalAttr<DenseI64ArrayAttr>:$low, OptionalAttr<DenseI64ArrayAttr>:$high,
                       OptionalAttr<DenseI64ArrayAttr>:$dilations, DefaultValuedAttr<NN_Integer, "1">:$groups);
  let results = (outs NN_Tensor:$y);
  let nnExamples = [
    "(x: f64[2, 3, 5, 6], w: f64[4, 3, 3, 2]) -> convolution(x, w)",
    "(x: f64[2, 2, 7], w: f64[4, 1, 3]) -> convolution(x, w, strides = 2, low = 2, high = 1, dilations = 2, groups = 2)",
    "(x: f64[1, 2, 3, 3, 4], w: f64[2, 2, 2, 2, 2]) -> convolution(x, w, strides = [1, 2, 1], low = 1, high = 1)"];
}

def NN_ConvolutionInputGradientOp
    : NN_ConvolutionFamilyOp<"convolution_input_gradient", "transposed convolution"> {
  let description = [{
    The derivative of `convolution` with respect to its input, applied to `y`: each element of y adds
    its multiple of the filters to a result [N, channels, shape…], `x[n, c, o * strides + k * dilations
    - low] += y[n, f, o] * w[f, c, k]`; what falls outside is dropped. `shape` are the spatial sizes of
    the result, whose convolution has the shape of y.
  }];
  let arguments = (ins NN_Tensor:$y, NN_Tensor:$w, NN_Shape:$shape, OptionalAttr<DenseI64ArrayAttr>:$strides,
                       OptionalAttr<DenseI64ArrayAttr>:$low, OptionalAttr<DenseI64ArrayAttr>:$high,
                       OptionalAttr<DenseI64ArrayAttr>:$dilations, DefaultValuedAttr<NN_Integer, "1">:$groups);
  let results = (outs NN_Tensor:$x);
  let nnExamples = [
    "(y: f64[2, 4, 3, 5], w: f64[4, 3, 3, 2]) -> convolution_input_gradient(y, w, [5, 6])",
    "(y: f64[2, 4, 3], w: f64[4, 1, 3]) -> convolution_input_gradient(y, w, [7], strides = 2, low = 2, high = 1, dilations = 2, groups = 2)",
    "(y: f64[1, 4, 3, 3], w: f64[4, 2, 3, 3]) -> convolution_input_gradient(y, w, [6, 7], strides = [2, 3], low = 1, high = 1)"];
}

def NN_ConvolutionWeightGradientOp
    : NN_ConvolutionFamilyOp<"convolution_weight_gradient", "derivative of a convolution by its filters"> {
  let description = [{
    The derivative of `convolution` of `x` with respect to the filters, applied to `y`:
    `w[f, c, k] = sum over n and o of x[n, c, o * strides + k * dilations - low] * y[n, f, o]`. `shape`
    are the spatial sizes of the kernel.
  }];
  let arguments = (ins NN_Tensor:$x, NN_Tensor:$y, NN_Shape:$shape, OptionalAttr<DenseI64ArrayAttr>:$strides,
                       OptionalAttr<DenseI64ArrayAttr>:$low, OptionalAttr<DenseI64ArrayAttr>:$high,
                       OptionalAttr<DenseI64ArrayAttr>:$dilations, DefaultValuedAttr<NN_Integer, "1">:$groups);
  let results = (outs NN_Tensor:$w);
  let nnExamples = [
    "(x: f64[2, 3, 5, 6], y: f64[2, 4, 3, 5]) -> convolution_weight_gradient(x, y, [3, 2])",
    "(x: f64[2, 2, 7], y: f64[2, 4, 3]) -> convolution_weight_gradient(x, y, [3], strides = 2, low = 2, high = 1, dilations = 2, groups = 2)"];
}

def NN_WindowsOp : NN_PureOp<"windows", "Window"> {
  let summary = "the windows that slide over the last axes";
  let description = [{
    `y[…, o, k] = x[…, o * strides + k * dilations]`: the last axes of x, as many as `size` has
    entries, become as many axes that count the windows, then as many within a window. Windows lie
    within x. `strides` and `dilations` are one number an axis, or one for all; strides are the sizes
    of the window where not given. Whatever reduces the result reads x itself: pooling is
    `max(windows(x, [2, 2]), axis = [-2, -1])`.
  }];
  let arguments = (ins NN_Tensor:$x, DenseI64ArrayAttr:$size, OptionalAttr<DenseI64ArrayAttr>:$strides,
                       OptionalAttr<DenseI64ArrayAttr>:$dilations);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[2, 6, 7]) -> windows(x, [2, 3])",
                    "(x: f64[2, 9]) -> windows(x, [3], strides = 2, dilations = 2)",
                    "(x: f64[5, 4]) -> windows(x, [3, 2], strides = 1)"];
}

def NN_OverlapAddOp : NN_PureOp<"overlap_add", "Window"> {
  let summary = "windows put back, those that overlap added";
  let description = [{
    The adjoint of `windows`: the result has the sizes `shape` along its last axes, and
    `y[…, o * strides + k * dilations] += x[…, o, k]`, zero where no window lies.
  }];
  let arguments = (ins NN_Tensor:$x, NN_Shape:$shape, OptionalAttr<DenseI64ArrayAttr>:$strides,
                       OptionalAttr<DenseI64ArrayAttr>:$dilations);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[2, 3, 2, 2, 3]) -> overlap_add(x, [6, 7])",
                    "(x: f64[2, 3, 3]) -> overlap_add(x, [9], strides = 2, dilations = 2)",
                    "(x: f64[3, 3, 3, 2]) -> overlap_add(x, [5, 4], strides = 1)"];
}

#endif // NNC_IR_NNWINDOW
