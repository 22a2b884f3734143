//===- Printer.cpp - Declarations and statements to text ------------------===//
//
// One statement a line, blocks indented by two. The `=` of neighbouring statements are aligned
// where the left sides read as a table: in `train`, and where types are written (every stage dump).
//
//===----------------------------------------------------------------------===//
#include "nnc/Syntax/Printer.h"

#include "PrinterImpl.h"

#include <fmt/format.h>

#include <algorithm>

namespace nnc {

using namespace ast;

namespace {

/// Left sides longer than this are not aligned with.
constexpr size_t longestAligned = 48;

std::string targetText(const Target &target) {
  return target.type ? fmt::format("{}: {}", target.name, flat(*target.type)) : target.name;
}

std::string leftSide(const AssignStmt &assign) {
  std::string text;
  for (const Target &target : assign.targets)
    text += (text.empty() ? "" : ", ") + targetText(target);
  return text;
}

std::string bindingsText(std::string_view word, const std::vector<RepeatStmt::Binding> &bindings) {
  std::string text;
  for (const RepeatStmt::Binding &binding : bindings)
    text += fmt::format("{} {} = {}", text.empty() ? fmt::format(" {}", word) : ",",
                        targetText(binding.target), flat(*binding.value));
  return text;
}

std::string paramText(const Param &param) {
  std::string text = param.role.empty() ? param.name : fmt::format("{} {}", param.role, param.name);
  if (param.type)
    text += fmt::format(": {}", flat(*param.type));
  if (param.defaultValue)
    text += fmt::format(" = {}", flat(*param.defaultValue));
  return text;
}

std::string resultText(const Result &result) {
  std::string text = result.role.empty() ? "" : result.role + " ";
  if (!result.name.empty())
    text += result.name + ": ";
  return text + flat(*result.type);
}

/// Whether `f(x) as name` occurs outside of brackets, where `repeat f(x) as i` would misread it.
bool namesCall(const Expr &expr) {
  if (auto *call = dynCast<CallExpr>(&expr))
    return !call->instance.empty();
  if (auto *unary = dynCast<UnaryExpr>(&expr))
    return namesCall(*unary->operand);
  if (auto *subscript = dynCast<SubscriptExpr>(&expr))
    return namesCall(*subscript->base);
  auto *binary = dynCast<BinaryExpr>(&expr);
  return binary && (namesCall(*binary->left) || namesCall(*binary->right));
}

std::string useText(const std::optional<DataUse> &use) {
  if (!use)
    return "";
  std::string text = fmt::format(" on {}", use->name);
  if (!use->hasFields)
    return text;
  std::string fields;
  for (const Target &field : use->fields)
    fields += (fields.empty() ? "" : ", ") + targetText(field);
  return fmt::format("{}({})", text, fields);
}

/// For each statement the width to which its left side is padded, 0 for none.
std::vector<size_t> alignment(const Block &block, bool alignAll) {
  std::vector<size_t> result(block.stmts.size(), 0);
  for (size_t first = 0; first < block.stmts.size();) {
    size_t last = first, widest = 0;
    bool typed = false;
    for (; last < block.stmts.size(); ++last) {
      auto *assign = dynCast<AssignStmt>(block.stmts[last].get());
      if (!assign || (last > first && !assign->trivia.leading.empty()))
        break;
      size_t left = width(leftSide(*assign));
      widest = left <= longestAligned ? std::max(widest, left) : widest;
      typed |= assign->targets[0].type != nullptr;
    }
    for (size_t i = first; i < last; ++i)
      result[i] = typed || alignAll ? widest : 0;
    first = std::max(last, first + 1);
  }
  return result;
}

} // namespace

std::string print(const File &file) {
  Printer printer;
  printer.file(file);
  return printer.take();
}

void Printer::file(const File &node) {
  for (const DeclPtr &each : node.decls) {
    comments(each->trivia.leading, 0, /*atStart=*/&each == &node.decls.front());
    newLine(0);
    decl(*each);
    trailing(each->trivia);
  }
  comments(node.dangling, 0, /*atStart=*/node.decls.empty());
  // Every line was begun by a line end; the text begins without one and ends with one.
  out.erase(0, 1);
  if (!out.empty())
    out += '\n';
}

void Printer::comments(const Lines &lines, size_t indent, bool atStart) {
  for (const std::optional<std::string> &line : lines) {
    if (!line && atStart)
      continue;
    atStart = false;
    newLine(line ? indent : 0);
    if (line)
      write(line->empty() ? "//" : fmt::format("//{}{}", line->front() == '/' ? "" : " ", *line));
  }
}

void Printer::trailing(const Trivia &trivia) {
  if (trivia.trailing) {
    bool bare = trivia.trailing->empty() || trivia.trailing->front() == '/';
    write(fmt::format("  //{}{}", bare ? "" : " ", *trivia.trailing));
  }
}

void Printer::block(const Block &node, size_t indent, bool alignAll) {
  if (node.stmts.empty() && node.dangling.empty())
    return write("{}");
  write("{");
  std::vector<size_t> padding = alignment(node, alignAll);
  for (size_t i = 0; i < node.stmts.size(); ++i) {
    const Stmt &each = *node.stmts[i];
    comments(each.trivia.leading, indent + step, /*atStart=*/i == 0);
    newLine(indent + step);
    stmt(each, indent + step, padding[i]);
    trailing(each.trivia);
  }
  comments(node.dangling, indent + step, /*atStart=*/node.stmts.empty());
  newLine(indent);
  write("}");
}

void Printer::stmt(const Stmt &node, size_t indent, size_t equalsColumn) {
  if (auto *assign = dynCast<AssignStmt>(&node)) {
    write(fmt::format("{:<{}} = ", leftSide(*assign), equalsColumn));
    layOutValues(assign->values, indent, 0);
  } else if (auto *update = dynCast<UpdateStmt>(&node)) {
    std::string indices;
    for (const ExprPtr &index : update->indices)
      indices += (indices.empty() ? "" : ", ") + flat(*index);
    write(fmt::format("{}[{}] = ", update->name, indices));
    layOut(*update->value, 1, indent, 0);
  } else if (auto *declare = dynCast<DeclareStmt>(&node)) {
    write(fmt::format("{} {}", spelling(declare->declares), targetText(declare->target)));
    if (declare->value) {
      write(" = ");
      layOut(*declare->value, 1, indent, 0);
    }
  } else if (auto *returns = dynCast<ReturnStmt>(&node)) {
    write(returns->values.empty() ? "return" : "return ");
    layOutValues(returns->values, indent, 0);
  } else if (auto *expects = dynCast<ExpectStmt>(&node)) {
    write("expect ");
    layOut(*expects->condition, 1, indent, 0);
  } else if (auto *loop = dynCast<RepeatStmt>(&node)) {
    repeat(*loop, indent);
  }
}

void Printer::repeat(const RepeatStmt &node, size_t indent) {
  std::string count = flat(*node.count);
  write(fmt::format(fmt::runtime(namesCall(*node.count) ? "repeat ({})" : "repeat {}"), count));
  if (node.reverse)
    write(" reverse");
  if (node.index)
    write(fmt::format(" as {}", node.index->name));
  for (const std::string &clause :
       {bindingsText("with", node.carried), bindingsText("over", node.over)}) {
    if (clause.empty())
      continue;
    if (fits(clause, 2)) {
      write(clause);
    } else {
      newLine(indent + 2 * step - 1);
      write(clause);
    }
  }
  write(" ");
  block(node.body, indent, /*alignAll=*/false);
}

void Printer::decl(const Decl &node) {
  if (auto *import = dynCast<ImportDecl>(&node)) {
    write(fmt::format("import {}", quote(import->path)));
  } else if (auto *fragmentDecl = dynCast<FragmentDecl>(&node)) {
    fragment(*fragmentDecl);
  } else if (auto *dataDecl = dynCast<DataDecl>(&node)) {
    data(*dataDecl);
  } else if (auto *train = dynCast<TrainDecl>(&node)) {
    write(fmt::format("train {}{} ", train->model, useText(train->data)));
    block(train->body, 0, /*alignAll=*/true);
  } else if (auto *test = dynCast<TestDecl>(&node)) {
    write(fmt::format("test {}{} ", test->name, useText(test->data)));
    block(test->body, 0, /*alignAll=*/false);
  }
}

namespace {
/// The texts of a parenthesised list, and whether comments force each onto a line of its own.
struct Parts {
  std::vector<std::string> texts;
  std::vector<const Trivia *> trivia;
  bool forced = false;

