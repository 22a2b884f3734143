//===- Lowering.h - What the lowerings of the op families share -*- C++ -*-===//
//
// From nn ops to linalg on plain tensors. A family's file adds one pattern an op; the common ground
// is here: sizes from symbolic dimensions, how element types are stored and computed with, and the
// one way to build a linalg.generic, which reads through broadcasts, transposes and fills instead
// of materializing them.
//
//   element type   stored as   computed in
//   f16, bf16      itself      f32
//   bool           i8 (0, 1)   i1
//   u8             i8          i8, with unsigned operations
//   others         itself      itself
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_LOWERING_H
#define NNC_LIB_CODEGEN_LOWERING_H

#include "nnc/IR/Inference.h"
#include "nnc/IR/NN.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/Transforms/DialectConversion.h"

namespace nnc {

mlir::Type storageType(mlir::Type elementType);
mlir::Type computeType(mlir::Type elementType);
/// From the stored form of an element to the computed one, and back.
mlir::Value loadElement(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value stored,
                        mlir::Type elementType);
mlir::Value storeElement(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value computed,
                         mlir::Type elementType);
/// Converts a computed value by the rules of nn.cast.
mlir::Value castElement(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value computed,
                        mlir::Type from, mlir::Type to);
/// The number `value` in the type that `elementType` is computed in.
mlir::Value constantElement(mlir::OpBuilder &builder, mlir::Location loc, double value,
                            mlir::Type elementType);
bool isUnsigned(mlir::Type elementType);

/// A tensor that a loop nest reads at `map` of its indices.
struct Read {
  mlir::Value source;
  mlir::AffineMap map;
  /// As nn has it.
  mlir::Type elementType;
};

/// What a loop nest computes: a tensor of `shape`, written at `map`, starting from `init`.
struct Write {
  mlir::Value init;
  mlir::AffineMap map;
};

using BodyBuilder =
    llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;
using GenericBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange inputs, mlir::ValueRange outputs)>;

class Lowering {
public:
  /// Makes `function` ready: its arguments and results become plain tensors, with attributes
  /// nn.shape, and each symbol an index argument with attribute nn.symbol.
  explicit Lowering(mlir::func::FuncOp function);
  /// Emits an error if a size cannot be known.
  mlir::LogicalResult prepare();

  const mlir::TypeConverter &getTypeConverter() const { return types; }
  mlir::RankedTensorType convert(mlir::Type type) const;

  mlir::Value size(mlir::OpBuilder &builder, mlir::Location loc, const Dim &dim) const;
  mlir::OpFoldResult foldedSize(mlir::OpBuilder &builder, mlir::Location loc, const Dim &dim) const;
  llvm::SmallVector<mlir::OpFoldResult> foldedSizes(mlir::OpBuilder &builder, mlir::Location loc,
                                                    llvm::ArrayRef<Dim> shape) const;

  /// Where a part of `shape` lies that begins at `starts`. An empty one lies anywhere; at its end it
  /// would be out of bounds for the tensor dialect.
  llvm::SmallVector<mlir::OpFoldResult> foldedOffsets(mlir::OpBuilder &builder, mlir::Location loc,
                                                      llvm::ArrayRef<Dim> starts,
                                                      llvm::ArrayRef<Dim> shape) const;

  /// A tensor to be written; `stored` is a storage type.
  mlir::Value empty(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<Dim> shape,
                    mlir::Type stored) const;
  /// A tensor with `value`, of a storage type, everywhere.
  mlir::Value fill(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<Dim> shape,
                   mlir::Value value) const;

  /// `body` applied to each element of `shape`; the operands broadcast. The body gets and returns
  /// computed values.
  mlir::Value elementwise(mlir::OpBuilder &builder, mlir::Location loc, mlir::ValueRange operands,
                          llvm::ArrayRef<mlir::Type> elementTypes, llvm::ArrayRef<Dim> shape,
                          mlir::Type resultElementType, BodyBuilder body) const;
  /// What was accumulated in the computed type, as it is stored.
  mlir::Value storeComputed(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value accumulated,
                            llvm::ArrayRef<Dim> shape, mlir::Type elementType) const;
  /// The elements of `source` at `map` of the indices of `shape`, as they are stored.
  mlir::Value rearrange(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                        mlir::AffineMap map, llvm::ArrayRef<Dim> shape) const;
  mlir::Value broadcast(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                        llvm::ArrayRef<Dim> shape) const;
  mlir::Value reshape(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                      llvm::ArrayRef<Dim> from, llvm::ArrayRef<Dim> to) const;

  /// `source`, of `shape`, put at `offsets` of `target`, its elements `steps` apart (next to each
  /// other where none are given).
  mlir::Value insert(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                     llvm::ArrayRef<Dim> shape, mlir::Value target, llvm::ArrayRef<Dim> offsets,
                     llvm::ArrayRef<int64_t> steps = {}) const;
  /// The part of `shape` that begins at `offsets` of `source`, of every `steps`-th element there.
  mlir::Value extract(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                      llvm::ArrayRef<Dim> offsets, llvm::ArrayRef<Dim> shape,
                      llvm::ArrayRef<int64_t> steps = {}) const;

private:
  mlir::LogicalResult collectSymbols();
  void convertSignature();

  mlir::func::FuncOp function;
  mlir::TypeConverter types;
  llvm::SmallVector<std::string> symbolNames;
  std::map<std::string, mlir::Value> symbols;
};

/// How an operand of type `operand` is read at the indices of `rank` loops when it broadcasts.
mlir::AffineMap broadcastMap(mlir::RankedTensorType operand, mlir::RankedTensorType result);

/// A linalg.generic whose body gets the inputs as computed values and the outputs as they are.
/// Inputs are read through what only moves elements; `kept` loops must stay readable from each.
mlir::Operation *createGeneric(mlir::OpBuilder &builder, mlir::Location loc,
                               llvm::ArrayRef<Read> reads, llvm::ArrayRef<Write> writes,
                               llvm::ArrayRef<mlir::utils::IteratorType> iterators,
                               llvm::ArrayRef<unsigned> kept, GenericBody body);

/// A pattern that has the function's Lowering at hand.
template <typename OpTy> class LowerPattern : public mlir::OpConversionPattern<OpTy> {
public:
  LowerPattern(const Lowering &shared, mlir::MLIRContext *context)
      : mlir::OpConversionPattern<OpTy>(shared.getTypeConverter(), context), lowering(shared) {}

protected:
  const Lowering &lowering;
};

void populateElementwiseLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateDivisionLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateReductionLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateLinearLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateWindowLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateEinsumLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateOrderLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateShapeLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateIndexingLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateCreationLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateRandomLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);
void populateControlLowering(mlir::RewritePatternSet &patterns, const Lowering &lowering);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_LOWERING_H
