//===- Passes.td - Passes from nn to nn -------------------------*- tablegen -*-===//
#ifndef NNC_TRANSFORMS_PASSES
#define NNC_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def StabilizePass : Pass<"transforms-stabilize", "::mlir::func::FuncOp"> {
  let summary = "write logarithms of exponentials so that they neither overflow nor lose digits";
  let description = [{
    What textbooks write works on paper: `log(sigmoid(x))` is -inf as soon as the sigmoid rounds to
    zero, and then a cross-entropy multiplies it by zero. The ops below compute the same functions
    for every x, and so do the gradients derived from them; the pass runs before differentiation.

      - log(sigmoid(x)) = -softplus(-x); log(1 - sigmoid(x)) = -softplus(x)
      - log(1 + e^x) = softplus(x), also as log1p(exp(x))
      - log(softmax(x)) = log_softmax(x); log(sum(e^x)) = logsumexp(x)

    ```mlir
    %p = nn.sigmoid %x : (tensor<3xf32>) -> tensor<3xf32>
    %y = nn.log %p : (tensor<3xf32>) -> tensor<3xf32>
    ```
    becomes
    ```mlir
    %0 = nn.neg %x : (tensor<3xf32>) -> tensor<3xf32>
    %1 = nn.softplus %0 : (tensor<3xf32>) -> tensor<3xf32>
    %y = nn.neg %1 : (tensor<3xf32>) -> tensor<3xf32>
    ```
  }];
}

def DecomposePass : Pass<"transforms-decompose", "::mlir::func::FuncOp"> {
  let summary = "write composite ops in terms of simpler ones";
  let description = [{
    `mean`, `logsumexp`, `softmax`, `log_softmax` and `one_hot` become the reductions and elementwise
    ops that code is generated for. The results cannot overflow where the composite op's would not:
    exponentials are shifted by the maximum, f16 and bf16 are computed in f32 and rounded once.

    ```mlir
    %y = nn.softmax %x {axis = 1 : i64} : (tensor<3x4xf32>) -> tensor<3x4xf32>
    ```
    becomes
    ```mlir
    %0 = nn.max %x {axis = array<i64: 1>, keepdims = true} : (tensor<3x4xf32>) -> tensor<3x1xf32>
    %1 = nn.sub %x, %0 : (tensor<3x4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
    %2 = nn.exp %1 : (tensor<3x4xf32>) -> tensor<3x4xf32>
    %3 = nn.sum %2 {axis = array<i64: 1>, keepdims = true} : (tensor<3x4xf32>) -> tensor<3x1xf32>
    %y = nn.div %2, %3 : (tensor<3x4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
    ```
  }];
}

def SimplifyPass : Pass<"transforms-simplify", "::mlir::func::FuncOp"> {
  let summary = "replace ops by fewer and cheaper ones";
  let description = [{
    Algebra that holds for every number, infinities and NaN included (so `x * 0` stays), and whose
    results differ in the last bit at most; the dialect's canonicalizations with it.

      - x + -y = x - y; x * -1 = -x; x * x = square(x); x / 4 = x * 0.25; (-x)^2 = x^2;
        x^2, x^3, x^0.5, x^-0.5 and x^-1 without pow; one conversion for two.
      - Elementwise ops read what was repeated unrepeated, and repeat their result instead; the sum
        of n equal numbers is n times the number.
      - Two transposes, reverses or reshapes are one; a transpose of a vector is a reshape; a column
        times a row is a product with broadcasting; a reduction of one element is a reshape.

    ```mlir
    %d_y = nn.broadcast_to %one {shape = [3]} : (tensor<f32>) -> tensor<3xf32>
    %0 = nn.neg %x : (tensor<3xf32>) -> tensor<3xf32>
    %1 = nn.mul %d_y, %0 : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %2 = nn.add %x, %1 : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    ```
    where `%one` is 1, becomes
    ```mlir
    %2 = nn.sub %x, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    ```
  }];
}

