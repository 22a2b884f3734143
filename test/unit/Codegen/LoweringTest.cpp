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
    CompiledFunction compiled(example->function, TargetDescription::host().cpu);
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

} // namespace
} // namespace nnc::test
