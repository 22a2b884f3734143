//===- Stmts.cpp - Running bodies -----------------------------------------===//
//
// Statements of fragments, tests and trainings, in order. A name is given once; what changes names
// are functional updates, states, and the carried values of a `repeat`.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

/// Names that a statement assigns, those in the body of a `repeat` too, in order.
static void collectAssigned(const ast::Stmt &stmt, std::vector<std::string> &names) {
  auto add = [&](const std::string &name) {
    if (!llvm::is_contained(names, name))
      names.push_back(name);
  };
  if (const auto *assign = ast::dynCast<ast::AssignStmt>(&stmt))
    for (const ast::Target &target : assign->targets)
      add(target.name);
  else if (const auto *update = ast::dynCast<ast::UpdateStmt>(&stmt))
    add(update->name);
  else if (const auto *repeat = ast::dynCast<ast::RepeatStmt>(&stmt))
    for (const ast::StmtPtr &inner : repeat->body.stmts)
      collectAssigned(*inner, names);
}

bool Elaborator::elaborateBlock(const ast::Block &block) {
  bool ok = true;
  for (const ast::StmtPtr &stmt : block.stmts) {
    if (body->hasReturned) {
      error(stmt->range, "expected '}' after 'return', found a statement that is never reached");
      return false;
    }
    if (elaborateStmt(*stmt))
      continue;
    ok = false;
    // Going on finds more errors, which only the writer of the file can use.
    if (!isOwn(stmt->range.file))
      break;
    forget(*stmt);
  }
  return ok;
}

void Elaborator::forget(const ast::Stmt &stmt) {
  std::vector<std::string> names;
  collectAssigned(stmt, names);
  if (const auto *declare = ast::dynCast<ast::DeclareStmt>(&stmt))
    names.push_back(declare->target.name);
  if (const auto *repeat = ast::dynCast<ast::RepeatStmt>(&stmt))
    for (const ast::RepeatStmt::Binding &binding : repeat->carried)
      names.push_back(binding.target.name);
  for (const std::string &name : names)
    body->scope[name] = Operand::unknown();
  if (stmt.kind() == ast::Stmt::Kind::Return)
    body->hasReturned = true;
}

bool Elaborator::elaborateStmt(const ast::Stmt &stmt) {
  using Kind = ast::Stmt::Kind;
  switch (stmt.kind()) {
  case Kind::Assign:
    return elaborateAssign(static_cast<const ast::AssignStmt &>(stmt));
  case Kind::Update:
    return elaborateUpdate(static_cast<const ast::UpdateStmt &>(stmt));
  case Kind::Declare:
    return elaborateDeclare(static_cast<const ast::DeclareStmt &>(stmt));
  case Kind::Repeat:
    return elaborateRepeat(static_cast<const ast::RepeatStmt &>(stmt));
  case Kind::Return: {
    for (const ast::ExprPtr &expr : static_cast<const ast::ReturnStmt &>(stmt).values) {
      std::optional<Operand> value = evaluate(*expr);
      if (!value)
        return false;
      body->returned.push_back(std::move(*value));
      body->returnedRanges.push_back(expr->range);
    }
    body->hasReturned = true;
    return true;
  }
  case Kind::Expect:
    error(stmt.range, "'expect' belongs in a test");
    return false;
  }
  return false;
}

/// Keeps the name that the source gives a value, for the names of gradients and of printed stages.
void Elaborator::nameValue(Value value, const std::string &name) {
  Operation *op = value.getDefiningOp();
  if (op && !isa<NameLoc>(op->getLoc()) && op->getNumResults() == 1)
    op->setLoc(NameLoc::get(builder.getStringAttr(name), op->getLoc()));
}

void Elaborator::bindName(const std::string &name, Operand value) {
  if (value.isTensor()) {
    nameValue(value.tensor, name);
    if (auto state = body->states.find(name); state != body->states.end())
      frame->stateUpdates[state->second] = value.tensor;
  }
  body->scope[name] = std::move(value);
}

bool Elaborator::bind(const ast::Target &target, Operand value, SourceRange range) {
  if (target.type) {
    Type elementType = elementTypeFromString(&context, target.type->name);
    std::optional<Value> tensor = toTensor(value, range, elementType);
    if (!tensor || !unify(*target.type, *tensor, fmt::format("'{}'", target.name), range))
      return false;
    value = Operand::of(*tensor);
  }
  auto state = body->states.find(target.name);
  if (state != body->states.end()) {
    StateEntry *entry = frame->model->find(state->second);
    std::optional<Value> tensor = toTensor(value, range, entry->type.getElementType());
    if (!tensor)
      return false;
    if (tensor->getType() != entry->type) {
      error(range, fmt::format("state '{}' expects {}, found {}", target.name,
                               typeToString(entry->type), typeToString(tensor->getType())))
          .note(entry->range, "it is declared here");
      return false;
    }
    value = Operand::of(*tensor);
  }
  if (value.isTensor() && callStack.empty())
    program.types[&target] = value.tensor.getType();
  bindName(target.name, std::move(value));
  return true;
}

