//===- Passes.td - The back half of the compiler, in order ----------------===//
//
// From nn to the LLVM dialect, through linalg. A function keeps its nn.* attributes up to the last
// pass: nn.symbols (the symbolic dimensions, in ABI order), and on each argument and result
// nn.shape (its symbolic shape) and nn.name (equal names: the result overwrites the argument).
//
//===----------------------------------------------------------------------===//
#ifndef NNC_CODEGEN_PASSES
#define NNC_CODEGEN_PASSES

include "mlir/Pass/PassBase.td"

def LowerToLinalgPass : Pass<"codegen-lower-to-linalg", "mlir::func::FuncOp"> {
  let summary = "Write nn ops as linalg on plain tensors";
  let description = [{
    Names leave the types: each symbol becomes an index argument, and sizes are computed from these.
    The function lists its symbols in nn.symbols; arguments and results keep their shapes in
    nn.shape. A bool is stored as a byte, u8 as i8; f16 and bf16 are computed in f32.

    ```mlir
    func.func @f(%x: tensor<?x3xf32, ["N", 3]>) -> tensor<?x3xf32, ["N", 3]> {
      %0 = nn.exp %x : (tensor<?x3xf32, ["N", 3]>) -> tensor<?x3xf32, ["N", 3]>
      return %0 : tensor<?x3xf32, ["N", 3]>
    }
    // becomes
    func.func @f(%x: tensor<?x3xf32> {nn.shape = ["N", 3]}, %N: index {nn.symbol = "N"})
        -> (tensor<?x3xf32> {nn.shape = ["N", 3]}) attributes {nn.symbols = ["N"]} {
      %0 = tensor.empty(%N) : tensor<?x3xf32>
      %1 = linalg.generic ... ins(%x) outs(%0) { math.exp }
      return %1 : tensor<?x3xf32>
    }
    ```
  }];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::linalg::LinalgDialect", "mlir::math::MathDialect",
                           "mlir::scf::SCFDialect", "mlir::tensor::TensorDialect"];
}

def FuseElementwisePass : Pass<"codegen-fuse-elementwise", "mlir::func::FuncOp"> {
  let summary = "Fuse elementwise computations into their consumers";
  let description = [{
    A producer is merged into its consumer, reductions included, when that computes nothing twice
    that is dear (exp, log, division) and adds no work to a contraction.

    ```mlir
    %0 = linalg.generic {maths = a * 2}   // tensor<Nxf32>
    %1 = linalg.generic {maths = %0 + b}  // one more pass over memory
    // becomes
    %1 = linalg.generic {maths = a * 2 + b}
    ```
  }];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::linalg::LinalgDialect",
                           "mlir::memref::MemRefDialect", "mlir::tensor::TensorDialect"];
}

def BufferizePass : Pass<"codegen-bufferize", "mlir::ModuleOp"> {
  let summary = "Turn tensors into buffers that the caller provides";
  let description = [{
    Results become destination arguments, except those that update an argument in place. Every
    symbol of nn.symbols becomes an index argument, and sizes are computed from these alone. The
    tensors of a loop are updated in place.

    ```mlir
    func.func @f(%x: tensor<?xf32> {nn.shape = ["N"]}) -> (tensor<?xf32> {nn.shape = ["N"]})
        attributes {nn.symbols = ["N"]}
    // becomes
    func.func @f(%x: memref<?xf32> {nn.buffer = 0}, %out: memref<?xf32> {nn.buffer = 1},
                 %N: index {nn.symbol = "N"})
    ```
  }];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::bufferization::BufferizationDialect",
                           "mlir::linalg::LinalgDialect", "mlir::memref::MemRefDialect",
                           "mlir::scf::SCFDialect"];
}

def VectorizePass : Pass<"codegen-vectorize", "mlir::func::FuncOp"> {
  let summary = "Emit loops and vectors for linalg operations on buffers";
  let description = [{
    Each operation becomes one loop nest: a register tile of rows x vectors whose accumulators are
    SSA values carried by the reduction loop. Contractions, reductions and elementwise operations
    are the same emitter with other tiles. Ragged edges get smaller tiles, then a masked vector.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "Processor to emit for, as LLVM names it">];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::memref::MemRefDialect", "mlir::scf::SCFDialect",
                           "mlir::linalg::LinalgDialect", "mlir::vector::VectorDialect"];
}

def PlanArenaPass : Pass<"codegen-plan-arena", "mlir::ModuleOp"> {
  let summary = "Give every temporary buffer a place in one workspace";
  let description = [{
    Buffers whose lives do not overlap share memory. Sizes are functions of the symbols, so that
    every offset is known when the function starts. A function `NAME_workspace` returns the bytes.

    ```mlir
    func.func @f(%x: memref<?xf32>, %N: index) { %0 = memref.alloc(%N) ... }
    // becomes
    func.func @f(%x: memref<?xf32>, %N: index, %workspace: memref<?xi8>) { %0 = memref.view ... }
    func.func @f_workspace(%N: index) -> i64
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::memref::MemRefDialect"];
}

def ExpandMathPass : Pass<"codegen-expand-math"> {
  let summary = "Write mathematical functions as arithmetic";
  let description = [{
    Every exp, log, tanh, … on scalars and vectors of floats becomes a polynomial in arith and
    math.fma: within 2 ulp, for whole vectors, without calls. What has an instruction (absf, floor,
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

def CInterfacePass : Pass<"codegen-c-interface", "mlir::ModuleOp"> {
  let summary = "Wrap every entry in its C interface";
  let description = [{
    Every entry becomes `void NAME(void *const *buffers, const int64_t *symbols, void *workspace)`,
    which loads the pointers and calls the computation, and `int64_t NAME_workspace(const int64_t
    *symbols)`. The module gets the triple and data layout of the target.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "Processor to emit for, as LLVM names it">];
  let dependentDialects = ["mlir::LLVM::LLVMDialect", "mlir::arith::ArithDialect",
                           "mlir::memref::MemRefDialect"];
}

#endif // NNC_CODEGEN_PASSES
