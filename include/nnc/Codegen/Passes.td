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
                           "mlir::bufferization::BufferizationDialect",
                           "mlir::linalg::LinalgDialect", "mlir::math::MathDialect",
                           "mlir::scf::SCFDialect", "mlir::tensor::TensorDialect"];
}

def FuseElementwisePass : Pass<"codegen-fuse-elementwise", "mlir::func::FuncOp"> {
  let summary = "Fuse elementwise computations into their consumers";
  let description = [{
    A producer is merged into its consumer, reductions included, when that computes nothing twice
    that is dear (exp, log, division) and adds no work to a contraction; to widen a factor of f16, bf16
    or bytes is no work, as it is packed wide or multiplied as it is. So what makes such a factor stores it short. Windows that only a reduction reads, or that
    lie side by side and are put back, are not written down.

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

def FuseLoopsPass : Pass<"codegen-fuse-loops", "mlir::func::FuncOp"> {
  let summary = "Let operations take turns at blocks that stay in a cache";
  let description = [{
    Operations that meet in memory only where they are at the same iteration of their outer loops become the body
    of one loop over blocks of these iterations. What one leaves for the next is in a second-level cache then, and
    what only they need shrinks to a block, one for each part of the loop that a thread may run. So attention does
    not keep its matrix of positions by positions, and a normalization passes over far memory once.

    A block is as large as the cache holds. Operations take part as long as that spares bytes: those that far
    buffers would have been moved with, less what each block has to read again. What lies between them in the
    program stays before the loop or moves behind it. An operation may also sum over the iterations that go in blocks:
    each block adds to what the blocks before it left, and threads share the loops around.

    Where an operation reads a mask that compares the places along two axes, as a causal one does, and the mask decides
    what all others need (the weights are 0 where it is false), the rows go in bands, each with the columns that it
    sees; where an element is tells what the mask says of it, so that the mask is not read, and if nobody else reads
    it, not written.

    ```mlir
    linalg.generic {maps = (h, q, k, d) -> (h, q, d), (h, k, d), (h, q, k)} ins(%q, %k) outs(%scores)
    linalg.generic {maps = (h, q, k) -> (h, q, k), (h, q)} ins(%scores) outs(%most)
    // becomes
    scf.parallel (%part) { scf.for %head {
      linalg.generic {maps = (h, q, k, d) -> ...} ins(%q at [%head], %k at [%head]) outs(%block)
      linalg.generic {maps = (h, q, k) -> ...} ins(%block) outs(%most at [%head])
    } }
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "Processor to emit for, as LLVM names it">,
    Option<"grain", "grain", "int64_t", "::nnc::kDefaultGrain",
           "Least work of a part that another thread may run, in instructions; 0 for no parts">,
    Option<"nearBytes", "near-bytes", "int64_t", "::nnc::kDefaultNearBytes",
           "What a block may touch, in bytes">];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::linalg::LinalgDialect", "mlir::memref::MemRefDialect",
                           "mlir::scf::SCFDialect"];
}

def FuseSiblingsPass : Pass<"codegen-fuse-siblings", "mlir::func::FuncOp"> {
  let summary = "Compute in one loop what walks over the same elements";
  let description = [{
    Elementwise operations and reductions with the same loops that read the same tensor become one
    operation with several results, and read it once; so does what reads a result of another one
    that others need, too. What depends on the other in any other way stays apart, and so does what
    would not fit the registers: 14 arrays, four results of a reduction.

    ```mlir
    %m1 = linalg.generic {maths = %m + c * %g}           // three arrays
    %v1 = linalg.generic {maths = %v + d * %g * %g}      // three
    %p1 = linalg.generic {maths = %p - %m1 / sqrt(%v1)}  // four
    // becomes
    %m1, %v1, %p1 = linalg.generic ... ins(%g, %m, %v, %p)  // seven
    ```
  }];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::linalg::LinalgDialect"];
}

def FuseRowsPass : Pass<"codegen-fuse-rows", "mlir::func::FuncOp"> {
  let summary = "Compute nets of few features in one loop over the rows";
  let description = [{
    Operations on matrices of many rows, but few columns, become one loop over the rows: the loops over
    columns are written out, each sum over all rows is a result of its own, and what lies between stays in
    registers. What needs a sum over all rows, as after a normalization by the batch, is another loop.

    It is left where rows of more than one element would have to be stored or of more than four loaded, where a
    body would be written out more than 32 times, and where nothing adds up columns: a loop over all elements is
    as good then. A loop that sums over the rows is one part, for one thread.

    ```mlir
    %z = linalg.generic {maps = (n, j, k) -> (n, k), (k, j), (n, j)} ins(%x, %w)  // tensor<Nx2xf32>
    %h = linalg.generic {maths = exp} ins(%z)
    %s = linalg.generic {maps = (n, j) -> (n, j), (j)} ins(%h)
    // becomes
    %s0, %s1 = linalg.generic {maps = (n) -> (n, 0), (n, 1), (0, 0), (1, 0), (0, 1), (1, 1), (), ()}
        ins(%x, %x, %w, %w, %w, %w) {
      %z0 = %x0 * %w00 + %x1 * %w10
      %z1 = %x0 * %w01 + %x1 * %w11
      linalg.yield %old0 + exp(%z0), %old1 + exp(%z1)
    }
    %s = tensor.insert_slice ... %s0, %s1
    ```
  }];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::linalg::LinalgDialect",
                           "mlir::tensor::TensorDialect"];
}

def ShareExponentialsPass : Pass<"codegen-share-exponentials", "mlir::func::FuncOp"> {
  let summary = "Compute sigmoids of x and of -x from one exponential";
  let description = [{
    A logistic loss and its derivative need sigmoid(x), sigmoid(-x) and log1p(e^-|x|). In the body of one
    operation they share e = e^-|x| and r = 1 / (1 + e), neither of which overflows: one sigmoid is r, the
    other e r. Results differ in the last bits at most.

    ```mlir
    %p = 1 / (1 + exp(-x)); %q = 1 / (1 + exp(x)); %s = max(x, 0) + log1p(exp(-abs(x)))
    // becomes
    %e = exp(-abs(x)); %r = 1 / (1 + %e); %t = %e * %r
    %p = x < 0 ? %t : %r; %q = x < 0 ? %r : %t; %s = max(x, 0) + log1p(%e)
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::math::MathDialect"];
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

def AssignLayoutsPass : Pass<"codegen-assign-layouts", "mlir::func::FuncOp"> {
  let summary = "Choose the order of axes in temporaries";
  let description = [{
    Where the vectors of a contraction would rather go along another axis than the last of its result, as
    those of most convolutions along the channels, that axis is moved to the end in the result and in the
    temporaries that share loops over it: they move together, if an estimate of all operations that use them
    says so: of how full vectors are, what has to be gathered or packed, and which rows begin anywhere in a line of
    the cache, as those of an image with a border do. What gains nothing is tried again once others have moved.
    Arguments and what is reshaped across the axis stay as they are.

    ```mlir
    %y = memref.alloc() : memref<8x64x56x56xf32>
    linalg.generic {maps = ..., (n, f, h, w, c, i, j) -> (n, f, h, w)} ins(%x, %k) outs(%y)
    linalg.generic {maps = (n, f, h, w) -> (n, f, h, w), ...} ins(%y) outs(%z)
    // becomes
    %y = memref.alloc() : memref<8x56x56x64xf32>
    linalg.generic {maps = ..., (n, f, h, w, c, i, j) -> (n, h, w, f)} ins(%x, %k) outs(%y)
    linalg.generic {maps = (n, f, h, w) -> (n, h, w, f), ...} ins(%y) outs(%z)
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "Processor to emit for, as LLVM names it">];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::linalg::LinalgDialect",
                           "mlir::memref::MemRefDialect"];
}

def FuseEpiloguesPass : Pass<"codegen-fuse-epilogues", "mlir::func::FuncOp"> {
  let summary = "Compute what follows a sum element by element while the sum is in registers";
  let description = [{
    An elementwise operation on the sums of another operation, a bias and an activation after a convolution,
    the derivative of one after a product, becomes a further result of that operation: one that each
    iteration overwrites, of which the kernel emitter computes the last alone, on the tile's registers. Sums
    that nobody else reads have no memory of their own then.

    It is left where vectors would have to gather, where the operation in between needs the sums, and where the
    vectors of the sum go along what is summed.

    ```mlir
    linalg.generic {maps = (m, k, n) -> ..., (m, n)} ins(%a, %b) outs(%sums)
    linalg.generic {maps = (m, n) -> (m, n), (n), (m, n)} ins(%sums, %bias) outs(%y)
    // becomes
    linalg.generic {maps = (m, k, n) -> ..., (n), (m, n), (m, n)} ins(%a, %b, %bias) outs(%y, %y) {
      %sum = arith.addf %old, %product
      %biased = arith.addf %sum, %c
      linalg.yield %sum, %biased
    }
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "Processor to emit for, as LLVM names it">];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::linalg::LinalgDialect",
                           "mlir::memref::MemRefDialect"];
}

def ShrinkFillsPass : Pass<"codegen-shrink-fills", "mlir::func::FuncOp"> {
  let summary = "Fill only the border of a buffer whose inside is overwritten";
  let description = [{
    An image with a border of zeros, for a convolution, is filled and then overwritten but for the border. Where
    that is the next thing that happens to it, only the border is filled, unless that is so much, in pieces so short,
    that one loop over the whole is quicker.

    ```mlir
    linalg.fill ins(%zero) outs(%padded : memref<Nx58x58x64xf32>)
    linalg.generic ins(%x) outs(%padded at [0, 1, 1, 0], Nx56x56x64)
    // becomes
    linalg.fill ins(%zero) outs(%padded at [0, 0, 0, 0], Nx1x58x64)
    linalg.fill ins(%zero) outs(%padded at [0, 57, 0, 0], Nx1x58x64)
    linalg.fill ins(%zero) outs(%padded at [0, 1, 0, 0], Nx56x1x64)
    linalg.fill ins(%zero) outs(%padded at [0, 1, 57, 0], Nx56x1x64)
    linalg.generic ins(%x) outs(%padded at [0, 1, 1, 0], Nx56x56x64)
    ```
  }];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::linalg::LinalgDialect",
                           "mlir::memref::MemRefDialect"];
}

def WinogradPass : Pass<"codegen-winograd", "mlir::func::FuncOp"> {
  let summary = "Compute convolutions over windows of three by three with fewer products";
  let description = [{
    Winograd's minimal filtering: of a tile of four by four elements of the input, and of the filters, sums and
    differences are made whose 16 products hold what 36 did, and of these two by two results. With many channels
    that is about half the work. Tiles go in blocks whose transformed elements stay in a second-level cache;
    blocks are a parallel loop. The derivative by the input is such a convolution; for the derivative by the
    filters the products of all blocks are added up before they are made filters of.

    Only in f32, with filters of 3 x 3 at a stride of one, and where the transforms, which cost as much as some
    tens of channels, are little beside what they spare. Results are other sums of the same numbers: the error
    stays within a few times that of plain sums, measured against the largest element of a tile rather than
    of a window. An infinity or NaN becomes NaN in all that its tile computes.

    ```mlir
    linalg.generic {maps = (n, f, y, x, c, i, j) -> (n, c, y + i, x + j), (f, c, i, j), (n, f, y, x)}
    // becomes
    linalg.generic {maps = (c, f) -> ...} ins(%w ...) outs(%taps at [0, 0], ..., [3, 3])
    scf.parallel (%part) { scf.for %block {
      linalg.generic {maps = (n, y, x, c) -> (n, c, 2 y + 0|1|2|3, 2 x + 0|1|2|3) ...} outs(%tiles at [i, j])
      linalg.generic {maps = (i, j, n, y, x, f, c) -> ...} ins(%tiles, %taps) outs(%products)
      linalg.generic {maps = (n, y, x, f) -> ...} ins(%products at [i, j]) outs(%y at (2 y + 0|1, 2 x + 0|1))
    } }
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "Processor to emit for, as LLVM names it">,
    Option<"splitsPreparation", "splits-preparation", "bool", "false",
           "Whether codegen-split-preparation follows: transforming parameters costs nothing then">,
    Option<"grain", "grain", "int64_t", "::nnc::kDefaultGrain",
           "Least work of a part that another thread may run, in instructions; 0 for no parts">];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::linalg::LinalgDialect", "mlir::memref::MemRefDialect",
                           "mlir::scf::SCFDialect"];
}

def PrepareKernelsPass : Pass<"codegen-prepare-kernels", "mlir::func::FuncOp"> {
  let summary = "Write all that computes on buffers as operations for the kernel emitter";
  let description = [{
    Copies and named operations become `linalg.generic`. Loops that run once and axes of size one go, and
    neighbouring loops that are one walk through memory become one. An input whose neighbouring elements
    would lie far apart in a vector, and that is read again and again, is packed once; if its rows are long,
    in panels as wide as the kernel's tile, each a stretch of memory of its own. So is an input of which tiles
    read some rows, one number of each at a time, if these lie far apart: in panels of as many rows.
    Of an input of which only every second element, say, is read along an axis, these elements are copied first.
    Panels of columns that are together more than a near cache holds are packed a few at a time, in a loop around
    the operation: all rows read them from there. Short factors (f16,
    bf16, i8, u8) are widened once, while they are packed or in a copy, if they are read often. A result along which
    vectors would be badly filled is computed in another order and turned at the end.

    ```mlir
    linalg.generic {maps = (m, n, k) -> (m, k), (n, k), (m, n)} ins(%a, %b) outs(%c)
    // becomes
    %packed = memref.alloc() : memref<4x64x16xf32>
    linalg.generic {maps = (p, j, k) -> (16 p + j, k), (p, k, j)} ins(%b) outs(%packed)
    linalg.generic {maps = (m, p, k, j) -> (m, k), (p, k, j), (m, 16 p + j)} ins(%a, %packed) outs(%c)
    ```

    Sums of products of short factors go in words of 32 bits where the processor has instructions that multiply all
    that a word holds: two of bf16 or four bytes for a processor that multiplies matrices of them (AMX), four bytes
    for one that does so on vectors (VNNI, the dot products of Arm), else bytes as two numbers of 16 bits. A word
    holds neighbours along the sum of one factor, and the other factor is read as many at a time: in its place where
    these are adjacent, or from a copy in which they are. Panels get a few rows at a time, so that what is read of a
    row goes on in the next panel.

    ```mlir
    linalg.generic {maps = (m, n, k) -> (m, k), (k, n), (m, n)} ins(%a, %b) outs(%c)
    // becomes
    %words = memref.alloc() : memref<3x64x32xi32>
    linalg.generic {maps = (p, k, j) -> (2 k, 32 p + j), (2 k + 1, 32 p + j), (p, k, j)} ins(%b, %b) outs(%words)
    linalg.generic {maps = (m, p, k, j) -> (m, 2 k), (m, 2 k + 1), (p, k, j), (m, 32 p + j)}
        ins(%a, %a, %words) outs(%c)
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "Processor to emit for, as LLVM names it">,
    Option<"splitsPreparation", "splits-preparation", "bool", "false",
           "Whether codegen-split-preparation follows: packing parameters costs nothing then">,
    Option<"grain", "grain", "int64_t", "::nnc::kDefaultGrain",
           "Least work of a part that another thread may run, in instructions; 0 for no parts">];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::linalg::LinalgDialect", "mlir::memref::MemRefDialect",
                           "mlir::scf::SCFDialect"];
}

def SplitPreparationPass : Pass<"codegen-split-preparation", "mlir::ModuleOp"> {
  let summary = "Do what depends on parameters alone in a function of its own";
  let description = [{
    Each function of `nn.entry` "forward" becomes three. `NAME_prepare` reads the parameters and states that
    the function does not update, and does all that depends on them and on constants alone: packing weights,
    scales of normalizations. What the rest needs of that, and parameters that it reads as they are, it
    leaves in one buffer, the first one that the function takes now; `NAME_prepared_bytes` says how large
    it is. Results are the same bits. What would be much larger than what it is made of, and is little work,
    as a fill, stays where it was, and so does what has a size with a symbol.

    ```mlir
    func.func @f(%w: memref<8x4xf32> {nn.buffer = 0, nn.role = "param"}, %x: memref<4xf32> {nn.buffer = 1},
                 %y: memref<8xf32> {nn.buffer = 2}) attributes {nn.entry = "forward"} {
      %packed = memref.alloc() : memref<4x8xf32>
      linalg.generic {maps = (k, m) -> (m, k), (k, m)} ins(%w) outs(%packed)
      linalg.generic {maps = (m, k) -> (k), (k, m), (m)} ins(%x, %packed) outs(%y)
    }
    // becomes
    func.func @f(%prepared: memref<128xi8> {nn.buffer = 0}, %x: memref<4xf32> {nn.buffer = 1},
                 %y: memref<8xf32> {nn.buffer = 2}) attributes {nn.entry = "forward"} {
      %packed = memref.view %prepared[%c0] : memref<4x8xf32>
      linalg.generic {maps = (m, k) -> (k), (k, m), (m)} ins(%x, %packed) outs(%y)
    }
    func.func @f_prepared_bytes() -> i64 { return %c128 }
    func.func @f_prepare(%w: memref<8x4xf32> {nn.buffer = 0, nn.role = "param"},
                         %prepared: memref<128xi8> {nn.buffer = 1}) {
      %packed = memref.view %prepared[%c0] : memref<4x8xf32>
      linalg.generic {maps = (k, m) -> (m, k), (k, m)} ins(%w) outs(%packed)
    }
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::func::FuncDialect",
                           "mlir::linalg::LinalgDialect", "mlir::memref::MemRefDialect"];
}

def TraceKernelsPass : Pass<"codegen-trace-kernels", "mlir::ModuleOp"> {
  let summary = "Tell the host program when each kernel begins and ends";
  let description = [{
    For measurement (`nnc explain`), never in objects that are shipped. Kernels are numbered in program
    order through the whole module; the program that loads the code provides the two functions.

    ```mlir
    linalg.generic {maths = exp} ins(%a) outs(%b)
    // becomes
    call @nnc_trace_begin(%c0) : (i64) -> ()
    linalg.generic {maths = exp} ins(%a) outs(%b)
    call @nnc_trace_end(%c0) : (i64) -> ()
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::func::FuncDialect"];
}

def FuseCopiesPass : Pass<"codegen-fuse-copies", "mlir::func::FuncOp"> {
  let summary = "Compute elements where they are packed or copied to";
  let description = [{
    An elementwise operation whose result only copies read, such as those into panels, is computed by the copies: what
    lies between is neither written nor read. Its inputs must stay as they are up to there, and take no
    more memory than the result did.

    ```mlir
    linalg.generic {maps = (m, k) -> (m, k), (m, k); maths = max(x, 0)} ins(%x) outs(%a)
    linalg.generic {maps = (p, k, i) -> (8 p + i, k), (p, k, i)} ins(%a) outs(%packed)
    // becomes
    linalg.generic {maps = (p, k, i) -> (8 p + i, k), (p, k, i); maths = max(x, 0)} ins(%x) outs(%packed)
    ```
  }];
  let dependentDialects = ["mlir::memref::MemRefDialect"];
}

def ShareKernelsPass : Pass<"codegen-share-kernels", "mlir::ModuleOp"> {
  let summary = "Compile equal operations once";
  let description = [{
    Operations, and loops around them, that differ in nothing but the buffers and numbers that they work on
    become calls of one function, with the fills that they start from.

    ```mlir
    linalg.generic {maths = exp} ins(%a : memref<64xf32>) outs(%b : memref<64xf32>)
    linalg.generic {maths = exp} ins(%c : memref<64xf32>) outs(%d : memref<64xf32>)
    // becomes
    call @kernel.0(%a, %b) : (memref<64xf32>, memref<64xf32>) -> ()
    call @kernel.0(%c, %d) : (memref<64xf32>, memref<64xf32>) -> ()

    func.func private @kernel.0(%in: memref<64xf32>, %out: memref<64xf32>) {
      linalg.generic {maths = exp} ins(%in) outs(%out)
      return
    }
    ```
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect", "mlir::func::FuncDialect",
                           "mlir::linalg::LinalgDialect", "mlir::memref::MemRefDialect"];
}

def VectorizePass : Pass<"codegen-vectorize", "mlir::ModuleOp"> {
  let summary = "Emit loops and vectors for linalg operations on buffers";
  let description = [{
    Each operation becomes one loop nest: a register tile of rows x vectors whose accumulators are
    SSA values carried by the reduction loop. Contractions, reductions and elementwise operations
    are the same emitter with other tiles. Ragged edges get smaller tiles, then a masked vector. Where
    a window slides along the rows, each row in turn has all of its steps, with most of the vectors that the row
    before has loaded. Every second element of a row, or each one several times, is a load or two and a shuffle.

    What takes more than two grains is cut into parts of at least a grain each, which
    codegen-parallelize lets threads share. The cuts lie between tiles, and where they lie depends on
    nothing but the sizes: each element is computed by the same instructions however it is cut. With
    unknown sizes the step is computed before the loop, and a small operation is one part. A thread's parts are one
    range for it. Where each column of tiles would fetch all rows from afar, a part has as many rows as stay in a
    second-level cache, and is a range of its own; where the sum is long and the result small, all of the result is gone
    through for a block of the sum.

    Where vectors along the result would be mostly empty, those along a sum are not: their lanes are added up at the
    end, and a tile is then of rows and blocks that share what they load.

    Products of bf16 and of bytes that codegen-prepare-kernels wrote in words are computed by the matrix unit, on a
    processor that has one (AMX); where the system refuses it, by vectors. Words of bytes, or of 16 bits, are
    multiplied on vectors by the processor's own instruction for them: tdpb.., vpdpbusd, sdot, pmaddwd.

    ```mlir
    linalg.matmul ins(%a, %b : memref<1024x256xf32>, ...)
    // becomes
    scf.parallel (%begin) = (%c0) to (%c1024) step (%c32) {
      %next = arith.addi %begin, %c32 : index
      %end = arith.minui %next, %c1024 : index
      scf.for %j = ... {
        scf.for %i = %begin to %end step %c4 { ... }
      }
    }
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "Processor to emit for, as LLVM names it">,
    Option<"grain", "grain", "int64_t", "::nnc::kDefaultGrain",
           "Least work of a part, in instructions; 0 leaves all in one part">];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::memref::MemRefDialect", "mlir::scf::SCFDialect",
                           "mlir::linalg::LinalgDialect", "mlir::vector::VectorDialect",
                           "mlir::LLVM::LLVMDialect"];
}

def PlanArenaPass : Pass<"codegen-plan-arena", "mlir::ModuleOp"> {
  let summary = "Give every temporary buffer a place in one workspace";
  let description = [{
    Buffers whose lives do not overlap share memory. Sizes are functions of the symbols, so that
    every offset is known when the function starts: it is the largest end of the buffers below, in
    the order that needs least where a symbol is 64. A function `NAME_workspace` returns the bytes.

    ```mlir
    func.func @f(%x: memref<?xf32>, %N: index) { %0 = memref.alloc(%N) ... }
    // becomes
    func.func @f(%x: memref<?xf32>, %N: index, %workspace: memref<?xi8>) { %0 = memref.view ... }
    func.func @f_workspace(%N: index) -> i64
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::LLVM::LLVMDialect",
                           "mlir::memref::MemRefDialect"];
}

def ExpandMathPass : Pass<"codegen-expand-math"> {
  let summary = "Write mathematical functions as arithmetic";
  let description = [{
    Every exp, log, tanh, … on scalars and vectors of floats becomes a polynomial in arith and
    math.fma: within 2 ulp, for whole vectors, without calls. What has an instruction (absf, floor,
    sqrt, …) stays. On processors without a fused multiply-add or conversions of f16, these
    become steps that give the same to within their last bit.

    ```mlir
    %1 = math.exp %0 : vector<8xf32>
    // becomes
    %t = math.fma %0, %log2e, %shift : vector<8xf32>
    %n = arith.subf %t, %shift : vector<8xf32>
    %r = math.fma %n, %minus_ln2, %0 : vector<8xf32>
    ...
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::LLVM::LLVMDialect", "mlir::math::MathDialect",
                           "mlir::scf::SCFDialect", "mlir::vector::VectorDialect"];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "Processor to emit for, as LLVM names it">];
}

def CInterfacePass : Pass<"codegen-c-interface", "mlir::ModuleOp"> {
  let summary = "Wrap every entry in its C interface";
  let description = [{
    Every entry becomes `void NAME(void *const *buffers, const int64_t *symbols, void *workspace)`,
    which loads the pointers and calls the computation, and `int64_t NAME_workspace(const int64_t
    *symbols)`. A private function takes a pointer for each buffer, and the numbers that the buffer's type
    leaves open. The module gets the triple and data layout of the target.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "Processor to emit for, as LLVM names it">];
  let dependentDialects = ["mlir::LLVM::LLVMDialect", "mlir::arith::ArithDialect",
                           "mlir::memref::MemRefDialect"];
}

def ExpandViewsPass : Pass<"codegen-expand-views", "mlir::ModuleOp"> {
  let summary = "State sizes and strides of views";
  let description = [{
    Every view becomes a `memref.reinterpret_cast` with offset, sizes and strides, and arithmetic for those
    that are no constants. A `memref.expand_shape` of one dimension to several whose sizes are symbols has the
    sizes that it names and row-major strides; for others MLIR's own patterns are used.

    ```mlir
    memref.expand_shape %x [[0, 1]] output_shape [%n, %m] : memref<?xf32> into memref<?x?xf32>
    // becomes
    memref.reinterpret_cast %x to offset: [0], sizes: [%n, %m], strides: [%m, 1]
      : memref<f32> to memref<?x?xf32>
    ```
  }];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::memref::MemRefDialect"];
}

def ParallelizePass : Pass<"codegen-parallelize", "mlir::ModuleOp"> {
  let summary = "Let threads share parallel loops";
  let description = [{
    The body of each outermost `scf.parallel` of one dimension becomes a function of a range, and of
    what it uses from outside. If the loop has more than one step, `nnc_parallel_for` runs it in as
    many ranges as there are threads, each through a task that reads the values it needs from the
    caller's stack; otherwise it is a direct call. Where the number of steps is not known, `run_task` sees. The
    module gets a weak `nnc_parallel_for` that runs all on the calling thread, so that an object is complete;
    libnnc_rt.a has one with threads.

    ```mlir
    scf.parallel (%i) = (%c0) to (%n) step (%step) { use %x, %i }
    // becomes
    llvm.store %x, %context[0] ...
    %count = arith.ceildivui %n, %step : index
    llvm.call @run_task(%count, @f.loop0.task, %context)

    func.func private @f.loop0(%from: index, %to: index, %step: index, %x: !llvm.ptr) {
      scf.for %i = %from to %to step %step { use %x, %i }
    }
    func.func private @f.loop0.task(%context: !llvm.ptr, %begin: i64, %end: i64) {
      %x = llvm.load %context[0] ...
      call @f.loop0(%begin * %step, min(%end * %step, %n), %step, %x)
    }
    ```
    It runs on pointers and sizes, after codegen-c-interface. A loop that uses what no structure in
    memory can hold stays as it is, and runs in order.
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect", "mlir::arith::ArithDialect",
                           "mlir::func::FuncDialect", "mlir::scf::SCFDialect"];
}

def ContractProductsPass : Pass<"codegen-contract-products"> {
  let summary = "Let a sum take in the product that goes into it alone";
  let description = [{
    A fused multiply-add rounds once where a product and a sum round twice. A product that several operations use, or
    that is stored, is rounded for all of them: what is computed again elsewhere would be another number otherwise.

    ```mlir
    %p = arith.mulf %a, %b : vector<8xf32>
    %s = arith.addf %p, %c : vector<8xf32>
    // becomes
    %p = arith.mulf %a, %b fastmath<contract> : vector<8xf32>
    %s = arith.addf %p, %c fastmath<contract> : vector<8xf32>
    ```
  }];
}

def ConvertToLLVMPass : Pass<"codegen-convert-to-llvm", "mlir::ModuleOp"> {
  let summary = "Convert arithmetic, vectors and buffers to the LLVM dialect";
  let description = [{
    All dialects in one conversion, with MLIR's own patterns for each. Loops are branches before. What is written into
    a buffer's descriptor and read again is used as it is.

    ```mlir
    ^header(%i: index):
      %v = vector.load %x[%i] : memref<?xf32>, vector<8xf32>
    // becomes
    ^header(%i: i64):
      %p = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %v = llvm.load %p : !llvm.ptr -> vector<8xf32>
    ```
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect"];
}

#endif // NNC_CODEGEN_PASSES
