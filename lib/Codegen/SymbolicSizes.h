//===- SymbolicSizes.h - Sizes as functions of the symbols ------*- C++ -*-===//
//
// The sizes in a function are functions of its symbols (index arguments marked nn.symbol).
// SymbolicSizes reads the expression behind an index value and writes expressions back as values
// that are available everywhere in the function.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_SYMBOLICSIZES_H
#define NNC_LIB_CODEGEN_SYMBOLICSIZES_H

#include "nnc/IR/Dim.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nnc {

constexpr llvm::StringLiteral kSymbolsAttr = "nn.symbols";
constexpr llvm::StringLiteral kSymbolAttr = "nn.symbol";
constexpr llvm::StringLiteral kShapeAttr = "nn.shape";
constexpr llvm::StringLiteral kNameAttr = "nn.name";
/// The slot of an argument in the buffers of the C interface.
constexpr llvm::StringLiteral kBufferAttr = "nn.buffer";
/// On an argument that a result overwrites.
constexpr llvm::StringLiteral kUpdatedAttr = "nn.updated";

class SymbolicSizes {
public:
  explicit SymbolicSizes(mlir::func::FuncOp function);

  /// The expression that `index` computes, none if it is not a function of the symbols.
  std::optional<Dim> dimOf(mlir::Value index) const;
  /// Extent `dim` of the buffer or tensor `shaped`: static, an argument's, or that of a view or
  /// allocation of known size.
  std::optional<Dim> extentOf(mlir::Value shaped, unsigned dim) const;
  /// Computes `dim` where `builder` stands, with `symbols` standing for the names.
  static mlir::Value materialize(mlir::OpBuilder &builder, mlir::Location loc, const Dim &dim,
                                 const std::map<std::string, mlir::Value> &symbols);
  const std::map<std::string, mlir::Value> &getSymbols() const { return symbols; }

private:
  std::optional<Dim> extentOfResult(mlir::Operation *op, mlir::ShapedType type, unsigned dim) const;

  mutable mlir::func::FuncOp function;
  std::map<std::string, mlir::Value> symbols;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_SYMBOLICSIZES_H
