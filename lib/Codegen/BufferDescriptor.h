//===- BufferDescriptor.h - Buffers as pointers and numbers -----*- C++ -*-===//
//
// LLVM knows a buffer as a structure of a pointer, an offset, sizes and strides. Functions of the
// generated code do not take such structures: they take pointers, and what the types leave open.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_BUFFERDESCRIPTOR_H
#define NNC_LIB_CODEGEN_BUFFERDESCRIPTOR_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nnc {

/// Where the elements of a buffer lie behind its pointer; all are i64.
struct BufferNumbers {
  llvm::SmallVector<mlir::Value> sizes, strides;
  mlir::Value offset;
};

mlir::Value toI64(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value index);
mlir::Value constantI64(mlir::OpBuilder &builder, mlir::Location loc, int64_t value);

/// A buffer of `type` at `pointer`.
mlir::Value makeBuffer(mlir::OpBuilder &builder, mlir::Location loc,
                       const mlir::LLVMTypeConverter &converter, mlir::MemRefType type,
                       mlir::Value pointer, const BufferNumbers &numbers);

/// Makes the private functions of `module` and their calls pass each buffer as a pointer and the
/// numbers that its type leaves open, as indices.
void passBuffersAsNumbers(mlir::ModuleOp module, const mlir::LLVMTypeConverter &converter);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_BUFFERDESCRIPTOR_H
