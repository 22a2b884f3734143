//===- Train.cpp - A train block becomes a step function and a plan ----===//
//
// The step takes parameters, states and a batch, and gives the parameters after it, the states, the
// loss and what is recorded.
//
//===----------------------------------------------------------------------===//
#include "TrainState.h"

using namespace mlir;

namespace nnc {

bool Elaborator::recordValue(const ast::DeclareStmt &stmt) {
  std::optional<Value> value = stmt.value ? evaluateTensor(*stmt.value) : std::nullopt;
  if (!value)
    return false;
  bindName(stmt.target.name, Operand::of(*value));
  addResult(stmt.target.name, "record", *value);
  return true;
}

bool Elaborator::applyMetric(const ast::Expr &metric, TrainState &train) {
  if (ast::StringExpr::classof(&metric)) {
    error(metric.range,
          fmt::format("expected a metric such as 'accuracy(logits, label)', found the "
                      "string {}",
                      std::string(metric.range.text())));
    return false;
  }
  std::optional<Value> value = evaluateTensor(metric);
  if (!value)
    return false;
  const auto *call = ast::dynCast<ast::CallExpr>(&metric);
  addResult(call ? call->callee : "metric", "record", *value);
  train.metrics.push_back(frame->results.back().name);
  return true;
}

bool Elaborator::applyMetrics(const ast::AssignStmt &stmt, TrainState &train) {
  auto apply = [&](const ast::Expr &metric) { return applyMetric(metric, train); };
  return llvm::all_of(stmt.values, [&](const ast::ExprPtr &value) {
    // [a, b] is a list of metrics, not one that is stacked from both.
    const auto *list = ast::dynCast<ast::ListExpr>(value.get());
    return list ? llvm::all_of(list->items,
                               [&](const ast::Item &item) { return apply(*item.value); })
                : apply(*value);
  });
}

bool Elaborator::applyLoss(const ast::Expr &expr, TrainState &train) {
  train.loss = evaluateTensor(expr);
  if (!train.loss)
    return false;
  auto type = cast<RankedTensorType>(train.loss->getType());
  if (type.getRank() != 0 || !isa<FloatType>(type.getElementType())) {
    error(expr.range,
          fmt::format("the loss expects a floating-point scalar, found {}", typeToString(type)))
        .help("reduce it, for example with 'mean'");
    return false;
  }
  bindName("loss", Operand::of(*train.loss));
  return true;
}

bool Elaborator::applySetting(const ast::AssignStmt &stmt, TrainState &train) {
  const std::string &name = stmt.targets.front().name;
  const ast::Expr &expr = *stmt.values.front();
  if (name == "optimizer")
    return applyOptimizerSetting(stmt.targets.front(), expr, train);
  auto [first, isNew] = train.settings.emplace(name, stmt.targets.front().range);
  auto rival = train.settings.find(name == "steps" ? "epochs" : name == "epochs" ? "steps" : "");
  if (!isNew || rival != train.settings.end()) {
    error(stmt.targets.front().range, isNew ? "expected 'epochs' or 'steps', found both"
                                            : fmt::format("'{}' is already given", name))
        .note(isNew ? rival->second : first->second, "it is given here");
    return false;
  }
  if (name == "frozen") {
    train.frozen = readPatterns(expr);
    return train.frozen.has_value();
  }
  if (name == "metrics")
    return applyMetrics(stmt, train);
  if (name == "loss")
    return applyLoss(expr, train);
  if (name == "loss_scale")
    return applyLossScale(expr, train);
  if (name == "keep")
    return applyKeep(expr, train);
  if (name == "stop")
    return applyStop(expr, train);
  if (name == "validation") {
    train.validation = &expr;
    return true;
  }
  std::optional<Operand> value = evaluate(expr);
  if (!value)
    return false;
  if (name == "averaged") {
    train.evaluatesAverages = value->truth;
    if (value->kind == Operand::Kind::Bool)
      return true;
    error(expr.range, fmt::format("'averaged' expects true or false, found {}", value->describe()));
    return false;
  }
  if (name == "clip_norm" || name == "clip_value" || name == "average")
    return applyUpdateSetting(name, *value, expr.range, train);
  int64_t least = name == "report_every" || name == "accumulate" ? 1 : 0;
  if (!value->isInteger() || value->dim.constant() < least) {
    error(expr.range, fmt::format("'{}' expects an integer of {} or more, found {}", name,
                                  least == 1 ? "one" : "zero", value->describe()));
    return false;
  }
  int64_t number = value->dim.constant();
  if (name == "seed")
    train.plan.seed = number;
  else if (name == "accumulate")
    train.accumulate = number;
  else
    (name == "epochs"  ? train.plan.epochs
     : name == "steps" ? train.plan.steps
                       : train.plan.reportEvery) = number;
  return true;
}

/// Whether a name is given a number, which nothing but a setting would be, and is near that of one.
static bool isMisspelt(const ast::AssignStmt &stmt, const std::vector<std::string> &settings) {
  return stmt.targets.size() == 1 && ast::NumberExpr::classof(stmt.values.front().get()) &&
         closestMatch(stmt.targets.front().name, settings);
}

bool Elaborator::reportMisspelt(const ast::Target &target,
                                const std::vector<std::string> &settings) {
  error(target.range, fmt::format("unknown setting '{}'", target.name))
      .didYouMean(closestMatch(target.name, settings));
  return false;
}

bool Elaborator::elaborateTrainStmt(const ast::Stmt &stmt, TrainState &train) {
  static const std::vector<std::string> settings = {
      "loss",       "optimizer", "metrics",   "epochs",     "steps",     "report_every",
      "seed",       "frozen",    "clip_norm", "clip_value", "average",   "accumulate",
      "validation", "averaged",  "keep",      "stop",       "loss_scale"};
  const auto *assign = ast::dynCast<ast::AssignStmt>(&stmt);
  if (assign && assign->targets.size() == 1) {
    if (llvm::is_contained(settings, assign->targets.front().name))
      return applySetting(*assign, train);
    if (isMisspelt(*assign, settings))
      return reportMisspelt(assign->targets.front(), settings);
    if (llvm::is_contained({"batch", "batch_size"}, assign->targets.front().name) &&
        ast::NumberExpr::classof(assign->values.front().get())) {
      error(assign->targets.front().range,
            fmt::format("unknown setting '{}'", assign->targets.front().name))
          .help(fmt::format("batches are made where the data is: 'data batches = {} | batch({})'",
                            train.plan.data, std::string(assign->values.front()->range.text())));
      return false;
    }
  }
  if (stmt.kind() == ast::Stmt::Kind::Return) {
    error(stmt.range, "'return' has no meaning in a training")
        .help("a training says what its loss is: loss = mse(…)");
    return false;
  }
  const auto *declare = ast::dynCast<ast::DeclareStmt>(&stmt);
  if (declare && declare->declares == ast::DeclareKind::Record)
    return recordValue(*declare);
  return elaborateStmt(stmt);
}

/// Puts the results of a step in order: parameters, states, loss, records, taps.
void Elaborator::finishStep(Value loss) {
  std::vector<FunctionFrame::Result> others = std::move(frame->results);
  frame->results.clear();
  for (StringRef role : {"param", "state"})
    for (const FunctionFrame::Argument &argument : frame->arguments)
      if (argument.role == role && frame->stateUpdates.count(argument.name))
        addResult(argument.name, argument.role, frame->stateUpdates[argument.name]);
  addResult("loss", "loss", loss);
  for (const FunctionFrame::Result &other : others)
    addResult(other.name, other.role, other.value);
}

bool Elaborator::elaborateTrain(const ast::TrainDecl &decl) {
  auto model = models.find(decl.model);
  if (model == models.end()) {
    std::vector<std::string> names;
    for (const auto &[name, info] : models)
      names.push_back(name);
    const auto &fragments = fragmentsAt(decl.modelRange);
    if (auto other = fragments.find(decl.model); other != fragments.end())
      error(decl.modelRange,
            fmt::format("expected a model to train, found the {} '{}'",
                        std::string(spelling(other->second->fragment)), decl.model))
          .help("only a model has parameters of its own");
    else
      error(decl.modelRange, fmt::format("unknown model '{}'", decl.model))
          .didYouMean(closestMatch(decl.model, names));
    return false;
  }
  TrainState train;
  if (!decl.data) {
    error(decl.modelRange, fmt::format("'train {}' needs data", decl.model))
        .help(fmt::format("write 'train {} on DATA(x, y)'", decl.model));
    return false;
  }
  std::string step = decl.model + ".step";
  for (unsigned count = 2; program.module->lookupSymbol(step); ++count)
    step = fmt::format("{}.step_{}", decl.model, count);
  train.plan.model = decl.model;
  train.plan.data = decl.data->name;
  train.plan.step = step;
  train.plan.range = decl.modelRange;
  beginFunction(step, "step", decl.modelRange, &model->second);
  frame->isTraining = true;
  if (!addFields(decl.data->name, decl.data->range, decl.data->fields, train.plan.fields))
    return false;
  bool ok = true;
  for (const ast::StmtPtr &stmt : decl.body.stmts)
    if (!elaborateTrainStmt(*stmt, train)) {
      forget(*stmt);
      ok = false;
    }
  if (!ok)
    return false;
  if (!train.loss || train.optimizers.empty()) {
    error(decl.modelRange,
          fmt::format("'train {}' needs {}", decl.model, train.loss ? "an optimizer" : "a loss"))
        .help(train.loss ? "for example 'optimizer = sgd(lr = 0.01)'"
                         : fmt::format("for example 'loss = mse({}(x), y)'", decl.model));
    return false;
  }
  if (!checkValidation(decl, train) || !updateParameters(train))
    return false;
  finishStep(*train.loss);
  endFunction();
  if (train.validation && !elaborateEvaluation(decl, train))
    return false;
  program.trains.push_back(std::move(train.plan));
  return true;
}

} // namespace nnc
