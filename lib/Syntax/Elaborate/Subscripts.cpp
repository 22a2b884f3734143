//===- Subscripts.cpp - Slices and functional updates ---------------------===//
//
// NumPy's basic indexing: ranges with steps, single indices, new axes, `...`; one tensor of
// integers gathers. A part must lie within the tensor; that is checked here, where sizes are known
// or are expressions of one another.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

/// A subscript, axis by axis of the base.
struct Elaborator::Part {
  Shape starts, stops;
  SmallVector<int64_t> steps;
  SmallVector<int64_t> reversed; ///< axes with a negative step
  SmallVector<int64_t> dropped;  ///< axes indexed by one integer
  SmallVector<int64_t> newAxes;  ///< places of None in the result
  std::optional<int64_t> gatherAxis;
  Value indices;

  bool isWhole(ArrayRef<Dim> shape) const {
    for (size_t axis = 0; axis < shape.size(); ++axis)
      if (starts[axis] != Dim(0) || stops[axis] != shape[axis] || steps[axis] != 1)
        return false;
    return true;
  }
};

/// A bound of a range: from the end where negative, held within a size that is known.
static Dim placeBound(const Dim &bound, const Dim &size) {
  if (!bound.isConstant())
    return bound;
  if (bound.constant() < 0) {
    Dim fromEnd = size + bound;
    return fromEnd.isConstant() && fromEnd.constant() < 0 ? Dim(0) : fromEnd;
  }
  return size.isConstant() && bound.constant() > size.constant() ? size : bound;
}

bool Elaborator::resolveRange(const ast::RangeExpr &range, const Dim &size, Dim &start, Dim &stop,
                              int64_t &step) {
  auto bound = [&](const ast::ExprPtr &expr, Dim &result) {
    if (!expr)
      return true;
    std::optional<Operand> value = evaluate(*expr);
    if (value && value->kind != Operand::Kind::Dimension) {
      error(expr->range, fmt::format("expected an integer, found {}", value->describe()))
          .help("the bounds of a slice are known when compiling");
      return false;
    }
    if (value)
      result = value->dim;
    return bool(value);
  };
  Dim stepDim(1);
  if (!bound(range.step, stepDim))
    return false;
  if (!stepDim.isConstant() || stepDim == Dim(0)) {
    error(range.step->range, fmt::format("expected a step other than 0, found {}", stepDim.str()));
    return false;
  }
  step = stepDim.constant();
  // Backwards, the bounds are those of the reversed axis.
  start = step > 0 ? Dim(0) : size - Dim(1);
  stop = step > 0 ? size : Dim(-1);
  if (range.start) {
    if (!bound(range.start, start))
      return false;
    start = placeBound(start, step > 0 ? size : size - Dim(1));
  }
  if (range.stop) {
    if (!bound(range.stop, stop))
      return false;
    stop = placeBound(stop, size);
  }
  if (step < 0) {
    Dim first = size - Dim(1) - start;
    stop = size - Dim(1) - stop;
    start = first;
    return true;
  }
  if (start.isConstant() && stop.isConstant() && start.constant() > stop.constant())
    stop = start;
  return true;
}