bool Elaborator::elaborateAssign(const ast::AssignStmt &stmt) {
  std::vector<Operand> values;
  for (const ast::ExprPtr &expr : stmt.values) {
    std::optional<Operand> value = evaluate(*expr);
    if (!value)
      return false;
    values.push_back(std::move(*value));
  }
  if (stmt.targets.size() > 1 && values.size() == 1 && values.front().kind == Operand::Kind::List)
    values = std::vector<Operand>(values.front().items);
  if (values.size() != stmt.targets.size()) {
    error(stmt.range, fmt::format("expected {}, found {}", counted(stmt.targets.size(), "value"),
                                  values.size()));
    return false;
  }
  bool isPaired = stmt.values.size() == stmt.targets.size();
  for (auto [index, target] : llvm::enumerate(stmt.targets))
    if (!bind(target, std::move(values[index]), stmt.values[isPaired ? index : 0]->range))
      return false;
  return true;
}

bool Elaborator::elaborateUpdate(const ast::UpdateStmt &stmt) {
  auto found = body->scope.find(stmt.name);
  if (found == body->scope.end()) {
    error(stmt.nameRange, fmt::format("unknown name '{}'", stmt.name))
        .didYouMean(closestMatch(stmt.name, namesIn(body->scope)));
    return false;
  }
  if (found->second.kind == Operand::Kind::Unknown)
    return false;
  std::optional<Value> base = toTensor(found->second, stmt.nameRange);
  if (!base)
    return false;
  std::optional<Operand> updated = updatePart(*base, stmt.indices, *stmt.value, stmt.range);
  if (!updated)
    return false;
  bindName(stmt.name, std::move(*updated));
  return true;
}

