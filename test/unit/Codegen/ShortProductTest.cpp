//===- ShortProductTest.cpp - Products of bf16 are sums in f32 ------------===//
//
// Matrix products, their gradients and convolutions of bf16 on sizes that no tile divides, beside the
// interpreter in f64: the result may be off by its own rounding to bf16, and by one rounding to f32 for each
// term of a sum. With three threads and in the smallest parts the bits are the same. The same again where the
// system refuses the matrix unit. On processors without one this tests ordinary vectors.
//
//===----------------------------------------------------------------------===//
#include "CompiledFunction.h"
#include "ProductFunction.h"

#include "nnc/Codegen/Target.h"
#include "nnc/Runtime/nnc_rt.h"

#include "mlir/Parser/Parser.h"

#include <cmath>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace mlir;

namespace nnc::test {
namespace {

HostTensor draw(MLIRContext &context, const std::string &shape, int64_t rows, unsigned seed) {
  HostTensor tensor(BFloat16Type::get(&context), sizesOf(shape, rows));
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int64_t index = 0; index < tensor.getNumElements(); ++index)
    tensor.setFloat(index, uniform(random));
  return tensor;
}

HostTensor absolute(HostTensor tensor) {
  for (int64_t index = 0; index < tensor.getNumElements(); ++index)
    tensor.setFloat(index, std::fabs(tensor.getFloat(index)));
  return tensor;
}

/// What the system says to a process that may not use the matrix unit.
long refuse(long, ...) { return -1; }

class ShortProduct : public testing::TestWithParam<bool> {
protected:
  ShortProduct() { loadDialects(context); }

  OwningOpRef<ModuleOp> parse(const Product &product, const std::string &type) {
    return parseSourceString<ModuleOp>(writeFunction(product, "bf16", "bf16", type), &context);
  }

  /// With a result of `type`, into which the factors are cast.
  void check(const Product &product, ArrayRef<int64_t> rows = {1},
             const std::string &type = "bf16") {
    SCOPED_TRACE(product.op + " of " + product.a + " and " + product.b + " in " + type);
    OwningOpRef<ModuleOp> module = parse(product, type), exact = parse(product, "f64");
    ASSERT_TRUE(module && exact);
    std::map<std::string, void *> symbols;
    if (GetParam())
      symbols["syscall"] = reinterpret_cast<void *>(&refuse);
    for (int64_t grain : {int64_t(1), kDefaultGrain}) {
      CodegenOptions options;
      options.grain = grain;
      CompiledFunction compiled(module->lookupSymbol<func::FuncOp>("f"), options, symbols);
      ASSERT_TRUE(compiled.isLoaded());
      for (int64_t count : rows)
        compare(product, module->lookupSymbol<func::FuncOp>("f"),
                exact->lookupSymbol<func::FuncOp>("f"), compiled, count);
    }
  }

  void compare(const Product &product, func::FuncOp function, func::FuncOp exact,
               CompiledFunction &compiled, int64_t rows) {
    SCOPED_TRACE(fmt::format("N is {}", rows));
    SmallVector<HostTensor> arguments = {draw(context, product.a, rows, 1),
                                         draw(context, product.b, rows, 2)};
    SmallVector<HostTensor> magnitudes = {absolute(arguments[0]), absolute(arguments[1])};
    HostTensor expected = llvm::cantFail(interpret(exact, arguments))[0],
               sums = llvm::cantFail(interpret(exact, magnitudes))[0];
    Type type = getElementTypeOrSelf(function.getResultTypes().front());
    HostTensor like(type, expected.getShape());
    SymbolValues symbols = {{"N", rows}};
    nnc_set_num_threads(1);
    HostTensor found = compiled.run(arguments, like, symbols)[0];
    nnc_set_num_threads(3);
    EXPECT_TRUE(compiled.run(arguments, like, symbols)[0] == found);
    for (int64_t index = 0; index < expected.getNumElements(); ++index) {
      double value = expected.getFloat(index);
      double inSums = double(product.terms + 1) * 0x1p-24 * sums.getFloat(index);
      double bound = inSums + (type.isBF16() ? (std::fabs(value) + inSums) * 0x1p-8 : 0);
      ASSERT_NEAR(found.getFloat(index), value, bound) << "at " << index;
    }
  }

  MLIRContext context;
};

INSTANTIATE_TEST_SUITE_P(Unit, ShortProduct, testing::Values(false, true),
                         [](const auto &info) { return info.param ? "Refused" : "Allowed"; });

TEST_P(ShortProduct, RaggedMatrices) {
  for (auto [m, n, k] :
       {std::tuple(13, 40, 300), std::tuple(20, 33, 129), std::tuple(67, 43, 131)}) {
    check(matmul(m, n, k));
    check(leftTransposed(m, n, k));
    check(rightTransposed(m, n, k));
  }
  check(matmul(67, 43, 131), {1}, "f32");
  check(leftTransposed(129, 67, 64), {1}, "f32");
  check(matmul(1, 64, 1024));
  check(matmul(4, 200, 100));
  check(matmul(129, 67, 64));
  // So large a right factor that threads share the groups of its panels.
  check(matmul(12, 1040, 544));
  // So long a sum that a tile takes it in several goes.
  check(matmul(12, 8, 8100));
}

TEST_P(ShortProduct, RowsThatAreNotKnown) {
  check({"?x128", "128x96", "?x96", "nn.matmul %x, %y", 128}, {0, 1, 15, 16, 17, 31, 32, 33, 70});
}

TEST_P(ShortProduct, Batches) {
  check({"3x40x64", "3x64x40", "3x40x40", "nn.matmul %x, %y", 64});
  check({"2x3x33x64", "64x48", "2x3x33x48", "nn.matmul %x, %y", 64});
  check({"?x24x64", "?x64x56", "?x24x56", "nn.matmul %x, %y", 64}, {0, 1, 5});
}

TEST_P(ShortProduct, Convolutions) {
  check({"2x32x9x9", "48x32x3x3", "2x48x7x7", "nn.convolution %x, %y", 288});
  check(
      {"2x32x9x9", "48x32x3x3", "2x48x5x5",
       "nn.convolution %x, %y {low = array<i64: 1>, high = array<i64: 1>, strides = array<i64: 2>}",
       288});
  check({"2x48x7x7", "48x32x3x3", "2x32x9x9",
         "nn.convolution_input_gradient %x, %y {shape = [9, 9]}", 432});
  check({"2x32x9x9", "2x48x7x7", "48x32x3x3",
         "nn.convolution_weight_gradient %x, %y {shape = [3, 3]}", 98});
  // Rows of ten pixels are five pairs, at every offset that the window has.
  check({"2x32x12x12", "2x48x10x10", "48x32x3x3",
         "nn.convolution_weight_gradient %x, %y {shape = [3, 3]}", 200});
  check({"2x64x6x6", "40x64x1x1", "2x40x6x6", "nn.convolution %x, %y", 64});
}

} // namespace
} // namespace nnc::test
