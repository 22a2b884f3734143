//===- Einsum.cpp - The derivative of sums of products --------------------===//
//
// By one operand it is the product of the cotangent and the other operands, summed over the axes
// that the operand does not have: an einsum again.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Einsum.h"
#include "Rule.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

/// Ones of `shape`, as a factor that gives the product further axes.
static Expr ones(Expr like, ArrayRef<Dim> shape) {
  Builder &builder = like.place->builder;
  NamedAttribute attributes[] = {builder.getNamedAttr("shape", toAttr(builder.getContext(), shape)),
                                 builder.getNamedAttr("value", builder.getF64FloatAttr(1)),
                                 builder.getNamedAttr("dtype", TypeAttr::get(like.elementType()))};
  return {like.place, create<FullOp>(like.place->builder, like.place->loc, {}, attributes)};
}

static Expr gradientOf(size_t index, const Einsum &forward, ArrayRef<Expr> inputs, Expr d) {
  Einsum backward;
  SmallVector<Expr> factors;
  std::map<char, Dim> sizes;
  auto addFactor = [&](Expr factor, const std::string &labels) {
    for (auto [label, size] : llvm::zip_equal(labels, factor.shape()))
      if (auto [known, isNew] = sizes.emplace(label, size); !isNew && known->second == Dim(1))
        known->second = size;
    factors.push_back(factor);
    backward.operands.push_back(labels);
  };
  addFactor(d, forward.result);
  for (auto [other, input] : llvm::enumerate(inputs))
    if (other != index)
      addFactor(input, forward.operands[other]);
  // What no other factor has was repeated along the whole axis.
  backward.result = forward.operands[index];
  std::string missing;
  Shape shape;
  for (auto [label, size] : llvm::zip_equal(backward.result, inputs[index].shape())) {
    auto known = sizes.find(label);
    bool isThere = known != sizes.end() && (known->second != Dim(1) || size == Dim(1));
    if (isThere || StringRef(missing).contains(label))
      continue;
    missing += label;
    shape.push_back(size);
  }
  if (!missing.empty())
    addFactor(ones(d, shape), missing);
  Builder &builder = d.place->builder;
  return apply<EinsumOp>(factors,
                         {builder.getNamedAttr("equation", builder.getStringAttr(backward.str()))});
}

static SmallVector<Expr> gradient(EinsumOp op, ArrayRef<Expr> inputs, Expr y, Expr d) {
  Einsum forward = readEinsum(op);
  SmallVector<Expr> gradients;
  for (size_t index = 0; index < inputs.size(); ++index)
    gradients.push_back(gradientOf(index, forward, inputs, d));
  return gradients;
}

void registerEinsumGradients(MLIRContext *context) { registerRules<EinsumOp>(context); }

} // namespace nnc
