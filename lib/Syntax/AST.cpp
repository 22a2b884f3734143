//===- AST.cpp - Spellings, and the tree as text --------------------------===//
//
// The words and operators of the tree's enumerations, and dump: an indented listing in which every
// property shows, so that equal listings mean equal trees.
//
//===----------------------------------------------------------------------===//
#include "nnc/Syntax/AST.h"

#include <fmt/format.h>

namespace nnc::ast {

std::string_view spelling(BinaryOp op) {
  static constexpr std::string_view names[] = {
      "or", "and", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "@", "**"};
  return names[size_t(op)];
}

unsigned precedence(BinaryOp op) {
  switch (op) {
  case BinaryOp::Or:
    return 1;
  case BinaryOp::And:
    return 2;
  case BinaryOp::Add:
  case BinaryOp::Subtract:
    return 5;
  case BinaryOp::Multiply:
  case BinaryOp::Divide:
  case BinaryOp::Modulo:
  case BinaryOp::MatMul:
    return 6;
  case BinaryOp::Power:
    return 8;
  default:
    return 4;
  }
}

std::string_view spelling(DeclareKind kind) {
  static constexpr std::string_view names[] = {"param", "state", "record", "collect", "plot"};
  return names[size_t(kind)];
}

std::string_view spelling(FragmentKind kind) {
  static constexpr std::string_view names[] = {"func", "layer", "model", "optimizer"};
  return names[size_t(kind)];
}

namespace {

class Dumper {
public:
  std::string take() { return std::move(text); }

  void file(const File &node) {
    for (const DeclPtr &each : node.decls)
      decl(*each);
    comments("dangling", node.dangling);
  }

private:
  /// Writes a line, and indents what is written until the scope ends.
  struct Scope {
    Scope(Dumper &inDumper, std::string_view line) : dumper(inDumper) {
      dumper.text.append(2 * dumper.level++, ' ').append(line) += '\n';
    }
    ~Scope() { --dumper.level; }
    Dumper &dumper;
  };
  void line(std::string_view content) { Scope scope(*this, content); }

  void comments(std::string_view label, const std::vector<std::optional<std::string>> &lines) {
    for (const std::optional<std::string> &comment : lines)
      line(comment ? fmt::format("{}: //{}", label, *comment)
                   : fmt::format("{}: empty line", label));
  }
  void trivia(const Trivia &node) {
    comments("leading", node.leading);
    if (node.trailing)
      line(fmt::format("trailing: //{}", *node.trailing));
  }

  void decl(const Decl &node);
  void params(const FragmentDecl &node);
  void use(const std::optional<DataUse> &node);
  void block(const Block &node);
  void stmt(const Stmt &node);
  void target(const Target &node);
  void bindings(std::string_view label, const std::vector<RepeatStmt::Binding> &nodes);
  void type(const TypePtr &node);
  void items(const std::vector<Item> &nodes);
  void expr(const ExprPtr &node);
  void exprs(const std::vector<ExprPtr> &nodes) {
    for (const ExprPtr &node : nodes)
      expr(node);
  }

