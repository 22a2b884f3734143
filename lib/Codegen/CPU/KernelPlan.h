//===- KernelPlan.h - How one operation's loops run -------------*- C++ -*-===//
//
// A kernel computes a tile of rows x columns vectors at a time:
//
//   rows     consecutive indices of the row dimension; they share what does not depend on it
//   columns  consecutive vectors along the vector dimension
//   lanes    elements of a vector
//
// When the vector dimension is a reduction, the lanes and columns are partial results that the
// kernel adds up at the end, in an order that depends on nothing but this plan.
//
// A large kernel is cut into parts along one parallel dimension, between tiles, so that each element
// is computed by the same tile however it is cut.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CPU_KERNELPLAN_H
#define NNC_LIB_CODEGEN_CPU_KERNELPLAN_H

#include "WordProduct.h"
#include "nnc/Codegen/Target.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// The innermost reduction is unrolled if it has up to this many iterations, known beforehand.
constexpr int64_t kUnrollLimit = 8;

/// The matrix unit multiplies up to 16 rows of up to 16 words by as many rows of 16 columns.
constexpr int64_t kMatrixRows = 16, kMatrixWords = 16, kMatrixColumns = 16;
/// The most words of a step that divide `count`.
int64_t wordsPerStep(int64_t count);

/// On an operation, rows and columns of its tile, and the block of its last outer reduction, where another than
/// what planning computes has been measured to be faster.
constexpr llvm::StringLiteral kTileAttr = "nnc.tile";

/// Whether `instruction`, which is one for bytes, takes factors with other signs than these.
bool wantsOtherSigns(IntegerProducts instruction, ShortKind left, ShortKind right);

struct KernelPlan {
  unsigned lanes = 1;
  /// Whether what is left of a row is a masked vector; narrower vectors otherwise.
  bool masksRest = true;
  std::optional<unsigned> vectorDim;
  bool reducesLanes = false;
  unsigned columns = 1;
  std::optional<unsigned> rowDim;
  unsigned rows = 1;
  /// Where these are too few to hide latency: another dimension, of which a tile has all rows for so many indices.
  std::optional<unsigned> blockDim;
  unsigned blocks = 1;
  /// Nothing is reduced, there are as many rows as lanes, or all rows if they are fewer, and what lies along
  /// the rows in memory is loaded so and turned in registers.
  bool turnsInputs = false;
  /// Whether a tile goes through the body once, each operation for all its vectors in turn.
  bool interleaves = false;
  /// Whether each row in turn goes through all steps of the innermost reduction, a window that slides along the
  /// rows: the next row has most of its vectors in registers then.
  bool slides = false;
  /// Independent partial results along the innermost reduction, to hide latency.
  unsigned chains = 1;
  /// The reductions that go around all tiles, each of which adds to what the output holds by then: what they
  /// leave to a tile stays in a near cache for the next one.
  llvm::SmallVector<unsigned> outerReductions;
  /// How many iterations of the last of these a tile takes at once; its loop is in the tile, too, then.
  int64_t reductionBlock = 1;
  /// Where the kernel may be cut: at multiples of `partUnit` along a dimension that is no reduction.
  std::optional<unsigned> partDim;
  unsigned partUnit = 1;
  /// Whether parts are as large as they are for what they read to stay near: one after the other then, not as one.
  bool partsAreBlocks = false;
  /// The matrix unit computes the sums, this many words at a time along a reduction: rows and columns are
  /// those of four of its tiles.
  struct Matrix {
    unsigned wordDim;
    int64_t words;
  };
  std::optional<Matrix> matrix;
  /// An instruction on vectors multiplies words and sums their products.
  struct Words {
    IntegerProducts instruction;
    /// Whether it takes factors with another sign than these: then the left ones are moved by 128, before or here,
    /// and a further row of sums, of the right ones times 128, is taken off in the end.
    bool takesOff, movesLeft;
  };
  std::optional<Words> words;
  /// Instructions for one vector of the innermost loop, roughly.
  unsigned cost = 1;
};

/// By how many elements an operand moves when one iteration dimension advances by one; none if that is
/// not always the same.
std::optional<int64_t> findStep(mlir::AffineMap map, mlir::Type type, unsigned dim);

/// How an operand moves when one iteration dimension advances by one.
enum class Access { Uniform, Contiguous, Strided };
Access classifyAccess(mlir::AffineMap map, mlir::Type type, unsigned dim);

/// Element i * step / repeat of a row: every second one, up to every fourth, or each one several times in a row.
struct LanePattern {
  /// The axis that is the row, or along which rows follow each other; its elements are next to each other.
  unsigned axis = 0;
  int64_t step = 1, repeat = 1;
};

/// How an operand moves along `dim` if that takes few loads and a shuffle for a vector of `lanes`.
std::optional<LanePattern> findPattern(mlir::AffineMap map, mlir::Type type, unsigned dim,
                                       unsigned lanes);

/// Whether a parallel loop other than `vectorDim` reads the same elements of an input, which lies
/// as `map` says, again.
bool isReused(mlir::linalg::GenericOp op, mlir::AffineMap map, unsigned vectorDim);

/// The single operation that combines partial results of output `index`, null if there is none.
mlir::Operation *findCombiner(mlir::linalg::GenericOp op, unsigned index);

/// Whether results are the same for other numbers of rows and columns than those of `plan`.
bool canChooseTile(mlir::linalg::GenericOp op, const KernelPlan &plan);

KernelPlan planKernel(mlir::linalg::GenericOp op, const TargetDescription &target);

/// Replaces `op`, which is on buffers, by loops. `initial[i]`, where present, is what output i
/// holds before; the buffer must hold it if the plan has outer reductions. What takes more than
/// twice `grain` instructions is cut into parts that take at least `grain`: a parallel loop.
void emitKernel(mlir::OpBuilder &builder, mlir::linalg::GenericOp op, const KernelPlan &plan,
                llvm::ArrayRef<mlir::Value> initial, int64_t grain);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_KERNELPLAN_H
