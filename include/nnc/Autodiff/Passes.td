//===- Passes.td - Differentiation as a pass --------------------*- tablegen -*-===//
#ifndef NNC_AUTODIFF_PASSES
#define NNC_AUTODIFF_PASSES

include "mlir/Pass/PassBase.td"

def ExpandGradPass : Pass<"autodiff-expand-grad", "::mlir::func::FuncOp"> {
  let summary = "replace nn.grad by the backward graph";
  let description = [{
    Replaces each `nn.grad`, in program order, by the ops that compute the derivatives; so the
    gradient of a gradient is what one expects. Also within the body of a scan.

    ```mlir
    %y = nn.square %x : (tensor<3xf32>) -> tensor<3xf32>
    %loss = nn.sum %y : (tensor<3xf32>) -> tensor<f32>
    %d_x = nn.grad %loss, %x : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
    ```
    becomes
    ```mlir
    %y = nn.square %x : (tensor<3xf32>) -> tensor<3xf32>
    %loss = nn.sum %y : (tensor<3xf32>) -> tensor<f32>
    %one = nn.constant dense<1.0> : tensor<f32>
    %d_y = nn.broadcast_to %one {shape = [3]} : (tensor<f32>) -> tensor<3xf32>
    %two = nn.constant dense<2.0> : tensor<f32>
    %0 = nn.mul %two, %x : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
    %d_x = nn.mul %d_y, %0 : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    ```
    The location of a gradient names it `d_` and the name of its value.
  }];
}

#endif // NNC_AUTODIFF_PASSES
