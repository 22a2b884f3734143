//===- LoweringTest.cpp - Compiled ops compute what the reference does ----===//
//
// Every example of every op, compiled and run, beside the reference interpreter on the same values:
// with each element type, and with symbols for sizes, down to zero.
//
//===----------------------------------------------------------------------===//
#include "CompiledFunction.h"

#include "nnc/Codegen/Target.h"
#include "nnc/IR/Examples.h"
#include "nnc/IR/OpTable.h"
#include "nnc/Reference/DrawInputs.h"

#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace mlir;

namespace nnc::test {
namespace {

/// How far a result may be from the exact one: some units of the element type's precision, more
/// where sums over axes of `size` elements are rounded as they grow.
double tolerance(Type type, double expected, int64_t size) {
  double unit = type.isF64() ? 0x1p-52 : type.isF32() ? 0x1p-23 : type.isF16() ? 0x1p-10 : 0x1p-7;
  return (8 + size * size / 4) * unit * std::max(1.0, std::fabs(expected));
}

/// The first place where the two differ by more than rounding, empty if there is none.
std::string difference(const HostTensor &found, const HostTensor &expected, int64_t size) {
  for (int64_t index = 0; index < expected.getNumElements(); ++index) {
    if (!expected.isFloat()) {
      if (found.getInteger(index) != expected.getInteger(index))
        return fmt::format("at {}: expected {}, found {}", index, expected.getInteger(index),
                           found.getInteger(index));
      continue;
    }
    double x = found.getFloat(index), y = expected.getFloat(index);
    bool isSame = x == y || (std::isnan(x) && std::isnan(y)) ||
                  std::fabs(x - y) <= tolerance(expected.getElementType(), y, size);
    if (!isSame)
      return fmt::format("at {}: expected {}, found {}", index, y, x);
  }
  return "";
}

class LoweringTest : public testing::Test {
protected:
  LoweringTest() {
    loadDialects(context);
    // Examples that do not fit another type or symbols are left out: their errors are no news.
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      diagnostics += diagnostic.str() + "\n";
      return success();
    });
  }

  /// Compares for each of `sizes`, the values that all symbols take. False if `text` does not build.
  bool compare(const std::string &text, ArrayRef<int64_t> sizes) {
    llvm::Expected<Example> example = buildExample(context, text);
    if (!example) {
      llvm::consumeError(example.takeError());
      return false;
    }
    SCOPED_TRACE(text);
    diagnostics.clear();
    CompiledFunction compiled(example->function);
    EXPECT_TRUE(compiled.isLoaded()) << diagnostics;
    for (int64_t size : sizes)
      if (compiled.isLoaded())
        compareOnce(*example, compiled, size);
    return true;
  }

  void compareOnce(Example &example, CompiledFunction &compiled, int64_t size) {
    SCOPED_TRACE(fmt::format("symbols are {}", size));
    SymbolValues symbols;
    for (const ExampleInput &input : example.inputs)
      for (const Dim &dim : getShape(input.type)) {
        std::set<std::string> names;
        dim.collectSymbols(names);
        for (const std::string &name : names)
          symbols[name] = size;
      }
    SmallVector<HostTensor> arguments = drawInputs(example.inputs, /*seed=*/7, symbols);
    InterpretOptions options;
    options.symbols = symbols;
    llvm::Expected<SmallVector<HostTensor>> expected =
        interpret(example.function, arguments, options);
    if (!expected) {
      // Bounds that are not met at this size.
      llvm::consumeError(expected.takeError());
      return;
    }
    std::vector<HostTensor> found = compiled.run(arguments, *expected, symbols);
    for (auto [result, reference] : llvm::zip_equal(found, *expected))
      EXPECT_EQ(difference(result, reference, size), "")
          << "expected " << reference.str() << "\n found   " << result.str();
  }

  /// `text` with `from` replaced by `to` in the types before the arrow.
  static std::string withType(std::string text, const std::string &from, const std::string &to) {
    size_t arrow = text.find("->");
    for (size_t at = text.find(": " + from); at < arrow; at = text.find(": " + from, at + 1))
      text.replace(at + 2, from.size(), to);
    return text;
  }

  /// `text` with every size of an input but 1 replaced by a symbol of its own.
  static std::string withSymbols(const std::string &text) {
    std::string result;
    bool isShape = false;
    size_t arrow = text.find("->");
    for (size_t at = 0; at < text.size(); ++at) {
      isShape = at < arrow && (isShape ? text[at] != ']' : text[at] == '[');
      bool isSize = isShape && text[at] >= '2' && text[at] <= '9';
      result += isSize ? fmt::format("N{}", text[at]) : std::string(1, text[at]);
    }
    return result;
  }

  MLIRContext context;
  std::string diagnostics;
};

