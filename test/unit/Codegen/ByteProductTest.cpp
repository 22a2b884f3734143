//===- ByteProductTest.cpp - Products of bytes are exact ------------------===//
//
// Matrix products, batches, sums along other axes and convolutions of i8 and u8, cast to i32, on sizes that no tile
// divides: the same bits as the interpreter, for each pair of signs, on each kind of processor that this one can stand
// for, with one thread and three, and where the system refuses the matrix unit.
//
//===----------------------------------------------------------------------===//
#include "CompiledFunction.h"
#include "ProductFunction.h"

#include "nnc/Codegen/Target.h"
#include "nnc/Runtime/nnc_rt.h"

#include "mlir/Parser/Parser.h"

#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace mlir;

namespace nnc::test {
namespace {

struct Processor {
  std::string cpu;
  bool refusesMatrixUnit = false;
};

void PrintTo(const Processor &processor, std::ostream *out) { *out << processor.cpu; }

std::vector<Processor> listProcessors() {
  std::vector<Processor> processors = {{"native"}, {"native", true}};
  // Bytes by bytes on long and on short vectors, pairs of 16 bits on three lengths, and neither.
  for (const char *cpu :
       {"cascadelake", "alderlake", "x86-64-v4", "x86-64-v3", "x86-64-v2", "sandybridge"}) {
    std::optional<TargetDescription> target = TargetDescription::forCpu(cpu);
    if (target && target->runsHere())
      processors.push_back({cpu});
  }
  return processors;
}

/// Numbers of which many are the ends of the range of `type`.
HostTensor draw(Type type, const std::string &shape, int64_t rows, unsigned seed) {
  HostTensor tensor(type, sizesOf(shape, rows));
  std::mt19937 random(seed);
  bool isUnsigned = type.isUnsignedInteger();
  int64_t low = isUnsigned ? 0 : -128, high = isUnsigned ? 255 : 127;
  std::uniform_int_distribution<int64_t> uniform(low - 40, high + 40);
  for (int64_t index = 0; index < tensor.getNumElements(); ++index)
    tensor.setInteger(index, std::clamp(uniform(random), low, high));
  return tensor;
}

/// What the system says to a process that may not use the matrix unit.
long refuse(long, ...) { return -1; }

class ByteProduct : public testing::TestWithParam<Processor> {
protected:
  ByteProduct() { loadDialects(context); }

  /// For each pair of signs.
  void check(const Product &product) {
    for (const char *a : {"i8", "ui8"})
      for (const char *b : {"i8", "ui8"})
        check(product, a, b);
  }

  void check(const Product &product, const std::string &a, const std::string &b,
             ArrayRef<int64_t> rows = {1}) {
    SCOPED_TRACE(fmt::format("{} of {}x{} and {}x{}", product.op, product.a, a, product.b, b));
    auto module = parseSourceString<ModuleOp>(writeFunction(product, a, b, "i32"), &context);
    ASSERT_TRUE(module);
    auto function = module->lookupSymbol<func::FuncOp>("f");
    std::map<std::string, void *> symbols;
    if (GetParam().refusesMatrixUnit)
      symbols["syscall"] = reinterpret_cast<void *>(&refuse);
    CodegenOptions options;
    options.cpu = TargetDescription::forCpu(GetParam().cpu)->cpu;
    for (int64_t grain : {int64_t(1), kDefaultGrain}) {
      options.grain = grain;
      CompiledFunction compiled(function, options, symbols);
      ASSERT_TRUE(compiled.isLoaded());
      for (int64_t count : rows)
        compare(product, function, compiled, count);
    }
  }

  void compare(const Product &product, func::FuncOp function, CompiledFunction &compiled,
               int64_t rows) {
    SCOPED_TRACE(fmt::format("N is {}", rows));
    auto typeOf = [&](unsigned index) {
      return getElementTypeOrSelf(function.getArgumentTypes()[index]);
    };
    SmallVector<HostTensor> arguments = {draw(typeOf(0), product.a, rows, 1),
                                         draw(typeOf(1), product.b, rows, 2)};
    HostTensor expected = llvm::cantFail(interpret(function, arguments))[0];
    for (int threads : {1, 3}) {
      nnc_set_num_threads(threads);
      HostTensor found = compiled.run(arguments, expected, {{"N", rows}})[0];
      for (int64_t index = 0; index < expected.getNumElements(); ++index)
        ASSERT_EQ(found.getInteger(index), expected.getInteger(index)) << "at " << index;
    }
  }

  MLIRContext context;
};

INSTANTIATE_TEST_SUITE_P(Processors, ByteProduct, testing::ValuesIn(listProcessors()),
                         [](const auto &info) {
                           std::string name = info.param.cpu;
                           llvm::erase_if(name, [](char c) { return !llvm::isAlnum(c); });
                           return name + (info.param.refusesMatrixUnit ? "Refused" : "");
                         });

TEST_P(ByteProduct, RaggedMatrices) {
  check(matmul(67, 43, 131));
  check(matmul(20, 33, 129), "i8", "i8");
  check(leftTransposed(67, 43, 131), "i8", "ui8");
  check(rightTransposed(67, 43, 131), "ui8", "i8");
  check(rightTransposed(13, 40, 300), "i8", "i8");
  check(matmul(5, 9, 70), "i8", "i8");
  check(matmul(3, 3, 5), "ui8", "i8");
  check(matmul(1, 64, 1024), "ui8", "i8");
  check(matmul(129, 67, 64), "i8", "i8");
  // So large a right factor that threads share the groups of its panels.
  check(matmul(12, 1040, 1088), "i8", "i8");
  // So long a sum that a tile takes it in several goes, and that it does not fit in 32 bits.
  check(matmul(12, 8, 40000), "ui8", "ui8");
}

TEST_P(ByteProduct, RowsThatAreNotKnown) {
  check({"?x128", "128x96", "?x96", "nn.matmul %x, %y", 128}, "i8", "i8",
        {0, 1, 15, 16, 17, 31, 32, 33, 70});
}

TEST_P(ByteProduct, Batches) {
  check({"3x40x64", "3x64x40", "3x40x40", "nn.matmul %x, %y", 64}, "ui8", "i8");
  check({"2x3x33x64", "64x48", "2x3x33x48", "nn.matmul %x, %y", 64}, "i8", "ui8");
  check({"?x24x64", "?x64x56", "?x24x56", "nn.matmul %x, %y", 64}, "i8", "i8", {0, 1, 5});
}

TEST_P(ByteProduct, Convolutions) {
  check({"2x32x9x9", "48x32x3x3", "2x48x7x7", "nn.convolution %x, %y", 288}, "i8", "i8");
  check(
      {"2x32x9x9", "48x32x3x3", "2x48x5x5",
       "nn.convolution %x, %y {low = array<i64: 1>, high = array<i64: 1>, strides = array<i64: 2>}",
       288},
      "ui8", "i8");
  check({"2x3x12x12", "16x3x3x3", "2x16x12x12",
         "nn.convolution %x, %y {low = array<i64: 1>, high = array<i64: 1>}", 27},
        "i8", "i8");
  check({"2x64x6x6", "40x64x1x1", "2x40x6x6", "nn.convolution %x, %y", 64}, "ui8", "i8");
  check({"2x16x9x9", "16x1x3x3", "2x16x7x7", "nn.convolution %x, %y {groups = 16 : i64}", 9}, "ui8",
        "i8");
}

} // namespace
} // namespace nnc::test