def FoldScalesPass : Pass<"transforms-fold-scales", "::mlir::func::FuncOp"> {
  let summary = "multiply parameters by the scales that follow their products";
  let description = [{
    Behind a convolution, a matmul or an einsum with a parameter, channels are often multiplied and shifted
    by numbers that are made of parameters and states, too: a normalization with running statistics does so,
    or a bias. All that is multiplied goes into the parameter, all that is added becomes one sum, and what is
    left for each result is to add it.

    ```mlir
    %0 = nn.convolution %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    %1 = nn.sub %0, %mean : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
    %2 = nn.mul %1, %scale : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
    ```
    where all but `%x` are parameters, becomes
    ```mlir
    %0 = nn.mul %mean, %scale : (tensor<4x1x1xf32>, tensor<4x1x1xf32>) -> tensor<4x1x1xf32>
    %1 = nn.reshape %scale {shape = [4, 1, 1, 1]} : (tensor<4x1x1xf32>) -> tensor<4x1x1x1xf32>
    %2 = nn.mul %w, %1 : (tensor<4x3x1x1xf32>, tensor<4x1x1x1xf32>) -> tensor<4x3x1x1xf32>
    %3 = nn.convolution %x, %2 : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    %4 = nn.sub %3, %0 : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
    ```
    with some reshapes. Where parameters are prepared it costs nothing;
    otherwise the product has to have many more results than the parameter has elements. A function that
    makes new parameters stays as it is, and so do products of f16 and bf16, which would lose digits.
  }];
  let options = [
    Option<"prepared", "prepared", "bool", "false",
           "Whether codegen-split-preparation follows: what is made of parameters costs nothing then">,
  ];
}

def ComputeEarlyPass : Pass<"transforms-compute-early", "::mlir::func::FuncOp"> {
  let summary = "compute in the forward pass what the backward pass would compute from more";
  let description = [{
    Elementwise ops of the backward pass that read values of the forward pass alone are computed there, if
    less memory is kept that way: an activation's derivative, say, and not the several values that it is made
    of. The backward pass begins with the first op that comes of differentiation. A gradient is taken out of sums of
    products first, `g * a + g * b = g * (a + b)`, which rounds differently.

    ```mlir
    %s = nn.sigmoid %x : (tensor<100xf32>) -> tensor<100xf32>
    %y = nn.mul %x, %s : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
    ... // the last use of %y
    %0 = nn.mul %g, %s : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
    %1 = nn.mul %g, %y : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
    %2 = nn.add %0, %1 : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
    ```
    becomes
    ```mlir
    %s = nn.sigmoid %x : (tensor<100xf32>) -> tensor<100xf32>
    %y = nn.mul %x, %s : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
    %0 = nn.add %s, %y : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
    ...
    %1 = nn.mul %g, %0 : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
    ```
  }];
}

def RecomputePass : Pass<"transforms-recompute", "::mlir::func::FuncOp"> {
  let summary = "compute values again instead of keeping them";
  let description = [{
    A value that lives where most lives, and is used again later, is computed a second time for its
    late uses, if that is little work for the bytes it spares: cheapest first, until the values that
    live at one time fit into the budget (where a symbol is 64), or nothing is cheap enough. A
    computation may take several ops; it starts from values that live anyway, or are small.
    A matrix that is made of products of many small matrices and is larger than these, as attention's weights, may take
    16 times as much work: it need not go to far memory and back.
    `stop_gradient` with the attribute `nn.again` keeps later passes from seeing that both
    computations are the same.

    ```mlir
    %a = nn.sub %x, %m : (tensor<100x100xf32>, tensor<100xf32>) -> tensor<100x100xf32>
    ... // the last use of %x is after the second one of %a
    %b = nn.mul %a, %g : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
    ```
    becomes
    ```mlir
    %a = nn.sub %x, %m : (tensor<100x100xf32>, tensor<100xf32>) -> tensor<100x100xf32>
    ...
    %0 = nn.stop_gradient %x {nn.again = 0} : (tensor<100x100xf32>) -> tensor<100x100xf32>
    %1 = nn.stop_gradient %m {nn.again = 0} : (tensor<100xf32>) -> tensor<100xf32>
    %2 = nn.sub %0, %1 : (tensor<100x100xf32>, tensor<100xf32>) -> tensor<100x100xf32>
    %b = nn.mul %2, %g : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
    ```
  }];
  let options = [
    Option<"ratio", "ratio", "double", "2.5", "Most additions for a byte that is spared">,
    Option<"budget", "budget", "int64_t", "0", "Bytes that may live at one time">,
  ];
}

#endif // NNC_TRANSFORMS_PASSES