  template <typename Node> void add(const Node &node, std::string text) {
    texts.push_back(std::move(text));
    trivia.push_back(&node.trivia);
    forced |= !node.trivia.empty();
  }
  std::string joined() const { return fmt::format("({})", fmt::join(texts, ", ")); }
};
} // namespace

void Printer::fragment(const FragmentDecl &node) {
  Parts params, results;
  for (const Param &param : node.params)
    params.add(param, paramText(param));
  for (const Result &result : node.results)
    results.add(result, resultText(result));
  bool single = results.texts.size() == 1 && node.results[0].name.empty() &&
                node.results[0].role.empty() && !results.forced;
  std::string arrow = node.results.empty() ? ""
                      : single             ? " -> " + results.texts[0]
                                           : " -> " + results.joined();

  auto broken = [&](const Parts &parts) {
    write("(");
    for (size_t i = 0; i < parts.texts.size(); ++i) {
      comments(parts.trivia[i]->leading, step, /*atStart=*/false);
      newLine(step);
      write(parts.texts[i] + (i + 1 < parts.texts.size() ? "," : ""));
      trailing(*parts.trivia[i]);
    }
    newLine(0);
    write(")");
  };

  write(fmt::format("{} {}", spelling(node.fragment), node.name));
  std::string list = params.joined();
  bool whole = !params.forced && !results.forced && fits(list + arrow, 2);
  if (whole || params.texts.empty() || (!params.forced && !single && fits(list, 6)))
    write(list);
  else
    broken(params);
  if (whole || (!results.forced && (single || fits(arrow, 2)))) {
    write(arrow);
  } else if (!results.texts.empty()) {
    write(" -> ");
    broken(results);
  }
  write(" ");
  block(node.body, 0, /*alignAll=*/false);
}

void Printer::data(const DataDecl &node) {
  write(fmt::format("data {} ", node.name));
  if (node.stages.empty())
    return block(node.body, 0, /*alignAll=*/false);
  write("= ");
  std::string line;
  bool forced = false;
  for (const Item &stage : node.stages) {
    line += (line.empty() ? "" : " | ") + flat(stage);
    forced |= !stage.trivia.empty() || mustBreak(*stage.value);
  }
  if (!forced && fits(line, 0))
    return write(line);
  for (const Item &stage : node.stages) {
    if (&stage != &node.stages.front()) {
      comments(stage.trivia.leading, step, /*atStart=*/false);
      newLine(step);
      write("| ");
    }
    layOut(*stage.value, 1, &stage == &node.stages.front() ? 0 : step, 0);
    trailing(stage.trivia);
  }
}

} // namespace nnc
