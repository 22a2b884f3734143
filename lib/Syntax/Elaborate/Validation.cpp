//===- Validation.cpp - Evaluating a training on other data ---------------===//
//
// A training with `validation = DATA` has a second function: the statements of the block once more,
// on that data and with `training` false, for the loss and the metrics. The outputs of the model are
// results too, for the evaluation to be split at them.
//
//===----------------------------------------------------------------------===//
#include "TrainState.h"

using namespace mlir;

namespace nnc {

/// `min(loss)`, `max(accuracy)`.
bool Elaborator::applyKeep(const ast::Expr &expr, TrainState &train) {
  const auto *call = ast::dynCast<ast::CallExpr>(&expr);
  bool isExtreme = call && (call->callee == "min" || call->callee == "max");
  const auto *quantity = isExtreme && call->args.size() == 1
                             ? ast::dynCast<ast::NameExpr>(call->args.front().value.get())
                             : nullptr;
  if (!quantity) {
    error(expr.range,
          fmt::format("'keep' expects the best of what is measured, such as 'min(loss)' "
                      "or 'max(accuracy)', found '{}'",
                      std::string(expr.range.text())));
    return false;
  }
  train.plan.keep = {quantity->name, call->callee == "max"};
  train.keepRange = quantity->range;
  return true;
}

/// `early_stopping(patience = 5, min_delta = 0.01)`.
bool Elaborator::applyStop(const ast::Expr &expr, TrainState &train) {
  const auto *call = ast::dynCast<ast::CallExpr>(&expr);
  if (!call || call->callee != "early_stopping") {
    error(expr.range, fmt::format("'stop' expects 'early_stopping(patience = 5)', found '{}'",
                                  std::string(expr.range.text())));
    return false;
  }
  std::optional<CallArguments> arguments = collectArguments(*call);
  if (!arguments)
    return false;
  auto take = [&](const char *name) {
    std::optional<Operand> value = arguments->takeNamed(name);
    return value ? value : arguments->takePositional();
  };
  std::optional<Operand> patience = take("patience"), delta = take("min_delta");
  if (!arguments->named.empty() || arguments->hasPositional()) {
    error(expr.range, "'early_stopping' has the arguments patience and min_delta");
    return false;
  }
  if (!patience || !patience->isInteger() || patience->dim.constant() < 1) {
    error(patience ? patience->range : expr.range,
          fmt::format("'patience' expects an integer of one or more, found {}",
                      patience ? patience->describe() : "none"));
    return false;
  }
  if (delta && (!delta->isNumber() || delta->asDouble() < 0)) {
    error(delta->range,
          fmt::format("'min_delta' expects a number of zero or more, found {}", delta->describe()));
    return false;
  }
  train.plan.stop = {patience->dim.constant(), delta ? delta->asDouble() : 0};
  return true;
}

/// Whether `keep`, `stop` and `averaged` have something to look at.
bool Elaborator::checkValidation(const ast::TrainDecl &decl, TrainState &train) {
  for (const char *setting : {"keep", "stop", "averaged"})
    if (auto given = train.settings.find(setting);
        given != train.settings.end() && !train.validation) {
      error(given->second, fmt::format("'{}' needs data to evaluate on", setting))
          .help("write 'validation = DATA'");
      return false;
    }
  if (train.evaluatesAverages && !train.average) {
    error(train.settings.at("averaged"), "'averaged' needs averages of the parameters")
        .help("'average = 0.999' keeps them");
    return false;
  }
  if (!train.plan.keep || train.plan.keep->quantity == "loss")
    return true;
  std::vector<std::string> names = {"loss"};
  for (const FunctionFrame::Result &result : frame->results)
    if (llvm::is_contained(train.metrics, result.name) && nnc::getShape(result.value).empty())
      names.push_back(result.name);
  if (llvm::is_contained(names, train.plan.keep->quantity))
    return true;
  error(train.keepRange, fmt::format("expected the loss or a metric that is a number, found '{}'",
                                     train.plan.keep->quantity))
      .help("there are " + llvm::join(names, ", "));
  return false;
}

/// Makes the fields of the validation data arguments, under the names that the training gives its
/// own: `held_out`, or `held_out(image, label)` where the order is another.
bool Elaborator::addValidationFields(const ast::TrainDecl &decl, TrainState &train) {
  const ast::Expr &expr = *train.validation;
  std::vector<std::string> expected;
  for (const ast::Target &field : decl.data->fields)
    expected.push_back(field.name);
  if (const auto *name = ast::dynCast<ast::NameExpr>(&expr)) {
    train.plan.validation = name->name;
    return addFields(name->name, name->range, decl.data->fields, train.plan.validationFields);
  }
  const auto *call = ast::dynCast<ast::CallExpr>(&expr);
  std::vector<ast::Target> fields;
  for (size_t index = 0; call && index < call->args.size(); ++index) {
    const auto *field = ast::dynCast<ast::NameExpr>(call->args[index].value.get());
    if (!field)
      break;
    fields.push_back({field->name, field->range, nullptr});
  }
  if (!call || fields.size() != call->args.size()) {
    error(expr.range,
          fmt::format("'validation' expects data, found '{}'", std::string(expr.range.text())));
    return false;
  }
  for (const std::string &name : expected)
    if (llvm::none_of(fields, [&](const ast::Target &field) { return field.name == name; })) {
      error(expr.range, fmt::format("expected the fields that the training has, {}, found no '{}'",
                                    llvm::join(expected, ", "), name));
      return false;
    }
  train.plan.validation = call->callee;
  return addFields(call->callee, call->calleeRange, fields, train.plan.validationFields);
}

/// A statement of the block as it is for evaluation: settings say nothing here, and what is recorded
/// at each step of the training is not recorded.
bool Elaborator::elaborateEvaluationStmt(const ast::Stmt &stmt, TrainState &train) {
  if (const auto *declare = ast::dynCast<ast::DeclareStmt>(&stmt);
      declare && declare->declares == ast::DeclareKind::Record) {
    std::optional<Value> value = evaluateTensor(*declare->value);
    if (value)
      bindName(declare->target.name, Operand::of(*value));
    return value.has_value();
  }
  const auto *assign = ast::dynCast<ast::AssignStmt>(&stmt);
  bool isSetting =
      assign && assign->targets.size() == 1 && train.settings.count(assign->targets.front().name);
  if (!isSetting)
    return elaborateStmt(stmt);
  if (assign->targets.front().name == "metrics")
    return applyMetrics(*assign, train);
  return assign->targets.front().name != "loss" || applyLoss(*assign->values.front(), train);
}

bool Elaborator::elaborateEvaluation(const ast::TrainDecl &decl, TrainState &train) {
  Body top, *outer = std::exchange(body, &top);
  StringRef number = StringRef(train.plan.step).drop_front(decl.model.size() + strlen(".step"));
  train.plan.evaluate = decl.model + ".evaluate" + number.str();
  beginFunction(train.plan.evaluate, "evaluate", decl.modelRange, &models[decl.model]);
  frame->isEvaluation = true;
  useAverages = train.evaluatesAverages;
  bool ok = addValidationFields(decl, train);
  for (size_t index = 0; ok && index < decl.body.stmts.size(); ++index)
    ok = elaborateEvaluationStmt(*decl.body.stmts[index], train);
  body = outer;
  useAverages = false;
  if (!ok)
    return false;
  std::vector<FunctionFrame::Result> metrics = std::move(frame->results);
  frame->results.clear();
  addResult("loss", "loss", *train.loss);
  for (const FunctionFrame::Result &metric : metrics)
    if (metric.role == "record")
      addResult(metric.name, metric.role, metric.value);
  for (auto [index, value] : llvm::enumerate(frame->modelOutputs))
    addResult(fmt::format("output.{}", index), "output", value);
  endFunction();
  return true;
}

} // namespace nnc
