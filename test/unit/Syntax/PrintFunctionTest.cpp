//===- PrintFunctionTest.cpp - Functions of nn ops as text ----------------===//
//
// What printFunction writes, elaborated and printed again, is the same text.
//
//===----------------------------------------------------------------------===//
#include "nnc/Syntax/Elaborate.h"
#include "nnc/Syntax/Parser.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <gmock/gmock.h>

using namespace nnc;
using mlir::MLIRContext;
namespace func = mlir::func;

namespace {

/// All functions of a program as text, or its diagnostics.
std::string elaborateAndPrint(const std::string &text) {
  SourceFile source("test.nn", text);
  DiagnosticEngine diagnostics;
  std::unique_ptr<ast::File> tree = parse(source, diagnostics);
  MLIRContext context;
  std::optional<Program> program;
  if (!diagnostics.hasErrors())
    program = elaborate(*tree, context, diagnostics);
  if (!program)
    return diagnostics.render();
  std::string printed;
  for (auto function : program->module->getOps<func::FuncOp>())
    printed += (printed.empty() ? "" : "\n") + printFunction(function);
  return printed;
}

/// The text of a program, which must print as itself.
std::string printStable(const std::string &text) {
  std::string printed = elaborateAndPrint(text);
  EXPECT_EQ(elaborateAndPrint(printed), printed);
  return printed;
}

TEST(PrintFunction, InlinesWhatIsShort) {
  EXPECT_EQ(printStable("func f(x: f32[N, 2], w: f32[2, 1], d_y: f32[N, 1]) -> (d_w: f32[2, 1]) {\n"
                        "  y = sigmoid(x @ w)\n"
                        "  d_w = transpose(x) @ (d_y * (y * (1 - y)))\n"
                        "}\n"),
            "func f(x: f32[N, 2], w: f32[2, 1], d_y: f32[N, 1]) -> (d_w: f32[2, 1]) {\n"
            "  t1: f32[N, 1]  = matmul(x, w)\n"
            "  y: f32[N, 1]   = sigmoid(t1)\n"
            "  t2: f32[N, 1]  = mul(y, sub(1.0, y))\n"
            "  t3: f32[N, 1]  = mul(d_y, t2)\n"
            "  d_w: f32[2, 1] = matmul(transpose(x), t3)\n"
            "}\n");
}

TEST(PrintFunction, KeepsTypesOfLiterals) {
  EXPECT_EQ(printStable("func f(x: f64[3], i: i32[3]) {\n"
                        "  a = x * 0.1 + f64(1) / 3.0\n"
                        "  b = where(x > 1e-5, x, -inf)\n"
                        "  c = exp(f64(0.5))\n"
                        "  d = i + 7\n"
                        "  e = x + f32(1e10)\n"
                        "  return a, b, c, d, e, [[1, 2], [3, 4]], full([100], 2, i64)\n"
                        "}\n"),
            "func f(x: f64[3], i: i32[3]) -> (\n"
            "  a: f64[3],\n"
            "  b: f64[3],\n"
            "  c: f64,\n"
            "  d: i32[3],\n"
            "  e: f64[3],\n"
            "  output: i64[2, 2],\n"
            "  output_2: i64[100]\n"
            ") {\n"
            "  t1: f64            = div(f64(1.0), f64(3.0))\n"
            "  a: f64[3]          = add(mul(x, 0.1), t1)\n"
            "  t2: bool[3]        = greater(x, 1e-5)\n"
            "  b: f64[3]          = where(t2, x, -inf)\n"
            "  c: f64             = exp(f64(0.5))\n"
            "  d: i32[3]          = add(i, 7)\n"
            "  t3: f64            = cast(10000000000.0, dtype = f64)\n"
            "  e: f64[3]          = add(x, t3)\n"
            "  output_2: i64[100] = full([100], 2, dtype = i64)\n"
            "  output: i64[2, 2]  = [[1, 2], [3, 4]]\n"
            "}\n");
}

TEST(PrintFunction, WritesLoops) {
  EXPECT_EQ(printStable("func f(x: f64[3], xs: f64[N, 3]) -> (last: f64[3], path: f64[N, 3]) {\n"
                        "  repeat N reverse as i with a = x, b = 0.0 over row = xs {\n"
                        "    collect path = a\n"
                        "    b = b + 1\n"
                        "    a = a * 0.5 + row\n"
                        "  }\n"
                        "  last = a\n"
                        "}\n"),
            "func f(x: f64[3], xs: f64[N, 3]) -> (last: f64[3], path: f64[N, 3]) {\n"
            "  repeat N reverse with last = x, b = 0.0 over row = xs {\n"
            "    b: f32    = add(b, 1.0)\n"
            "    a: f64[3] = add(mul(last, 0.5), row)\n"
            "    collect path = last\n"
            "    last = a\n"
            "  }\n"
            "}\n");
}

TEST(PrintFunction, KeepsNamesApart) {
  EXPECT_EQ(printStable("func f(param w: f32[N], N_: f32[N]) -> (param w: f32[N], f32[2*N]) {\n"
                        "  v = w - N_\n"
                        "  return v, concat(v, N_)\n"
                        "}\n"),
            "func f(param w: f32[N], N_: f32[N]) -> (param w: f32[N], output: f32[2*N]) {\n"
            "  w.next: f32[N]   = sub(w, N_)\n"
            "  output: f32[2*N] = concat(w.next, N_)\n"
            "  return w.next, output\n"
            "}\n");
}

} // namespace
