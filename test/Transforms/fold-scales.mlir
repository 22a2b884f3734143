// RUN: nnc-opt %s --transforms-fold-scales=prepared=true --transforms-simplify --mlir-use-nameloc-as-prefix | FileCheck %s
// RUN: nnc-opt %s --transforms-fold-scales --mlir-use-nameloc-as-prefix | FileCheck %s --check-prefix=CALL

// A normalization with running statistics, behind a convolution in groups: the scale goes into the filters, mean
// and shift become one.
// CHECK-LABEL: func.func @normalized
// CHECK-NEXT: %[[T:.*]] = nn.mul %mean, %factor
// CHECK-NEXT: %[[ALL:.*]] = nn.sub %shift, %[[T]]
// CHECK-NEXT: %[[F:.*]] = nn.reshape %factor {shape = [4, 1, 1, 1]}
// CHECK-NEXT: %[[W:.*]] = nn.mul %w, %[[F]]
// CHECK-NEXT: %[[Y:.*]] = nn.convolution %x, %[[W]] {groups = 2 : i64}
// CHECK-NEXT: %[[FLAT:.*]] = nn.reshape %[[Y]] {shape = [1, 4, -1]}
// CHECK-NEXT: %[[COLUMN:.*]] = nn.reshape %[[ALL]] {shape = [4, 1]}
// CHECK-NEXT: %y = nn.add %[[FLAT]], %[[COLUMN]]
// CHECK-NEXT: %z = nn.reshape %y
// CHECK-NEXT: return %z
func.func @normalized(%w: tensor<4x3x1x1xf32> {nn.role = "param"} loc("w"),
    %mean: tensor<4xf32> {nn.role = "state"} loc("mean"),
    %factor: tensor<4xf32> {nn.role = "param"} loc("factor"),
    %shift: tensor<4xf32> {nn.role = "param"} loc("shift"),
    %x: tensor<1x6x8x8xf32> {nn.role = "input"} loc("x")) -> tensor<1x4x8x8xf32>
    attributes {nn.entry = "forward"} {
  %0 = nn.convolution %x, %w {groups = 2 : i64} : (tensor<1x6x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.reshape %0 {shape = [1, 4, -1]} : (tensor<1x4x8x8xf32>) -> tensor<1x4x64xf32>
  %2 = nn.reshape %mean {shape = [4, 1]} : (tensor<4xf32>) -> tensor<4x1xf32>
  %3 = nn.sub %1, %2 : (tensor<1x4x64xf32>, tensor<4x1xf32>) -> tensor<1x4x64xf32>
  %4 = nn.reshape %factor {shape = [4, 1]} : (tensor<4xf32>) -> tensor<4x1xf32>
  %5 = nn.mul %3, %4 : (tensor<1x4x64xf32>, tensor<4x1xf32>) -> tensor<1x4x64xf32>
  %6 = nn.reshape %shift {shape = [4, 1]} : (tensor<4xf32>) -> tensor<4x1xf32>
  %7 = nn.add %5, %6 : (tensor<1x4x64xf32>, tensor<4x1xf32>) -> tensor<1x4x64xf32> loc("y")
  %8 = nn.reshape %7 {shape = [1, 4, 8, 8]} : (tensor<1x4x64xf32>) -> tensor<1x4x8x8xf32> loc("z")
  return %8 : tensor<1x4x8x8xf32>
}

// Either factor of a matmul may be the parameter, a scale may be one number; a transpose moves the channels.
// CHECK-LABEL: func.func @products
// CHECK:      %[[RIGHT:.*]] = nn.mul %w, %s :
// CHECK-NEXT: %a = nn.matmul %x, %[[RIGHT]]
// CHECK-NEXT: %[[INVERSE:.*]] = nn.div %{{.*}}, %s
// CHECK-NEXT: %[[COLUMN:.*]] = nn.reshape %[[INVERSE]] {shape = [3, 1]}
// CHECK-NEXT: %[[LEFT:.*]] = nn.mul %v, %[[COLUMN]]
// CHECK-NEXT: %[[B:.*]] = nn.matmul %[[LEFT]], %x
// CHECK-NEXT: %b = nn.transpose %[[B]]
// CHECK-NEXT: %[[HALF:.*]] = nn.mul %w, %two
// CHECK-NEXT: %c = nn.einsum %x, %[[HALF]]
// CHECK-NEXT: return %a, %b, %c
func.func @products(%w: tensor<5x3xf32> {nn.role = "param"} loc("w"),
    %v: tensor<3x2xf32> {nn.role = "param"} loc("v"),
    %s: tensor<3xf32> {nn.role = "param"} loc("s"),
    %two: tensor<f32> {nn.role = "state"} loc("two"),
    %x: tensor<2x5xf32> {nn.role = "input"} loc("x")) -> (tensor<2x3xf32>, tensor<5x3xf32>, tensor<2x3xf32>)
    attributes {nn.entry = "forward"} {
  %0 = nn.matmul %x, %w : (tensor<2x5xf32>, tensor<5x3xf32>) -> tensor<2x3xf32>
  %1 = nn.mul %s, %0 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32> loc("a")
  %2 = nn.matmul %v, %x : (tensor<3x2xf32>, tensor<2x5xf32>) -> tensor<3x5xf32>
  %3 = nn.transpose %2 : (tensor<3x5xf32>) -> tensor<5x3xf32>
  %4 = nn.div %3, %s : (tensor<5x3xf32>, tensor<3xf32>) -> tensor<5x3xf32> loc("b")
  %5 = nn.einsum %x, %w {equation = "ij,jk->ik"} : (tensor<2x5xf32>, tensor<5x3xf32>) -> tensor<2x3xf32>
  %6 = nn.mul %5, %two : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32> loc("c")
  return %1, %4, %6 : tensor<2x3xf32>, tensor<5x3xf32>, tensor<2x3xf32>
}

// What is not the same in each call, goes along no axis of the parameter, turns the product into a divisor, or has
// the product read elsewhere.
// CHECK-LABEL: func.func @stays
// CHECK-NEXT: %0 = nn.matmul %x, %w
// CHECK-NEXT: %1 = nn.mul %0, %r
// CHECK-NEXT: %2 = nn.matmul %x, %w
// CHECK-NEXT: %3 = nn.mul %2, %rows
// CHECK-NEXT: %4 = nn.matmul %x, %w
// CHECK-NEXT: %5 = nn.div %s, %4
// CHECK-NEXT: %6 = nn.matmul %x, %w
// CHECK-NEXT: %7 = nn.mul %6, %s
// CHECK-NEXT: return
func.func @stays(%w: tensor<5x3xf32> {nn.role = "param"} loc("w"), %s: tensor<3xf32> {nn.role = "param"} loc("s"),
    %rows: tensor<2x1xf32> {nn.role = "param"} loc("rows"), %x: tensor<2x5xf32> {nn.role = "input"} loc("x"),
    %r: tensor<3xf32> {nn.role = "input"} loc("r"))
    -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>)
    attributes {nn.entry = "forward"} {
  %0 = nn.matmul %x, %w : (tensor<2x5xf32>, tensor<5x3xf32>) -> tensor<2x3xf32>
  %1 = nn.mul %0, %r : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %2 = nn.matmul %x, %w : (tensor<2x5xf32>, tensor<5x3xf32>) -> tensor<2x3xf32>
  %3 = nn.mul %2, %rows : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  %4 = nn.matmul %x, %w : (tensor<2x5xf32>, tensor<5x3xf32>) -> tensor<2x3xf32>
  %5 = nn.div %s, %4 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %6 = nn.matmul %x, %w : (tensor<2x5xf32>, tensor<5x3xf32>) -> tensor<2x3xf32>
  %7 = nn.mul %6, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %1, %3, %5, %7, %6 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// Narrow parameters would lose digits.
// CHECK-LABEL: func.func @narrow
// CHECK-NEXT: nn.matmul %x, %w
func.func @narrow(%w: tensor<5x3xbf16> {nn.role = "param"} loc("w"), %s: tensor<3xbf16> {nn.role = "param"},
    %x: tensor<2x5xbf16> {nn.role = "input"} loc("x")) -> tensor<2x3xbf16> attributes {nn.entry = "forward"} {
  %0 = nn.matmul %x, %w : (tensor<2x5xbf16>, tensor<5x3xbf16>) -> tensor<2x3xbf16>
  %1 = nn.mul %0, %s : (tensor<2x3xbf16>, tensor<3xbf16>) -> tensor<2x3xbf16>
  return %1 : tensor<2x3xbf16>
}

// In each call there have to be many results for an element of the parameter.
// CALL-LABEL: func.func @products
// CALL-NEXT: nn.matmul %x, %w
// CALL-LABEL: func.func @many
// CALL-NEXT: %[[W:.*]] = nn.mul %w, %s
// CALL-NEXT: nn.matmul %x, %[[W]]
func.func @many(%w: tensor<5x3xf32> {nn.role = "param"} loc("w"), %s: tensor<3xf32> {nn.role = "param"} loc("s"),
    %x: tensor<80x5xf32> {nn.role = "input"} loc("x")) -> tensor<80x3xf32> attributes {nn.entry = "forward"} {
  %0 = nn.matmul %x, %w : (tensor<80x5xf32>, tensor<5x3xf32>) -> tensor<80x3xf32>
  %1 = nn.mul %0, %s : (tensor<80x3xf32>, tensor<3xf32>) -> tensor<80x3xf32>
  return %1 : tensor<80x3xf32>
}

// Never where parameters are trained.
// CALL-LABEL: func.func @step
// CALL-NEXT: nn.matmul %x, %w
func.func @step(%w: tensor<5x3xf32> {nn.role = "param"} loc("w"), %s: tensor<3xf32> {nn.role = "param"},
    %x: tensor<80x5xf32> {nn.role = "input"} loc("x"))
    -> (tensor<80x3xf32> {nn.role = "loss"}, tensor<5x3xf32> {nn.role = "param"}) attributes {nn.entry = "step"} {
  %0 = nn.matmul %x, %w : (tensor<80x5xf32>, tensor<5x3xf32>) -> tensor<80x3xf32>
  %1 = nn.mul %0, %s : (tensor<80x3xf32>, tensor<3xf32>) -> tensor<80x3xf32>
  return %1, %w : tensor<80x3xf32>, tensor<5x3xf32>
}

// A state that each call updates is another one in the next call.
// CHECK-LABEL: func.func @counts
// CHECK:      nn.matmul %x, %w
func.func @counts(%w: tensor<5x3xf32> {nn.role = "param"} loc("w"),
    %s: tensor<3xf32> {nn.name = "s", nn.role = "state"} loc("s"), %x: tensor<2x5xf32> {nn.role = "input"} loc("x"))
    -> (tensor<2x3xf32>, tensor<3xf32> {nn.name = "s", nn.role = "state"}) attributes {nn.entry = "forward"} {
  %0 = nn.matmul %x, %w : (tensor<2x5xf32>, tensor<5x3xf32>) -> tensor<2x3xf32>
  %1 = nn.mul %0, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %2 = nn.add %s, %s : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %1, %2 : tensor<2x3xf32>, tensor<3xf32>
}