  std::string text;
  size_t level = 0;
};

void Dumper::decl(const Decl &node) {
  if (auto *import = dynCast<ImportDecl>(&node)) {
    Scope scope(*this, fmt::format("import \"{}\"", import->path));
    trivia(node.trivia);
  } else if (auto *fragment = dynCast<FragmentDecl>(&node)) {
    Scope scope(*this, fmt::format("{} {}", spelling(fragment->fragment), fragment->name));
    trivia(node.trivia);
    params(*fragment);
    block(fragment->body);
  } else if (auto *data = dynCast<DataDecl>(&node)) {
    Scope scope(*this, fmt::format("data {}", data->name));
    trivia(node.trivia);
    items(data->stages);
    block(data->body);
  } else if (auto *train = dynCast<TrainDecl>(&node)) {
    Scope scope(*this, fmt::format("train {}", train->model));
    trivia(node.trivia);
    use(train->data);
    block(train->body);
  } else if (auto *test = dynCast<TestDecl>(&node)) {
    Scope scope(*this, fmt::format("test {}", test->name));
    trivia(node.trivia);
    use(test->data);
    block(test->body);
  }
}

void Dumper::params(const FragmentDecl &node) {
  for (const Param &param : node.params) {
    Scope scope(*this, fmt::format("param {} {}", param.role, param.name));
    trivia(param.trivia);
    type(param.type);
    if (param.defaultValue)
      expr(param.defaultValue);
  }
  for (const Result &result : node.results) {
    Scope scope(*this, fmt::format("result {} {}", result.role, result.name));
    trivia(result.trivia);
    type(result.type);
  }
}

void Dumper::use(const std::optional<DataUse> &node) {
  if (!node)
    return;
  Scope scope(*this, fmt::format("on {}{}", node->name, node->hasFields ? " with fields" : ""));
  for (const Target &field : node->fields)
    target(field);
}

void Dumper::block(const Block &node) {
  Scope scope(*this, "block");
  for (const StmtPtr &each : node.stmts)
    stmt(*each);
  comments("dangling", node.dangling);
}

void Dumper::stmt(const Stmt &node) {
  static constexpr std::string_view names[] = {"assign", "update", "declare",
                                               "return", "expect", "repeat"};
  Scope scope(*this, names[size_t(node.kind())]);
  trivia(node.trivia);
  if (auto *assign = dynCast<AssignStmt>(&node)) {
    for (const Target &each : assign->targets)
      target(each);
    exprs(assign->values);
  } else if (auto *update = dynCast<UpdateStmt>(&node)) {
    line(update->name);
    exprs(update->indices);
    expr(update->value);
  } else if (auto *declare = dynCast<DeclareStmt>(&node)) {
    line(spelling(declare->declares));
    target(declare->target);
    expr(declare->value);
  } else if (auto *returns = dynCast<ReturnStmt>(&node)) {
    exprs(returns->values);
  } else if (auto *expects = dynCast<ExpectStmt>(&node)) {
    expr(expects->condition);
  } else if (auto *repeat = dynCast<RepeatStmt>(&node)) {
    expr(repeat->count);
    if (repeat->reverse)
      line("reverse");
    if (repeat->index)
      target(*repeat->index);
    bindings("with", repeat->carried);
    bindings("over", repeat->over);
    block(repeat->body);
  }
}

void Dumper::target(const Target &node) {
  Scope scope(*this, fmt::format("target {}", node.name));
  type(node.type);
}

void Dumper::bindings(std::string_view label, const std::vector<RepeatStmt::Binding> &nodes) {
  for (const RepeatStmt::Binding &binding : nodes) {
    Scope scope(*this, label);
    target(binding.target);
    expr(binding.value);
  }
}

void Dumper::type(const TypePtr &node) {
  if (!node)
    return;
  Scope scope(*this, fmt::format("type {}", node->name));
  exprs(node->dims);
}

void Dumper::items(const std::vector<Item> &nodes) {
  for (const Item &item : nodes) {
    Scope scope(*this, fmt::format("item {}", item.name));
    trivia(item.trivia);
    expr(item.value);
  }
}

void Dumper::expr(const ExprPtr &node) {
  if (!node)
    return line("nothing");
  const Expr *e = node.get();
  if (auto *number = dynCast<NumberExpr>(e)) {
    line(fmt::format("number {}", number->spelling));
  } else if (auto *boolean = dynCast<BoolExpr>(e)) {
    line(boolean->value ? "true" : "false");
  } else if (auto *string = dynCast<StringExpr>(e)) {
    line(fmt::format("string \"{}\"", string->value));
  } else if (auto *name = dynCast<NameExpr>(e)) {
    line(fmt::format("name {}", name->name));
  } else if (auto *list = dynCast<ListExpr>(e)) {
    Scope scope(*this, list->broken ? "list, broken" : "list");
    items(list->items);
  } else if (auto *range = dynCast<RangeExpr>(e)) {
    Scope scope(*this, "range");
    expr(range->start);
    expr(range->stop);
    expr(range->step);
  } else if (auto *call = dynCast<CallExpr>(e)) {
    Scope scope(*this, fmt::format("call {} as {}", call->callee, call->instance));
    items(call->args);
  } else if (auto *subscript = dynCast<SubscriptExpr>(e)) {
    Scope scope(*this, "subscript");
    expr(subscript->base);
    exprs(subscript->indices);
  } else if (auto *unary = dynCast<UnaryExpr>(e)) {
    Scope scope(*this, unary->op == UnaryOp::Not ? "not" : "negate");
    expr(unary->operand);
  } else if (auto *binary = dynCast<BinaryExpr>(e)) {
    Scope scope(*this, spelling(binary->op));
    expr(binary->left);
    expr(binary->right);
  } else {
    line(e->kind() == Expr::Kind::None ? "None" : "...");
  }
}

} // namespace

std::string dump(const File &file) {
  Dumper dumper;
  dumper.file(file);
  return dumper.take();
}

} // namespace nnc::ast
