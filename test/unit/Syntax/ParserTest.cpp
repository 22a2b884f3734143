//===- ParserTest.cpp - Shapes of trees -----------------------------------===//
#include "nnc/Syntax/Parser.h"
#include "nnc/Syntax/Printer.h"

#include <gtest/gtest.h>

using namespace nnc;

namespace {

/// `text` as an expression with every operator in parentheses.
std::string grouped(const ast::Expr &expr) {
  if (auto *unary = ast::dynCast<ast::UnaryExpr>(&expr))
    return std::string(unary->op == ast::UnaryOp::Not ? "(not " : "(-") + grouped(*unary->operand) +
           ")";
  if (auto *binary = ast::dynCast<ast::BinaryExpr>(&expr))
    return "(" + grouped(*binary->left) + " " + std::string(ast::spelling(binary->op)) + " " +
           grouped(*binary->right) + ")";
  return print(expr);
}

std::string grouping(const std::string &text) {
  SourceFile file("a.nn", text);
  DiagnosticEngine engine;
  ast::ExprPtr expr = parseExpression(file, engine);
  return expr ? grouped(*expr) : engine.render();
}

TEST(Parser, Precedence) {
  EXPECT_EQ(grouping("a + b * c"), "(a + (b * c))");
  EXPECT_EQ(grouping("a - b - c"), "((a - b) - c)");
  EXPECT_EQ(grouping("a ** b ** c"), "(a ** (b ** c))");
  EXPECT_EQ(grouping("-a ** -b"), "(-(a ** (-b)))");
  EXPECT_EQ(grouping("a @ b + c"), "((a @ b) + c)");
  EXPECT_EQ(grouping("2 * -x"), "(2 * (-x))");
  EXPECT_EQ(grouping("not a == b and c or d"), "(((not (a == b)) and c) or d)");
  EXPECT_EQ(grouping("a < b + 1"), "(a < (b + 1))");
  EXPECT_EQ(grouping("-x[0] ** 2"), "(-(x[0] ** 2))");
}

TEST(Parser, PrintsTheFewestParentheses) {
  for (const char *text :
       {"a + b * c", "(a + b) * c", "a - (b - c)", "(a ** b) ** c", "(-a) ** b", "-(a + b)",
        "a * -b", "(not a) == b", "(a < b) == (c < d)", "(-x)[0]", "(f(x) as n)[0]",
        "f(x) as n + 1", "x[1:3, :, None, ..., -1, ::2, a:b:c]", "f(a, b = [1, 2], c = \"x\")",
        "a and (b and c)"}) {
    SourceFile file("a.nn", text);
    DiagnosticEngine engine;
    ast::ExprPtr expr = parseExpression(file, engine);
    ASSERT_NE(expr, nullptr) << engine.render();
    EXPECT_EQ(print(*expr), text);
  }
}

TEST(Parser, WordsAreNamesElsewhere) {
  SourceFile file("a.nn", "func f(data, model) {\n"
                          "  state = data\n"
                          "  reverse = model\n"
                          "  record, collect = f(state, reverse)\n"
                          "  test = over\n"
                          "}\n");
  DiagnosticEngine engine;
  parse(file, engine);
  EXPECT_EQ(engine.render(), "");
}

TEST(Parser, Places) {
  SourceFile file("a.nn", "func f(x) {\n  y = g(x,\n    2) + 1 // c\n}\n");
  DiagnosticEngine engine;
  std::unique_ptr<ast::File> tree = parse(file, engine);
  auto *decl = ast::dynCast<ast::FragmentDecl>(tree->decls[0].get());
  auto *stmt = ast::dynCast<ast::AssignStmt>(decl->body.stmts[0].get());
  EXPECT_EQ(decl->range.text(), "func f(x) {\n  y = g(x,\n    2) + 1 // c\n}");
  EXPECT_EQ(stmt->range.text(), "y = g(x,\n    2) + 1");
  auto *sum = ast::dynCast<ast::BinaryExpr>(stmt->values[0].get());
  EXPECT_EQ(sum->range.text(), "g(x,\n    2) + 1");
  EXPECT_EQ(sum->left->range.text(), "g(x,\n    2)");
  EXPECT_EQ(sum->opRange.text(), "+");
}

TEST(Parser, NestingIsBounded) {
  auto errors = [](const std::string &expr) {
    SourceFile file("a.nn", "func f(x) {\n  y = " + expr + "\n}\n");
    DiagnosticEngine engine;
    parse(file, engine);
    return engine.numErrors();
  };
  auto repeat = [](size_t count, const std::string &text) {
    std::string result;
    while (count-- > 0)
      result += text;
    return result;
  };
  EXPECT_EQ(errors(repeat(150, "(") + "x" + repeat(150, ")")), 0u);
  EXPECT_EQ(errors("x" + repeat(150, " + x")), 0u);
  EXPECT_EQ(errors(repeat(100000, "(") + "x" + repeat(100000, ")")), 1u);
  EXPECT_EQ(errors(repeat(100000, "[")), 1u);
  EXPECT_EQ(errors(repeat(100000, "[") + repeat(100000, ")")), 1u);
  EXPECT_EQ(errors(repeat(100000, "f(") + "x" + repeat(100000, ")")), 1u);
  EXPECT_EQ(errors("x" + repeat(100000, "[0]")), 1u);
  EXPECT_EQ(errors(repeat(100000, "-") + "x"), 1u);
  EXPECT_EQ(errors(repeat(100000, "not ") + "x"), 1u);
  EXPECT_EQ(errors("x" + repeat(100000, " ** x")), 1u);
  EXPECT_EQ(errors("x" + repeat(100000, " + x")), 1u);
  SourceFile blocks("a.nn",
                    "func f(x) {" + repeat(100000, "repeat 2 {") + repeat(100000, "}") + "}");
  DiagnosticEngine engine;
  parse(blocks, engine);
  EXPECT_EQ(engine.numErrors(), 1u) << engine.render();
}

} // namespace
