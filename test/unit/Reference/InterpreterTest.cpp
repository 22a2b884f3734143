//===- InterpreterTest.cpp - Programs with known values -------------------===//
#include "nnc/Reference/Interpreter.h"
#include "nnc/IR/NN.h"

#include "mlir/Parser/Parser.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace nnc;
using testing::ElementsAre;

namespace {
struct InterpreterTest : testing::Test {
  InterpreterTest() { context.loadDialect<nn::NNDialect, func::FuncDialect>(); }

  func::FuncOp parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    return module ? *module->getOps<func::FuncOp>().begin() : func::FuncOp();
  }
  HostTensor tensor(Type type, ArrayRef<int64_t> shape, ArrayRef<double> values) {
    HostTensor result(type, shape);
    for (auto [index, value] : llvm::enumerate(values))
      result.setConverted(index, value);
    return result;
  }
  HostTensor f32(ArrayRef<int64_t> shape, ArrayRef<double> values) {
    return tensor(Float32Type::get(&context), shape, values);
  }
  static std::vector<double> numbers(const HostTensor &tensor) {
    std::vector<double> values;
    for (int64_t index = 0; index < tensor.getNumElements(); ++index)
      values.push_back(tensor.getNumber(index));
    return values;
  }
  /// The results' elements, or one line with the error.
  std::string run(StringRef text, ArrayRef<HostTensor> arguments, InterpretOptions options = {}) {
    func::FuncOp function = parse(text);
    if (!function)
      return "does not parse";
    llvm::Expected<SmallVector<HostTensor>> results = interpret(function, arguments, options);
    if (!results)
      return llvm::toString(results.takeError());
    std::string line;
    for (const HostTensor &result : *results)
      line += (line.empty() ? "" : "; ") + result.str();
    return line;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};
} // namespace

static const char *const symbolic = R"(
func.func @f(%x: tensor<?x2xf32, ["N", 2]>, %y: tensor<?xf32, ["N"]>) -> tensor<2xf32> {
  %z = nn.matmul %y, %x : (tensor<?xf32, ["N"]>, tensor<?x2xf32, ["N", 2]>) -> tensor<2xf32>
  return %z : tensor<2xf32>
})";

TEST_F(InterpreterTest, resolvesSymbolsFromArguments) {
  EXPECT_EQ(run(symbolic, {f32({3, 2}, {1, 2, 3, 4, 5, 6}), f32({3}, {1, 10, 100})}),
            "f32[2] {531, 642}");
}

TEST_F(InterpreterTest, reportsArgumentsThatDoNotFit) {
  HostTensor x = f32({3, 2}, {}), y = f32({2}, {});
  EXPECT_EQ(run(symbolic, {x, y}), "expected argument 1 of type f32[N] with N = 3, found f32[2]");
  EXPECT_EQ(run(symbolic, {x}), "expected 2 arguments, found 1");
  EXPECT_EQ(run(symbolic, {y, y}), "expected argument 0 of type f32[N, 2], found f32[2]");
  EXPECT_EQ(run(symbolic, {tensor(Float64Type::get(&context), {3, 2}, {}), y}),
            "expected argument 0 of type f32[N, 2], found f64[3, 2]");
  EXPECT_EQ(run(symbolic, {f32({3, 4}, {}), y}),
            "expected argument 0 of type f32[N, 2], found f32[3, 4]");
}

static const char *const freeSymbol = R"(
func.func @f() -> tensor<?xi64, ["M"]> {
  %y = "nn.iota"() {shape = ["M"], axis = 0, dtype = i64} : () -> tensor<?xi64, ["M"]>
  return %y : tensor<?xi64, ["M"]>
})";

TEST_F(InterpreterTest, takesSymbolsFromOptions) {
  InterpretOptions options;
  options.symbols["M"] = 3;
  EXPECT_EQ(run(freeSymbol, {}, options), "i64[3] {0, 1, 2}");
  EXPECT_EQ(run(freeSymbol, {}), "expected arguments that tell the value of the dimension M");
}

static const char *const prefixSums = R"(
func.func @f(%x: tensor<?xf32, ["N"]>, %start: tensor<f32>)
    -> (tensor<f32>, tensor<?xf32, ["N"]>) {
  %last, %all = nn.scan attributes {count = "N", reverse = %REVERSE%}
      init(%start : tensor<f32>) over(%x : tensor<?xf32, ["N"]>)
      -> tensor<f32>, tensor<?xf32, ["N"]> {
    ^bb0(%i: tensor<i64>, %sum: tensor<f32>, %element: tensor<f32>):
      %next = nn.add %sum, %element : (tensor<f32>, tensor<f32>) -> tensor<f32>
      nn.yield %next, %next : tensor<f32>, tensor<f32>
  }
  return %last, %all : tensor<f32>, tensor<?xf32, ["N"]>
})";

static std::string scanText(StringRef reverse) {
  std::string text = prefixSums;
  text.replace(text.find("%REVERSE%"), 9, reverse);
  return text;
}

TEST_F(InterpreterTest, scansForward) {
  EXPECT_EQ(run(scanText("false"), {f32({3}, {1, 2, 3}), f32({}, {10})}),
            "f32 {16}; f32[3] {11, 13, 16}");
}

