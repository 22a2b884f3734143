//===- Passes.td - Passes from nn to nn -------------------------*- tablegen -*-===//
#ifndef NNC_TRANSFORMS_PASSES
#define NNC_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

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

#endif // NNC_TRANSFORMS_PASSES