/// Calls `function` with the text of each example, or of the first of each op.
template <typename Function> void forEachExample(Function function, bool firstOnly = false) {
  for (const OpInfo &op : getOpTable())
    for (const std::string &text : op.examples) {
      function(text);
      if (firstOnly)
        break;
    }
}

class LoweringOnType : public LoweringTest, public testing::WithParamInterface<const char *> {};

INSTANTIATE_TEST_SUITE_P(Types, LoweringOnType,
                         testing::Values("f64", "f32", "f16", "bf16", "i64", "i32", "i8", "u8",
                                         "bool"),
                         [](const auto &info) { return std::string(info.param); });

TEST_P(LoweringOnType, Examples) {
  std::string type = GetParam();
  bool firstOnly = type != "f64" && type != "f32" && type != "i32";
  unsigned count = 0;
  forEachExample(
      [&](const std::string &text) {
        std::string changed = withType(text, "f64", type);
        count += (type == "f64" || changed != text) && compare(changed, 0);
      },
      firstOnly);
  EXPECT_GT(count, type == "bool" ? 15u : 30u);
}

TEST_F(LoweringTest, ExamplesWithSymbols) {
  unsigned count = 0;
  forEachExample([&](const std::string &text) {
    std::string changed = withSymbols(text);
    count += changed != text && compare(changed, {0, 1, 3, 7, 33});
  });
  EXPECT_GT(count, 60u);
}

/// Uniform numbers have the reference's bits, wherever their range is.
TEST_F(LoweringTest, UniformBits) {
  for (const char *type : {"f16", "bf16", "f32", "f64"})
    for (const char *range : {"", ", low = -1, high = 1", ", low = 2.7, high = 1000.3"}) {
      Example example = llvm::cantFail(buildExample(
          context,
          fmt::format("(key: i64[2]) -> uniform([7, 33], dtype = {}{}, key = key)", type, range)));
      CompiledFunction compiled(example.function);
      ASSERT_TRUE(compiled.isLoaded()) << diagnostics;
      HostTensor key(IntegerType::get(&context, 64), {2});
      key.setInteger(0, 0x123456789abcdef);
      key.setInteger(1, 77);
      auto expected = llvm::cantFail(interpret(example.function, key));
      EXPECT_EQ(compiled.run(key, expected, {})[0], expected[0]) << type << range;
    }
}

TEST_F(LoweringTest, EdgesOfConversions) {
  const double values[] = {0.0,     -0.0,  0.5,       -0.5,         127.9, 128.0, -128.9,
                           -129.0,  255.5, 256.0,     -0.999,       3e9,   -3e9,  1e19,
                           -1e19,   1e300, -1e300,    INFINITY,     NAN,   65519, 65520,
                           65520.1, 1e-8,  5.9604e-8, 1.0009765625, 2047.5};
  for (const char *from : {"f64", "f32", "f16", "bf16"})
    for (const char *to : {"f64", "f32", "f16", "bf16", "i64", "i32", "i8", "u8", "bool"}) {
      Example example = llvm::cantFail(buildExample(
          context, fmt::format("(x: {}[{}]) -> cast(x, dtype = {})", from, std::size(values), to)));
      CompiledFunction compiled(example.function);
      ASSERT_TRUE(compiled.isLoaded()) << diagnostics;
      HostTensor x(example.inputs[0].type.getElementType(), example.inputs[0].type.getShape());
      for (auto [index, value] : llvm::enumerate(values))
        x.setFloat(index, value);
      auto expected = llvm::cantFail(interpret(example.function, x));
      EXPECT_EQ(compiled.run(x, expected, {})[0], expected[0])
          << from << " to " << to << ": expected " << expected[0].str(64);
    }
}

TEST_F(LoweringTest, EdgesOfIntegerDivision) {
  const int64_t values[] = {0,   1,   -1,   2,         -2,        7,        -7,
                            100, 127, -128, INT32_MIN, INT64_MIN, INT64_MAX};
  int64_t count = std::size(values);
  for (const char *op : {"floor_divide", "mod", "pow", "mul", "sub", "maximum"})
    for (const char *type : {"i64", "i32", "i8", "u8"}) {
      Example example = llvm::cantFail(buildExample(
          context, fmt::format("(x: {0}[{1}, 1], y: {0}[{1}]) -> {2}(x, y)", type, count, op)));
      CompiledFunction compiled(example.function);
      ASSERT_TRUE(compiled.isLoaded()) << diagnostics;
      Type elementType = example.inputs[0].type.getElementType();
      HostTensor column(elementType, {count, 1}), row(elementType, {count});
      for (auto [index, value] : llvm::enumerate(values)) {
        column.setInteger(index, value);
        row.setInteger(index, value);
      }
      auto expected = llvm::cantFail(interpret(example.function, {column, row}));
      EXPECT_EQ(compiled.run({column, row}, expected, {})[0], expected[0])
          << op << " of " << type << ": expected " << expected[0].str(200);
    }
}

} // namespace
} // namespace nnc::test
