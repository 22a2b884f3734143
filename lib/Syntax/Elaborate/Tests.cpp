//===- Tests.cpp - A test block becomes a function of its expectations -===//
//
// What is expected, compared and plotted are results of one function; the plan says what each is for.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

#include "nnc/Syntax/Printer.h"

using namespace mlir;

namespace nnc {

bool Elaborator::elaborateExpect(const ast::ExpectStmt &stmt, TestPlan &plan) {
  std::string name = fmt::format("expect.{}", plan.expectations.size());
  const auto *comparison = ast::dynCast<ast::BinaryExpr>(stmt.condition.get());
  std::optional<Operand> condition;
  if (comparison && ast::isComparison(comparison->op)) {
    std::optional<Operand> left = evaluate(*comparison->left), right = evaluate(*comparison->right);
    if (!left || !right)
      return false;
    condition = combine(comparison->op, *left, *right, comparison->range);
    for (auto [side, operand] : {std::pair(".left", &*left), std::pair(".right", &*right)})
      if (condition && (operand->isTensor() || operand->isLiteral())) {
        std::optional<Value> value = toTensor(*operand, comparison->range);
        if (!value)
          return false;
        addResult(name + side, "expect", *value);
      }
  } else {
    condition = evaluate(*stmt.condition);
  }
  if (!condition)
    return false;
  std::optional<Value> value = toTensor(*condition, stmt.condition->range);
  if (!value)
    return false;
  if (!nnc::getElementType(*value).isInteger(1)) {
    error(stmt.condition->range,
          fmt::format("'expect' expects a condition, found {}", typeToString(value->getType())));
    return false;
  }
  if (!getShape(*value).empty())
    value = createOp("all", *value, {}, stmt.range);
  plan.expectations.push_back({print(*stmt.condition), stmt.range});
  addResult(name, "expect", *value);
  return true;
}

/// `record NAME = text(bytes)`: a record whose integers are shown as the text that they are.
bool Elaborator::recordText(const ast::DeclareStmt &stmt, const ast::CallExpr &call,
                            TestPlan &plan) {
  if (call.args.size() != 1 || !call.args.front().name.empty()) {
    error(call.range, fmt::format("'text' expects one argument, found {}", call.args.size()));
    return false;
  }
  std::optional<Value> value = evaluateTensor(*call.args.front().value);
  if (!value)
    return false;
  auto type = cast<RankedTensorType>(value->getType());
  if (type.getRank() == 0 || !type.getElementType().isInteger() ||
      type.getElementType().isInteger(1)) {
    error(call.args.front().value->range,
          fmt::format("'text' expects the bytes of a text as integers, found {}",
                      typeToString(type)));
    return false;
  }
  bindName(stmt.target.name, Operand::of(*value));
  addResult(stmt.target.name, "record", *value);
  plan.texts.push_back(frame->results.back().name);
  return true;
}

bool Elaborator::elaborateTestStmt(const ast::Stmt &stmt, TestPlan &plan) {
  if (const auto *expect = ast::dynCast<ast::ExpectStmt>(&stmt))
    return elaborateExpect(*expect, plan);
  if (stmt.kind() == ast::Stmt::Kind::Return) {
    error(stmt.range, "'return' has no meaning in a test")
        .help("a test says what it expects: expect x == 1");
    return false;
  }
  const auto *declare = ast::dynCast<ast::DeclareStmt>(&stmt);
  if (declare && declare->declares == ast::DeclareKind::Record) {
    const auto *call = declare->value ? ast::dynCast<ast::CallExpr>(declare->value.get()) : nullptr;
    if (call && call->callee == "text" && !fragmentsAt(stmt.range).count("text"))
      return recordText(*declare, *call, plan);
    return recordValue(*declare);
  }
  if (declare && declare->declares == ast::DeclareKind::Plot)
    return elaboratePlot(*declare, plan);
  return elaborateStmt(stmt);
}

bool Elaborator::elaborateTest(const ast::TestDecl &decl) {
  TestPlan plan;
  plan.name = decl.name;
  plan.function = "test." + decl.name;
  plan.range = decl.nameRange;
  if (program.module->lookupSymbol(plan.function)) {
    auto first =
        llvm::find_if(program.tests, [&](const TestPlan &test) { return test.name == decl.name; });
    Diagnostic &diagnostic =
        error(decl.nameRange, fmt::format("test '{}' is already declared", decl.name));
    if (first != program.tests.end())
      diagnostic.note(first->range, "it is declared here");
    return false;
  }
  beginFunction(plan.function, "test", decl.nameRange, nullptr);
  if (decl.data) {
    plan.data = decl.data->name;
    if (!addFields(decl.data->name, decl.data->range, decl.data->fields, plan.fields))
      return false;
  }
  bool ok = true;
  for (const ast::StmtPtr &stmt : decl.body.stmts)
    if (!elaborateTestStmt(*stmt, plan)) {
      forget(*stmt);
      ok = false;
    }
  if (!ok)
    return false;
  if (frame->model)
    plan.model = frame->model->decl->name;
  endFunction();
  program.tests.push_back(std::move(plan));
  return true;
}

} // namespace nnc
