//===- BufferDescriptor.cpp - Buffers as pointers and numbers -------------===//
#include "BufferDescriptor.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace nnc {

Value toI64(OpBuilder &builder, Location loc, Value index) {
  return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
}

Value constantI64(OpBuilder &builder, Location loc, int64_t value) {
  return LLVM::ConstantOp::create(builder, loc, builder.getI64Type(), value);
}

/// A buffer of `type` at `pointer`.
Value makeBuffer(OpBuilder &builder, Location loc, const LLVMTypeConverter &converter,
                 MemRefType type, Value pointer, const BufferNumbers &numbers) {
  auto descriptor = MemRefDescriptor::poison(builder, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(builder, loc, pointer);
  descriptor.setAlignedPtr(builder, loc, pointer);
  descriptor.setOffset(builder, loc, numbers.offset);
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    descriptor.setSize(builder, loc, dim, numbers.sizes[dim]);
    descriptor.setStride(builder, loc, dim, numbers.strides[dim]);
  }
  Value result = descriptor;
  return UnrealizedConversionCastOp::create(builder, loc, type, result).getResult(0);
}

/// The strides of `type` and, last, its offset; kDynamic where they are open.
static SmallVector<int64_t> layoutOf(MemRefType type) {
  SmallVector<int64_t> numbers;
  int64_t offset = ShapedType::kDynamic;
  if (failed(type.getStridesAndOffset(numbers, offset)))
    llvm_unreachable("a buffer without strides");
  numbers.push_back(offset);
  return numbers;
}

/// How many numbers the type leaves open.
static unsigned countOpen(MemRefType type) {
  return llvm::count_if(type.getShape(), ShapedType::isDynamic) +
         llvm::count_if(layoutOf(type), ShapedType::isDynamic);
}

/// The argument of `kernel` at `position`, a buffer, as a pointer and numbers.
static void takeApart(func::FuncOp kernel, unsigned position, MemRefType type,
                      const LLVMTypeConverter &converter) {
  Location loc = kernel.getLoc();
  OpBuilder b = OpBuilder::atBlockBegin(&kernel.getBody().front());
  auto pointer = LLVM::LLVMPointerType::get(kernel.getContext());
  unsigned next = position;
  (void)kernel.insertArgument(next++, pointer, {}, loc);
  for (unsigned i = 0; i < countOpen(type); ++i)
    (void)kernel.insertArgument(next++, b.getIndexType(), {}, loc);
  next = position + 1;
  auto number = [&](int64_t known) {
    return ShapedType::isDynamic(known) ? toI64(b, loc, kernel.getArgument(next++))
                                        : constantI64(b, loc, known);
  };
  BufferNumbers numbers;
  for (int64_t size : type.getShape())
    numbers.sizes.push_back(number(size));
  SmallVector<int64_t> layout = layoutOf(type);
  for (int64_t stride : ArrayRef(layout).drop_back())
    numbers.strides.push_back(number(stride));
  numbers.offset = number(layout.back());
  Value buffer = makeBuffer(b, loc, converter, type, kernel.getArgument(position), numbers);
  unsigned old = position + 1 + countOpen(type);
  kernel.getArgument(old).replaceAllUsesWith(buffer);
  (void)kernel.eraseArgument(old);
}

/// What a call passes for `buffer`.
static void giveApart(OpBuilder &b, Location loc, Value buffer, const LLVMTypeConverter &converter,
                      SmallVector<Value> &operands) {
  auto type = cast<MemRefType>(buffer.getType());
  Value fields =
      UnrealizedConversionCastOp::create(b, loc, converter.convertType(type), buffer).getResult(0);
  MemRefDescriptor descriptor(fields);
  auto give = [&](Value number) {
    operands.push_back(arith::IndexCastOp::create(b, loc, b.getIndexType(), number));
  };
  operands.push_back(descriptor.alignedPtr(b, loc));
  SmallVector<int64_t> layout = layoutOf(type);
  for (unsigned dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      give(descriptor.size(b, loc, dim));
  for (unsigned dim = 0; dim < type.getRank(); ++dim)
    if (ShapedType::isDynamic(layout[dim]))
      give(descriptor.stride(b, loc, dim));
  if (ShapedType::isDynamic(layout.back()))
    give(descriptor.offset(b, loc));
}

void passBuffersAsNumbers(ModuleOp module, const LLVMTypeConverter &converter) {
  for (auto function : module.getOps<func::FuncOp>())
    for (unsigned position = function.getNumArguments(); position-- > 0;)
      if (auto type = dyn_cast<MemRefType>(function.getArgumentTypes()[position]))
        if (function.isPrivate())
          takeApart(function, position, type, converter);
  module.walk([&](func::CallOp call) {
    OpBuilder b(call);
    SmallVector<Value> operands;
    for (Value operand : call.getOperands())
      if (isa<MemRefType>(operand.getType()))
        giveApart(b, call.getLoc(), operand, converter, operands);
      else
        operands.push_back(operand);
    call->setOperands(operands);
  });
}

} // namespace nnc
