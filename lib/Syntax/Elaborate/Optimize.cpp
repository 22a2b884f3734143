//===- Optimize.cpp - From the loss to the parameters of the next step ----===//
//
// The gradients of what is not frozen, accumulated, divided by the scale of the loss and clipped as the settings
// say, go through the optimizer that a parameter has; then its average is kept. What each part computes is written
// in the prelude, training.nn and optimizers.nn.
//
//===----------------------------------------------------------------------===//
#include "TrainState.h"

#include "llvm/Support/GlobPattern.h"

using namespace mlir;

namespace nnc {

//===----------------------------------------------------------------------===//
// Settings
//===----------------------------------------------------------------------===//

bool ParameterPattern::matches(StringRef model, StringRef parameter) const {
  if (!isGlob) {
    std::string full = (model + "." + parameter).str();
    return full == text || StringRef(full).starts_with(text + ".");
  }
  llvm::Expected<llvm::GlobPattern> glob = llvm::GlobPattern::create(text);
  if (!glob) {
    llvm::consumeError(glob.takeError());
    return false;
  }
  // "conv*" names a layer, and so all that is in it.
  for (size_t size = 0; size != StringRef::npos;) {
    size = parameter.find('.', size + 1);
    if (glob->match(parameter.take_front(size)))
      return true;
  }
  return false;
}

/// A list of parameters and layers: [net.conv1, "*.b"]. The names are not evaluated.
std::optional<std::vector<ParameterPattern>> Elaborator::readPatterns(const ast::Expr &expr) {
  std::vector<ParameterPattern> patterns;
  auto add = [&](const ast::Expr &item) {
    if (const auto *name = ast::dynCast<ast::NameExpr>(&item))
      patterns.push_back({name->name, item.range, /*isGlob=*/false});
    else if (const auto *text = ast::dynCast<ast::StringExpr>(&item))
      patterns.push_back({text->value, item.range, /*isGlob=*/true});
    else
      return false;
    return true;
  };
  const auto *list = ast::dynCast<ast::ListExpr>(&expr);
  bool ok = list
                ? llvm::all_of(list->items, [&](const ast::Item &item) { return add(*item.value); })
                : add(expr);
  if (ok)
    return patterns;
  error(expr.range,
        fmt::format("expected parameters or layers such as [net.fc1, \"*.b\"], found '{}'",
                    std::string(expr.range.text())));
  return std::nullopt;
}

/// Whether each pattern names a parameter that the loss depends on.
bool Elaborator::checkPatterns(const std::vector<ParameterPattern> &patterns, StringRef model) {
  std::vector<std::string> names;
  for (const FunctionFrame::Argument &argument : frame->arguments)
    if (argument.role == "param")
      for (StringRef name = argument.name; !name.empty();
           name = name.contains('.') ? name.rsplit('.').first : "")
        names.push_back((model + "." + name).str());
  bool ok = true;
  for (const ParameterPattern &pattern : patterns) {
    bool isUsed = llvm::any_of(frame->arguments, [&](const FunctionFrame::Argument &argument) {
      return argument.role == "param" && pattern.matches(model, argument.name);
    });
    if (isUsed)
      continue;
    ok = false;
    // The model's name in front may be missing.
    std::optional<std::string> meant = closestMatch(pattern.text, names);
    if (!meant)
      meant = closestMatch((model + "." + pattern.text).str(), names);
    error(pattern.range,
          fmt::format("no parameter that the loss depends on is named '{}'", pattern.text))
        .didYouMean(pattern.isGlob ? std::nullopt : meant);
  }
  return ok;
}

bool Elaborator::applyOptimizerSetting(const ast::Target &target, const ast::Expr &expr,
                                       TrainState &train) {
  const auto *call = ast::dynCast<ast::CallExpr>(&expr);
  if (!call) {
    Diagnostic &diagnostic =
        error(expr.range, fmt::format("expected an optimizer such as 'sgd(lr = 0.01)', found '{}'",
                                      std::string(expr.range.text())));
    if (ast::NameExpr::classof(&expr))
      diagnostic.suggest(expr.range, fmt::format("{}()", expr.range.text()));
    return false;
  }
  const ast::FragmentDecl *decl = findOptimizer(*call);
  if (!decl)
    return false;
  TrainOptimizer optimizer = {call, decl, std::nullopt, target.range};
  for (const ast::Item &item : call->args)
    if (item.name == "only") {
      optimizer.only = readPatterns(*item.value);
      if (!optimizer.only)
        return false;
    }
  for (const TrainOptimizer &other : train.optimizers)
    if (!other.only && !optimizer.only) {
      error(target.range, "'optimizer' is already given")
          .note(other.range, "it is given here")
          .help("'only = [net.fc1, \"*.b\"]' gives it to some parameters");
      return false;
    }
  train.settings.emplace("optimizer", target.range);
  train.optimizers.push_back(std::move(optimizer));
  return true;
}

bool Elaborator::applyUpdateSetting(const std::string &name, const Operand &value,
                                    SourceRange range, TrainState &train) {
  bool isScalar = value.isNumber() || (value.isTensor() && nnc::getShape(value.tensor).empty());
  if (!isScalar) {
    error(range,
          fmt::format("'{}' expects a number or a scalar, found {}", name, value.describe()));
    return false;
  }
  (name == "average"     ? train.average
   : name == "clip_norm" ? train.clipNorm
                         : train.clipValue) = value;
  return true;
}

const ast::FragmentDecl *Elaborator::findOptimizer(const ast::CallExpr &call) {
  std::vector<std::string> names;
  for (const auto &[name, decl] : fragmentsAt(call.calleeRange)) {
    if (decl->fragment != ast::FragmentKind::Optimizer)
      continue;
    if (name == call.callee)
      return decl;
    names.push_back(name);
  }
  Diagnostic &diagnostic =
      error(call.calleeRange, fmt::format("unknown optimizer '{}'", call.callee));
  if (std::optional<std::string> meant = closestMatch(call.callee, names))
    diagnostic.didYouMean(meant);
  else
    diagnostic.help(fmt::format("the optimizers are {}", fmt::join(names, ", ")));
  return nullptr;
}

//===----------------------------------------------------------------------===//
// The update
//===----------------------------------------------------------------------===//

/// Whether this step is the last of those whose gradients are accumulated; none if each is.
std::optional<Value> Elaborator::isUpdateStep(int64_t accumulate, SourceRange range) {
  if (accumulate == 1)
    return std::nullopt;
  std::optional<Operand> place =
      combine(ast::BinaryOp::Modulo, *stepNumber(range), Operand::of(Dim(accumulate)), range);
  std::optional<Operand> isLast =
      combine(ast::BinaryOp::Equal, *place, Operand::of(Dim(accumulate - 1)), range);
  return isLast->tensor;
}

/// A call of a fragment of the prelude for one parameter, whose states are named after it.
std::optional<Value> Elaborator::callForParameter(StringRef fragment,
                                                  std::vector<Operand> arguments,
                                                  const std::string &path, SourceRange range) {
  std::optional<std::vector<Operand>> results = inlineFragment(
      *preludeFragments.at(fragment.str()), {std::move(arguments), {}, 0}, path, range);
  return results ? toTensor(results->front(), range) : std::nullopt;
}

/// Scalars that the training computes, such as a learning rate in f64, in the parameter's dtype.
void Elaborator::castScalars(CallArguments &arguments, Type elementType) {
  auto fit = [&](Operand &operand) {
    if (operand.isTensor() && nnc::getShape(operand.tensor).empty())
      operand.tensor = castTo(operand.tensor, elementType);
  };
  llvm::for_each(arguments.positional, fit);
  for (auto &[name, operand] : arguments.named)
    fit(operand);
}

bool Elaborator::clipGradients(const TrainState &train, SmallVectorImpl<Value> &gradients,
                               SourceRange range) {
  auto scalar = [&](const Operand &limit, Value gradient) {
    CallArguments arguments{{limit}, {}, 0};
    castScalars(arguments, nnc::getElementType(gradient));
    return arguments.positional.front();
  };
  for (Value &gradient : gradients)
    if (train.clipValue) {
      std::optional<Value> clipped = callForParameter(
          "clip_gradient", {Operand::of(gradient), scalar(*train.clipValue, gradient)}, "", range);
      if (!clipped)
        return false;
      gradient = *clipped;
    }
  if (!train.clipNorm)
    return true;
  Operand squares = Operand::of(Dim(0));
  for (Value gradient : gradients) {
    Value square = create<nn::SquareOp>(builder, locationOf(range), gradient);
    Value sum = create<nn::SumOp>(builder, locationOf(range), square);
    squares = *combine(ast::BinaryOp::Add, Operand::of(sum), squares, range);
  }
  std::optional<Value> factor = callForParameter(
      "clip_factor", {squares, scalar(*train.clipNorm, squares.tensor)}, "", range);
  if (!factor)
    return false;
  for (Value &gradient : gradients) {
    Value fitted = castTo(*factor, nnc::getElementType(gradient));
    gradient =
        combine(ast::BinaryOp::Multiply, Operand::of(gradient), Operand::of(fitted), range)->tensor;
  }
  return true;
}

/// The parameter's next value by its optimizer.
std::optional<Value> Elaborator::applyOptimizer(const TrainOptimizer &optimizer,
                                                const FunctionFrame::Argument &parameter,
                                                Value gradient) {
  const ast::CallExpr &call = *optimizer.call;
  std::optional<CallArguments> arguments = collectArguments(call, /*skipped=*/"only");
  if (!arguments)
    return std::nullopt;
  castScalars(*arguments, nnc::getElementType(parameter.value));
  arguments->positional.insert(arguments->positional.begin(),
                               {Operand::of(parameter.value), Operand::of(gradient)});
  std::optional<std::vector<Operand>> updated =
      inlineFragment(*optimizer.decl, std::move(*arguments), parameter.name + ".", call.range);
  std::optional<Value> value = updated ? toTensor(updated->front(), call.range) : std::nullopt;
  if (value && value->getType() != parameter.value.getType()) {
    error(call.range,
          fmt::format("the optimizer expects to keep {} as {}, found {}", parameter.name,
                      typeToString(parameter.value.getType()), typeToString(value->getType())));
    return std::nullopt;
  }
  return value;
}

/// The optimizer whose list names the parameter, else the one without a list.
const TrainOptimizer *Elaborator::optimizerOf(const FunctionFrame::Argument &parameter,
                                              const TrainState &train) {
  const TrainOptimizer *general = nullptr;
  for (const TrainOptimizer &optimizer : train.optimizers) {
    if (!optimizer.only)
      general = &optimizer;
    else if (llvm::any_of(*optimizer.only, [&](const ParameterPattern &pattern) {
               return pattern.matches(train.plan.model, parameter.name);
             }))
      return &optimizer;
  }
  if (!general)
    error(train.optimizers.back().range,
          fmt::format("parameter '{}' has no optimizer", parameter.name))
        .help("give one without 'only', or name it in 'frozen'");
  return general;
}

/// Lets what changed since `before` change in the steps in which `condition` holds, and stay in others.
void Elaborator::updateOnlyIf(Value condition, const std::map<std::string, Value> &before,
                              SourceRange range) {
  for (auto &[name, value] : frame->stateUpdates) {
    auto known = before.find(name);
    if (known != before.end() && known->second == value)
      continue;
    Value old;
    for (const FunctionFrame::Argument &argument : frame->arguments)
      if (argument.name == name && argument.role != "input")
        old = argument.value;
    if (known != before.end())
      old = known->second;
    value = *createOp("where", {condition, value, old}, {}, range);
  }
}

bool Elaborator::updateParameters(TrainState &train) {
  SourceRange range = train.optimizers.front().call->range;
  for (const TrainOptimizer &optimizer : train.optimizers)
    if (optimizer.only && !checkPatterns(*optimizer.only, train.plan.model))
      return false;
  if (train.frozen && !checkPatterns(*train.frozen, train.plan.model))
    return false;
  std::vector<FunctionFrame::Argument> parameters;
  SmallVector<Value> values;
  for (const FunctionFrame::Argument &argument : frame->arguments) {
    bool isFrozen =
        train.frozen && llvm::any_of(*train.frozen, [&](const ParameterPattern &pattern) {
          return pattern.matches(train.plan.model, argument.name);
        });
    if (argument.role != "param" || isFrozen)
      continue;
    parameters.push_back(argument);
    values.push_back(argument.value);
  }
  if (values.empty()) {
    error(range, train.frozen ? "nothing to train: all parameters are frozen"
                              : "nothing to train: the loss depends on no parameter");
    return false;
  }
  std::optional<Value> scale = train.scalesLoss() ? lossScale(train) : std::nullopt;
  if (train.scalesLoss() && !scale)
    return false;
  Value loss = scale ? scaleLoss(*train.loss, *scale, range) : *train.loss;
  auto derivatives = nn::GradOp::create(builder, locationOf(range), loss, ValueRange(values));
  SmallVector<Value> gradients(derivatives.getResults());
  if (train.accumulate > 1)
    for (auto [parameter, gradient] : llvm::zip(parameters, gradients)) {
      std::optional<Value> mean = callForParameter(
          "accumulate_gradient",
          {Operand::of(parameter.value), Operand::of(gradient), Operand::of(Dim(train.accumulate))},
          parameter.name + ".", range);
      if (!mean)
        return false;
      gradient = *mean;
    }
  std::optional<Value> isFinite =
      scale ? unscaleGradients(*scale, gradients, train.lossScaleRange) : std::nullopt;
  if ((scale && !isFinite) || !clipGradients(train, gradients, range))
    return false;
  std::optional<Value> isUpdate = isUpdateStep(train.accumulate, range);
  std::map<std::string, Value> before = frame->stateUpdates;
  for (auto [parameter, gradient] : llvm::zip(parameters, gradients)) {
    const TrainOptimizer *optimizer = optimizerOf(parameter, train);
    std::optional<Value> updated =
        optimizer ? applyOptimizer(*optimizer, parameter, gradient) : std::nullopt;
    if (!updated)
      return false;
    frame->stateUpdates[parameter.name] = *updated;
    if (!train.average)
      continue;
    CallArguments decay{{*train.average}, {}, 0};
    castScalars(decay, nnc::getElementType(parameter.value));
    if (!callForParameter(
            "average_parameter",
            {Operand::of(parameter.value), Operand::of(*updated), decay.positional.front()},
            parameter.name + ".", range))
      return false;
  }
  if (isFinite) {
    updateOnlyIf(*isFinite, before, range);
    if (!updateLossScale(train, *isFinite))
      return false;
  }
  if (isUpdate)
    updateOnlyIf(*isUpdate, before, range);
  return true;
}

} // namespace nnc