std::optional<Elaborator::Part>
Elaborator::resolvePart(Value base, const std::vector<ast::ExprPtr> &indices, SourceRange range) {
  Shape shape = nnc::getShape(base);
  size_t consumed = 0;
  for (const ast::ExprPtr &index : indices)
    consumed +=
        index->kind() != ast::Expr::Kind::None && index->kind() != ast::Expr::Kind::Ellipsis;
  if (consumed > shape.size()) {
    error(range,
          fmt::format("expected at most {} for {}, found {}",
                      shape.size() == 1 ? "1 index" : fmt::format("{} indices", shape.size()),
                      typeToString(base.getType()), consumed));
    return std::nullopt;
  }
  Part part;
  int64_t resultAxis = 0;
  auto takeWhole = [&] {
    part.starts.push_back(Dim(0));
    part.stops.push_back(shape[part.steps.size()]);
    part.steps.push_back(1);
    ++resultAxis;
  };
  bool hasEllipsis = false;
  for (const ast::ExprPtr &index : indices) {
    int64_t axis = part.steps.size();
    if (index->kind() == ast::Expr::Kind::None) {
      part.newAxes.push_back(resultAxis++);
    } else if (index->kind() == ast::Expr::Kind::Ellipsis) {
      if (std::exchange(hasEllipsis, true)) {
        error(index->range, "expected one '...' in a subscript, found a second");
        return std::nullopt;
      }
      for (size_t count = shape.size() - consumed; count > 0; --count)
        takeWhole();
    } else if (const auto *rangeExpr = ast::dynCast<ast::RangeExpr>(index.get())) {
      Dim start, stop;
      int64_t step;
      if (!resolveRange(*rangeExpr, shape[axis], start, stop, step))
        return std::nullopt;
      if (step < 0)
        part.reversed.push_back(axis);
      part.starts.push_back(start);
      part.stops.push_back(stop);
      part.steps.push_back(std::abs(step));
      ++resultAxis;
    } else {
      std::optional<Operand> value = evaluate(*index);
      if (!value)
        return std::nullopt;
      if (value->kind == Operand::Kind::List && value->isLiteral()) {
        std::optional<Value> list = toTensor(*value, index->range);
        if (!list)
          return std::nullopt;
        value = Operand::of(*list);
      }
      if (value->isTensor() && isa<IntegerType>(nnc::getElementType(value->tensor)) &&
          !nnc::getElementType(value->tensor).isInteger(1) && !part.gatherAxis) {
        part.gatherAxis = axis;
        part.indices = value->tensor;
        takeWhole();
        resultAxis += int64_t(nnc::getShape(value->tensor).size()) - 1;
        continue;
      }
      if (value->kind != Operand::Kind::Dimension) {
        error(index->range, fmt::format("expected an integer, a range, None or '...', found {}",
                                        value->describe()));
        return std::nullopt;
      }
      Dim start = value->dim;
      if (start.isConstant() && start.constant() < 0)
        start = shape[axis] + start;
      bool outside = start.isConstant() &&
                     (start.constant() < 0 ||
                      (shape[axis].isConstant() && start.constant() >= shape[axis].constant()));
      if (outside) {
        std::string size = shape[axis].str();
        error(index->range,
              fmt::format("expected an index from {} to {} along an axis of size {}, found {}",
                          (Dim(0) - shape[axis]).str(), (shape[axis] - Dim(1)).str(), size,
                          value->dim.str()));
        return std::nullopt;
      }
      part.starts.push_back(start);
      part.stops.push_back(start + Dim(1));
      part.steps.push_back(1);
      part.dropped.push_back(axis);
    }
  }
  while (part.steps.size() < shape.size())
    takeWhole();
  return part;
}

static SmallVector<NamedAttribute> partAttributes(OpBuilder &builder, ArrayRef<Dim> starts,
                                                  ArrayRef<Dim> stops, ArrayRef<int64_t> steps) {
  return {builder.getNamedAttr("starts", toAttr(builder.getContext(), starts)),
          builder.getNamedAttr("stops", toAttr(builder.getContext(), stops)),
          builder.getNamedAttr("steps", builder.getDenseI64ArrayAttr(steps))};
}

std::optional<Operand> Elaborator::indexList(const Operand &list,
                                             const std::vector<ast::ExprPtr> &indices,
                                             SourceRange range) {
  const ast::Expr *index = indices.size() == 1 ? indices.front().get() : nullptr;
  int64_t size = list.items.size();
  if (const auto *part = index ? ast::dynCast<ast::RangeExpr>(index) : nullptr) {
    Dim start, stop;
    int64_t step;
    if (!resolveRange(*part, Dim(size), start, stop, step))
      return std::nullopt;
    std::vector<Operand> items;
    for (int64_t at = start.constant(); at < stop.constant(); at += std::abs(step))
      items.push_back(list.items[step < 0 ? size - 1 - at : at]);
    return Operand::ofList(std::move(items));
  }
  std::optional<Operand> value = index ? evaluate(*index) : std::nullopt;
  if (!value || !value->isInteger() || value->dim.constant() < -size ||
      value->dim.constant() >= size) {
    if (!index || value)
      error(range,
            fmt::format("expected an index from {} to {} for a list of {}", -size, size - 1, size));
    return std::nullopt;
  }
  int64_t at = value->dim.constant();
  return list.items[at < 0 ? at + size : at];
}