TEST_F(InterpreterTest, scansInReverse) {
  EXPECT_EQ(run(scanText("true"), {f32({3}, {1, 2, 3}), f32({}, {10})}),
            "f32 {16}; f32[3] {16, 15, 13}");
}

TEST_F(InterpreterTest, scansNothing) {
  EXPECT_EQ(run(scanText("false"), {f32({0}, {}), f32({}, {10})}), "f32 {10}; f32[0] {}");
}

TEST_F(InterpreterTest, callsTheHookAfterEachOp) {
  InterpretOptions options;
  std::vector<std::string> seen;
  options.afterOp = [&](Operation *op, MutableArrayRef<HostTensor> results) -> llvm::Error {
    seen.push_back(op->getName().getStringRef().str() + " " + results[0].str());
    if (seen.size() == 2)
      return llvm::createStringError("enough");
    return llvm::Error::success();
  };
  EXPECT_EQ(run(scanText("false"), {f32({3}, {1, 2, 3}), f32({}, {10})}, options), "enough");
  EXPECT_THAT(seen, ElementsAre("nn.add f32 {11}", "nn.add f32 {13}"));
}

static const char *const slicing = R"(
func.func @f(%x: tensor<?xf32, ["N"]>) -> tensor<?xf32, ["N - 2"]> {
  %y = "nn.slice"(%x) {starts = [2], stops = ["N"], steps = array<i64: 1>}
      : (tensor<?xf32, ["N"]>) -> tensor<?xf32, ["N - 2"]>
  return %y : tensor<?xf32, ["N - 2"]>
})";

TEST_F(InterpreterTest, checksBoundsThatDependOnSymbols) {
  EXPECT_EQ(run(slicing, {f32({4}, {1, 2, 3, 4})}), "f32[2] {3, 4}");
  EXPECT_EQ(run(slicing, {f32({1}, {1})}),
            "'slice' expects a part within axis 0 of size 1, found 2:1");
}

/// `nn.NAME` of `x` and `y` of one type.
static std::string binary(StringRef name, StringRef type) {
  std::string tensorType = ("tensor<6x" + type + ">").str();
  return ("func.func @f(%x: " + tensorType + ", %y: " + tensorType + ") -> " + tensorType +
          " {\n  %z = nn." + name + " %x, %y : (" + tensorType + ", " + tensorType + ") -> " +
          tensorType + "\n  return %z : " + tensorType + "\n}")
      .str();
}

TEST_F(InterpreterTest, dividesIntegersDown) {
  Type i32 = IntegerType::get(&context, 32);
  HostTensor x = tensor(i32, {6}, {7, -7, 7, -7, 5, -2147483648.0});
  HostTensor y = tensor(i32, {6}, {2, 2, -2, -2, 0, -1});
  EXPECT_EQ(run(binary("floor_divide", "i32"), {x, y}), "i32[6] {3, -4, -4, 3, 0, -2147483648}");
  EXPECT_EQ(run(binary("mod", "i32"), {x, y}), "i32[6] {1, 1, -1, -1, 0, 0}");
}

TEST_F(InterpreterTest, wrapsIntegers) {
  Type i8 = IntegerType::get(&context, 8);
  HostTensor x = tensor(i8, {6}, {127, -128, 100, 2, -1, 0});
  HostTensor y = tensor(i8, {6}, {1, 1, 3, 7, -1, 0});
  EXPECT_EQ(run(binary("add", "i8"), {x, y}), "i8[6] {-128, -127, 103, 9, -2, 0}");
  EXPECT_EQ(run(binary("sub", "i8"), {x, y}), "i8[6] {126, 127, 97, -5, 0, 0}");
  EXPECT_EQ(run(binary("mul", "i8"), {x, y}), "i8[6] {127, -128, 44, 14, 1, 0}");
  EXPECT_EQ(run(binary("pow", "i8"), {x, y}), "i8[6] {127, -128, 64, -128, -1, 1}");
}

TEST_F(InterpreterTest, propagatesNaN) {
  HostTensor x = f32({6}, {NAN, 1, NAN, 1, INFINITY, -0.0}), y = f32({6}, {1, NAN, NAN, 2, 1, 0});
  EXPECT_EQ(run(binary("maximum", "f32"), {x, y}), "f32[6] {nan, nan, nan, 2, inf, -0}");
  EXPECT_EQ(run(binary("minimum", "f32"), {x, y}), "f32[6] {nan, nan, nan, 1, 1, -0}");
}

TEST_F(InterpreterTest, roundsSinglePrecisionOnce) {
  HostTensor x = f32({6}, {16777216, 0.1, 1e38, 1, 3, 5}), y = f32({6}, {1, 0.2, 1e38, 3, 3, 7});
  SmallVector<HostTensor> results = llvm::cantFail(interpret(parse(binary("mul", "f32")), {x, y}));
  EXPECT_EQ(results[0].getFloat(1), double(0.1f * 0.2f));
  EXPECT_EQ(results[0].getFloat(2), INFINITY);
  results = llvm::cantFail(interpret(parse(binary("div", "f32")), {x, y}));
  EXPECT_EQ(results[0].getFloat(5), double(5.0f / 7.0f));
}
