//===- ConcreteSizes.cpp - Sizes for given symbols ------------------------===//
#include "ConcreteSizes.h"

#include "BufferPlaces.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {

ConcreteSizes::ConcreteSizes(func::FuncOp function, const SizeValues &given) : sizes(function) {
  for (const auto &[symbol, value] : given)
    values.emplace(symbol, Dim(value));
}

std::optional<int64_t> ConcreteSizes::numberOf(const std::optional<Dim> &dim) const {
  if (!dim)
    return std::nullopt;
  Dim value = dim->substitute(values);
  return value.isConstant() ? std::optional(value.constant()) : std::nullopt;
}

Value hideFormula(OpBuilder &builder, Location loc, Value number) {
  Type type = builder.getI64Type();
  Value shown = arith::IndexCastOp::create(builder, loc, type, number);
  auto hidden = LLVM::InlineAsmOp::create(
      builder, loc, type, shown, /*asm_string=*/"", /*constraints=*/"=r,0",
      /*has_side_effects=*/false, /*is_align_stack=*/false, LLVM::TailCallKind::None,
      /*asm_dialect=*/{}, /*operand_attrs=*/{});
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), hidden.getResult(0));
}

/// What hideFormula was given, or the value itself.
static Value showFormula(Value index) {
  auto cast = index.getDefiningOp<arith::IndexCastOp>();
  auto hidden = cast ? cast.getIn().getDefiningOp<LLVM::InlineAsmOp>() : nullptr;
  return hidden ? hidden.getOperands()[0].getDefiningOp<arith::IndexCastOp>().getIn() : index;
}

std::optional<int64_t> ConcreteSizes::valueOf(Value index) const {
  index = showFormula(index);
  // Extremes are no expression of dimensions, yet have a number; and what is summed up may hold one.
  Operation *op = index.getDefiningOp();
  bool isMax = isa_and_present<arith::MaxSIOp, arith::MaxUIOp>(op);
  bool isMin = isa_and_present<arith::MinSIOp, arith::MinUIOp>(op);
  if (!isMax && !isMin && !isa_and_present<arith::AddIOp>(op))
    return numberOf(sizes.dimOf(index));
  if (auto known = numbers.find(index); known != numbers.end())
    return known->second;
  std::optional<int64_t> left = valueOf(op->getOperand(0)), right = valueOf(op->getOperand(1));
  std::optional<int64_t> number;
  if (left && right)
    number = isMax ? std::max(*left, *right) : isMin ? std::min(*left, *right) : *left + *right;
  numbers[index] = number;
  return number;
}

std::optional<int64_t> ConcreteSizes::extentOf(Value buffer, unsigned dim) const {
  if (auto view = buffer.getDefiningOp<memref::ViewOp>(); view && view.getType().isDynamicDim(dim))
    return valueOf(view.getSizes()[view.getType().getDynamicDimIndex(dim)]);
  return numberOf(sizes.extentOf(buffer, dim));
}

int64_t ConcreteSizes::elementsOf(Value buffer, bool &isExact) const {
  int64_t elements = 1;
  for (unsigned dim = 0; dim < cast<ShapedType>(buffer.getType()).getRank(); ++dim) {
    std::optional<int64_t> extent = extentOf(buffer, dim);
    isExact &= extent.has_value();
    elements *= extent.value_or(1);
  }
  return elements;
}

std::string ConcreteSizes::typeOf(Value buffer) const {
  auto type = cast<ShapedType>(buffer.getType());
  std::string text = elementTypeToString(type.getElementType());
  for (unsigned dim = 0; dim < type.getRank(); ++dim) {
    std::optional<int64_t> extent = extentOf(buffer, dim);
    text += (dim == 0 ? "[" : ", ") + (extent ? std::to_string(*extent) : "?");
  }
  return text + (type.getRank() == 0 ? "" : "]");
}

int64_t elementBytes(Type bufferType) {
  Type element = getElementTypeOrSelf(bufferType);
  return element.isIndex() ? 8 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

std::string nameOfBuffer(Value buffer) {
  Value root = rootBuffer(buffer);
  if (auto argument = dyn_cast<BlockArgument>(root)) {
    auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
    auto name = function ? function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr)
                         : StringAttr();
    return name ? name.str() : "";
  }
  std::string found;
  root.getLoc()->walk([&](Location inner) {
    auto name = dyn_cast<NameLoc>(inner);
    if (!name)
      return WalkResult::advance();
    found = name.getName().str();
    return WalkResult::interrupt();
  });
  return found;
}

} // namespace nnc