bool Elaborator::elaborateDeclare(const ast::DeclareStmt &stmt) {
  switch (stmt.declares) {
  case ast::DeclareKind::Param:
    return declareState(stmt, "param");
  case ast::DeclareKind::State:
    return declareState(stmt, "state");
  case ast::DeclareKind::Collect: {
    if (loops.empty()) {
      error(stmt.range, "'collect' belongs in a 'repeat'");
      return false;
    }
    std::optional<Value> value = evaluateTensor(*stmt.value);
    if (!value)
      return false;
    loops.back()->collected.push_back({stmt.target.name, *value});
    return true;
  }
  case ast::DeclareKind::Record:
    error(stmt.range, "'record' belongs in a train or test declaration");
    return false;
  case ast::DeclareKind::Plot:
    error(stmt.range, "'plot' belongs in a test");
    return false;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

namespace {
struct Carried {
  std::string name;
  Value initial;
};
} // namespace

/// The statement that gives `name` its value for the next iteration.
static const ast::Stmt *lastAssignment(const ast::Block &block, const std::string &name) {
  const ast::Stmt *last = nullptr;
  for (const ast::StmtPtr &stmt : block.stmts) {
    std::vector<std::string> names;
    collectAssigned(*stmt, names);
    if (llvm::is_contained(names, name))
      last = stmt.get();
  }
  return last;
}

/// How often a `repeat` runs.
std::optional<Dim> Elaborator::resolveCount(const ast::Expr &expr) {
  std::optional<Operand> value = evaluate(expr);
  if (!value)
    return std::nullopt;
  if (value->kind == Operand::Kind::Dimension &&
      !(value->dim.isConstant() && value->dim.constant() < 0))
    return value->dim;
  Diagnostic &diagnostic =
      error(expr.range, fmt::format("'repeat' expects an integer of zero or more, found {}",
                                    value->describe()));
  if (value->isTensor())
    diagnostic.help("the number of iterations is known when compiling, or is a dimension");
  return std::nullopt;
}

bool Elaborator::elaborateRepeat(const ast::RepeatStmt &stmt) {
  std::optional<Dim> count = resolveCount(*stmt.count);
  if (!count)
    return false;
  std::vector<Carried> carried;
  for (const ast::RepeatStmt::Binding &binding : stmt.carried) {
    std::optional<Operand> value = evaluate(*binding.value);
    Type elementType =
        binding.target.type ? elementTypeFromString(&context, binding.target.type->name) : Type();
    std::optional<Value> tensor =
        value ? toTensor(*value, binding.value->range, elementType) : std::nullopt;
    if (!tensor || (binding.target.type &&
                    !unify(*binding.target.type, *tensor, fmt::format("'{}'", binding.target.name),
                           binding.target.type->range)))
      return false;
    carried.push_back({binding.target.name, *tensor});
  }
  std::vector<std::string> assigned;
  collectAssigned(stmt, assigned);
  for (const std::string &name : assigned) {
    bool isListed = llvm::any_of(carried, [&](const Carried &entry) { return entry.name == name; });
    auto outer = body->scope.find(name);
    if (isListed || outer == body->scope.end())
      continue;
    if (outer->second.kind == Operand::Kind::Unknown)
      return false;
    std::optional<Value> initial = toTensor(outer->second, stmt.range);
    if (!initial)
      return false;
    carried.push_back({name, *initial});
  }
  SmallVector<Value> inits, sequences;
  for (const Carried &entry : carried)
    inits.push_back(entry.initial);
  for (const ast::RepeatStmt::Binding &binding : stmt.over) {
    std::optional<Value> sequence = evaluateTensor(*binding.value);
    if (!sequence)
      return false;
    Shape shape = nnc::getShape(*sequence);
    if (shape.empty() || shape.front() != *count) {
      error(binding.value->range, fmt::format("expected {} slices along the first axis, found {}",
                                              count->str(), typeToString(sequence->getType())));
      return false;
    }
    sequences.push_back(*sequence);
  }

  // The body is built first in a scan without results; then its results are known.
  auto scan = nn::ScanOp::create(builder, locationOf(stmt.range), *count, stmt.reverse, inits,
                                 sequences, TypeRange());
  Scope outerScope = body->scope;
  std::map<std::string, Value> outerUpdates = frame->stateUpdates;
  Loop loop = {body, {}, {}};
  loops.push_back(&loop);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&scan.getBody().front());
    if (stmt.index)
      body->scope[stmt.index->name] = Operand::of(scan.getIndex());
    for (auto [entry, argument] :
         llvm::zip(carried, scan.getBody().getArguments().slice(1, carried.size()))) {
      argument.setLoc(NameLoc::get(builder.getStringAttr(entry.name), argument.getLoc()));
      body->scope[entry.name] = Operand::of(argument);
    }
    for (auto [binding, argument] :
         llvm::zip(stmt.over, scan.getBody().getArguments().drop_front(1 + carried.size()))) {
      argument.setLoc(NameLoc::get(builder.getStringAttr(binding.target.name), argument.getLoc()));
      body->scope[binding.target.name] = Operand::of(argument);
    }
    bool ok = elaborateBlock(stmt.body);
    if (ok && body->hasReturned) {
      error(stmt.body.stmts.back()->range, "'return' cannot leave a 'repeat'")
          .help("assign to a name from before the loop, and return it behind the loop");
      ok = false;
    }
    SmallVector<Value> yielded;
    for (const Carried &entry : carried) {
      if (!ok)
        break;
      std::optional<Value> next =
          toTensor(body->scope[entry.name], stmt.range, nnc::getElementType(entry.initial));
      if (next && next->getType() != entry.initial.getType()) {
        const ast::Stmt *last = lastAssignment(stmt.body, entry.name);
        error(last ? last->range : stmt.range,
              fmt::format("'{}' expects to stay {} from one iteration to the next, found {}",
                          entry.name, typeToString(entry.initial.getType()),
                          typeToString(next->getType())));
        next = std::nullopt;
      }
      ok = next.has_value();
      yielded.push_back(next.value_or(Value()));
    }
    loops.pop_back();
    for (const std::string &name : assigned)
      if (!outerScope.count(name))
        body->loopNames.push_back(name);
    body->scope = outerScope;
    if (!ok) {
      frame->stateUpdates = outerUpdates;
      scan->erase();
      return false;
    }
    for (const auto &[name, value] : loop.collected)
      yielded.push_back(value);
    nn::YieldOp::create(builder, locationOf(stmt.range), yielded);
  }

  SmallVector<Type> types;
  for (const Carried &entry : carried)
    types.push_back(entry.initial.getType());
  for (const auto &[name, value] : loop.collected) {
    Shape shape = nnc::getShape(value);
    shape.insert(shape.begin(), *count);
    types.push_back(makeTensorType(shape, nnc::getElementType(value)));
  }
  auto complete =
      nn::ScanOp::create(builder, scan.getLoc(), *count, stmt.reverse, inits, sequences, types);
  complete.getBody().takeBody(scan.getBody());
  scan->erase();
  for (auto [entry, result] : llvm::zip(carried, complete.getResults()))
    bindName(entry.name, Operand::of(result));
  for (auto [entry, result] :
       llvm::zip(loop.collected, complete.getResults().drop_front(carried.size()))) {
    if (llvm::is_contained(loop.taps, entry.first))
      tapValue(entry.first, result);
    else
      bindName(entry.first, Operand::of(result));
  }
  return true;
}

} // namespace nnc