std::optional<Operand> Elaborator::evaluateSubscript(const ast::SubscriptExpr &expr) {
  std::optional<Operand> base = evaluate(*expr.base);
  if (!base)
    return std::nullopt;
  // A literal is a tensor as soon as it is indexed as one.
  bool asList = !base->isLiteral() || expr.indices.size() == 1;
  for (const ast::ExprPtr &index : expr.indices)
    asList &= index->kind() != ast::Expr::Kind::List &&
              index->kind() != ast::Expr::Kind::Ellipsis && index->kind() != ast::Expr::Kind::None;
  if (base->kind == Operand::Kind::List && asList)
    return indexList(*base, expr.indices, expr.range);
  std::optional<Value> value = toTensor(*base, expr.base->range);
  if (!value)
    return std::nullopt;
  std::optional<Part> part = resolvePart(*value, expr.indices, expr.range);
  if (!part)
    return std::nullopt;
  if (!part->reversed.empty())
    value = createOp("reverse", *value,
                     builder.getNamedAttr("axis", builder.getDenseI64ArrayAttr(part->reversed)),
                     expr.range);
  if (value && !part->isWhole(nnc::getShape(*value)))
    value = createOp("slice", *value,
                     partAttributes(builder, part->starts, part->stops, part->steps), expr.range);
  if (value && part->gatherAxis)
    value = createOp("gather", {*value, part->indices},
                     builder.getNamedAttr("axis", builder.getI64IntegerAttr(*part->gatherAxis)),
                     expr.range);
  if (value && !part->dropped.empty()) {
    SmallVector<int64_t> dropped = part->dropped;
    if (part->gatherAxis)
      for (int64_t &axis : dropped)
        axis += axis > *part->gatherAxis ? int64_t(nnc::getShape(part->indices).size()) - 1 : 0;
    value =
        createOp("squeeze", *value,
                 builder.getNamedAttr("axis", builder.getDenseI64ArrayAttr(dropped)), expr.range);
  }
  if (value && !part->newAxes.empty())
    value = createOp("expand_dims", *value,
                     builder.getNamedAttr("axis", builder.getDenseI64ArrayAttr(part->newAxes)),
                     expr.range);
  return value ? std::optional(Operand::of(*value)) : std::nullopt;
}

std::optional<Operand> Elaborator::updatePart(Value base, const std::vector<ast::ExprPtr> &indices,
                                              const ast::Expr &valueExpr, SourceRange range) {
  std::optional<Part> part = resolvePart(base, indices, range);
  if (!part)
    return std::nullopt;
  if (part->gatherAxis || !part->newAxes.empty() || !part->reversed.empty()) {
    error(range, "an update expects integers and forward ranges as indices")
        .help("'scatter_add' and 'where' change elements chosen by tensors");
    return std::nullopt;
  }
  Type elementType = nnc::getElementType(base);
  std::optional<Operand> operand = evaluate(valueExpr);
  if (!operand)
    return std::nullopt;
  if (operand->isLiteral() && operand->hasFloat() && !isa<FloatType>(elementType)) {
    error(valueExpr.range,
          fmt::format("an update of {} expects {}, found {}", typeToString(base.getType()),
                      elementTypeToString(elementType), operand->describe()))
        .help(fmt::format("convert the tensor, 'f32(x)', or the value, '{}(…)'",
                          elementTypeToString(elementType)));
    return std::nullopt;
  }
  std::optional<Value> update = toTensor(*operand, valueExpr.range, elementType);
  if (!update)
    return std::nullopt;
  if (!canStoreAs(nnc::getElementType(*update), elementType)) {
    error(valueExpr.range,
          fmt::format("an update of {} expects {}, found {}, which would lose its fraction",
                      typeToString(base.getType()), elementTypeToString(elementType),
                      typeToString(update->getType())))
        .help(fmt::format("convert the tensor, 'f32(x)', or the value, '{}(…)'",
                          elementTypeToString(elementType)));
    return std::nullopt;
  }
  update = castTo(*update, elementType);
  // The value has the shape of the part without the axes that one integer indexes.
  SmallVector<int64_t> restored;
  int64_t valueRank = nnc::getShape(*update).size(), partRank = part->steps.size();
  for (int64_t axis : part->dropped) {
    int64_t fromEnd = partRank - axis;
    int64_t laterDropped =
        llvm::count_if(part->dropped, [&](int64_t other) { return other > axis; });
    if (fromEnd - laterDropped <= valueRank)
      restored.push_back(-fromEnd);
  }
  if (!restored.empty())
    update = createOp("expand_dims", *update,
                      builder.getNamedAttr("axis", builder.getDenseI64ArrayAttr(restored)), range);
  if (update)
    update = createOp("slice_update", {base, *update},
                      partAttributes(builder, part->starts, part->stops, part->steps), range);
  return update ? std::optional(Operand::of(*update)) : std::nullopt;
}

} // namespace nnc
