//===- LossScale.cpp - Gradients that f16 can hold ------------------------===//
//
// The loss is multiplied by a scale before it is differentiated, the gradients are divided by it after, and a step
// in which one of them is not finite updates nothing. What becomes of the scale then is said by a layer, such as
// dynamic_scale in the prelude's training.nn, in whose state `scale` it is.
//
//===----------------------------------------------------------------------===//
#include "TrainState.h"

using namespace mlir;

namespace nnc {

/// The instance that the layer is.
constexpr StringLiteral kPath = "loss_scale.";

bool Elaborator::applyLossScale(const ast::Expr &expr, TrainState &train) {
  train.lossScaleRange = expr.range;
  if (const auto *call = ast::dynCast<ast::CallExpr>(&expr)) {
    const auto &fragments = fragmentsAt(call->calleeRange);
    auto decl = fragments.find(call->callee);
    if (decl != fragments.end() && decl->second->fragment == ast::FragmentKind::Layer) {
      train.scaleCall = call;
      train.scaleDecl = decl->second;
      return true;
    }
  }
  std::optional<Operand> value = evaluate(expr);
  if (!value)
    return false;
  bool isScalar = value->isNumber() || (value->isTensor() && nnc::getShape(value->tensor).empty());
  if (!isScalar)
    error(
        expr.range,
        fmt::format("'loss_scale' expects a number, a scalar or a layer such as 'dynamic_scale()', "
                    "found {}",
                    value->describe()));
  train.fixedScale = *value;
  return isScalar;
}

/// The scale as it is before the step, an f32 scalar.
std::optional<Value> Elaborator::lossScale(const TrainState &train) {
  if (train.scaleDecl)
    return addArgument((kPath + "scale").str(), "state",
                       RankedTensorType::get({}, builder.getF32Type()));
  std::optional<Value> value =
      toTensor(*train.fixedScale, train.lossScaleRange, builder.getF32Type());
  return value ? std::optional(castTo(*value, builder.getF32Type())) : std::nullopt;
}

/// `value` in f32 if it is shorter: what is scaled there may be too large for f16, and what is not any more, too
/// small.
Value Elaborator::inFullPrecision(Value value) {
  return nnc::getElementType(value).getIntOrFloatBitWidth() < 32
             ? castTo(value, builder.getF32Type())
             : value;
}

Value Elaborator::scaleLoss(Value loss, Value scale, SourceRange range) {
  Value full = inFullPrecision(loss);
  Value factor = castTo(scale, nnc::getElementType(full));
  return combine(ast::BinaryOp::Multiply, Operand::of(full), Operand::of(factor), range)->tensor;
}

std::optional<Value> Elaborator::unscaleGradients(Value scale, SmallVectorImpl<Value> &gradients,
                                                  SourceRange range) {
  Operand total = Operand::of(Dim(0));
  for (Value &gradient : gradients) {
    Type type = nnc::getElementType(gradient);
    Value full = inFullPrecision(gradient);
    Value magnitude = create<nn::AbsOp>(builder, locationOf(range), full);
    Value sum = create<nn::SumOp>(builder, locationOf(range), magnitude);
    total = *combine(ast::BinaryOp::Add, Operand::of(sum), total, range);
    Value divisor = castTo(scale, nnc::getElementType(full));
    Value unscaled =
        combine(ast::BinaryOp::Divide, Operand::of(full), Operand::of(divisor), range)->tensor;
    gradient = castTo(unscaled, type);
  }
  return callForParameter("is_finite", {total}, "", range);
}

bool Elaborator::updateLossScale(const TrainState &train, Value isFinite) {
  if (!train.scaleDecl)
    return true;
  SourceRange range = train.lossScaleRange;
  std::optional<CallArguments> arguments = collectArguments(*train.scaleCall);
  if (!arguments)
    return false;
  arguments->positional.insert(arguments->positional.begin(), Operand::of(isFinite));
  if (!inlineFragment(*train.scaleDecl, std::move(*arguments), kPath.str(), range))
    return false;
  const StateEntry *state = frame->model->find((kPath + "scale").str());
  if (state && state->type == RankedTensorType::get({}, builder.getF32Type()))
    return true;
  error(range, fmt::format("'loss_scale' expects a layer with 'state scale: f32', found {}",
                           state ? "scale: " + typeToString(state->type) : "no state 'scale'"))
      .note(train.scaleDecl->nameRange, "the layer is declared here");
  return false;
}

} // namespace nnc
