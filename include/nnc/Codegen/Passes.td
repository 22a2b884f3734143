#ifndef NNC_CODEGEN_PASSES
#define NNC_CODEGEN_PASSES

include "mlir/Pass/PassBase.td"

def ExpandMathPass : Pass<"codegen-expand-math"> {
  let summary = "Write mathematical functions as arithmetic";
  let description = [{
    Every exp, log, tanh, … on scalars and vectors of floats becomes a polynomial in arith and
    math.fma, within 2 ulp and without branches or calls. What has an instruction (absf, floor,
    sqrt, …) stays.

    ```mlir
    %1 = math.exp %0 : vector<8xf32>
    // becomes
    %t = math.fma %0, %log2e, %shift : vector<8xf32>
    %n = arith.subf %t, %shift : vector<8xf32>
    %r = math.fma %n, %minus_ln2, %0 : vector<8xf32>
    ...
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::math::MathDialect",
                           "mlir::scf::SCFDialect", "mlir::vector::VectorDialect"];
}

#endif // NNC_CODEGEN_PASSES
