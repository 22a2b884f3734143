//===- KernelCodeTest.cpp - Kernels become PTX that ptxas takes -----------===//
//
// Where there is no ptxas, what asks for it is skipped and says so.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/GPU/KernelCode.h"

#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Parser/Parser.h"

#include <cstdlib>
#include <gmock/gmock.h>

using namespace mlir;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace nnc {
namespace {

/// Each thread computes an element with what the math dialect has.
constexpr const char *kMath = R"(
gpu.module @kernels {
  gpu.func @math(%x: memref<1024xf32>, %y: memref<1024xf32>, %h: memref<1024xbf16>, %n: index) kernel
      attributes {known_block_size = array<i32: 256, 1, 1>} {
    %c256 = arith.constant 256 : index
    %b = gpu.block_id x
    %t = gpu.thread_id x
    %o = arith.muli %b, %c256 : index
    %i = arith.addi %o, %t : index
    %in = arith.cmpi slt, %i, %n : index
    scf.if %in {
      %0 = memref.load %x[%i] : memref<1024xf32>
      %1 = math.exp %0 : f32
      %2 = math.sqrt %1 : f32
      %3 = math.tanh %2 : f32
      %4 = math.floor %0 : f32
      %5 = arith.mulf %3, %4 : f32
      %6 = arith.addf %5, %0 : f32
      %7 = arith.divf %6, %2 : f32
      %8 = math.absf %7 : f32
      %9 = math.sin %8 : f32
      %10 = arith.maximumf %9, %0 : f32
      %11 = math.log %10 : f32
      %12 = math.erf %11 : f32
      %13 = math.powf %12, %0 : f32
      %14 = arith.truncf %13 : f32 to bf16
      memref.store %14, %h[%i] : memref<1024xbf16>
      %15 = arith.extf %14 : bf16 to f32
      %16 = math.fma %15, %0, %1 : f32
      memref.store %16, %y[%i] : memref<1024xf32>
    }
    gpu.return
  }
})";

/// Softmax of a row a block, four elements a thread, in the order that shuffles give.
constexpr const char *kSoftmax = R"(
gpu.module @kernels {
  gpu.func @softmax(%x: memref<4096x1024xf32>, %y: memref<4096x1024xf32>)
      workgroup(%shared : memref<16xf32, #gpu.address_space<workgroup>>) kernel
      attributes {known_block_size = array<i32: 256, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c32 = arith.constant 32 : index
    %i1 = arith.constant 1 : i32
    %i2 = arith.constant 2 : i32
    %i4 = arith.constant 4 : i32
    %i8 = arith.constant 8 : i32
    %i16 = arith.constant 16 : i32
    %i32 = arith.constant 32 : i32
    %r = gpu.block_id x
    %t = gpu.thread_id x
    %lane = arith.remui %t, %c32 : index
    %warp = arith.divui %t, %c32 : index
    %first = arith.cmpi eq, %lane, %c0 : index
    %column = arith.muli %t, %c4 : index
    %v = vector.load %x[%r, %column] {alignment = 16 : i64} : memref<4096x1024xf32>, vector<4xf32>
    %e = math.exp %v : vector<4xf32>
    %s0 = vector.reduction <add>, %e : vector<4xf32> into f32
    %a1, %p1 = gpu.shuffle xor %s0, %i16, %i32 : f32
    %s1 = arith.addf %s0, %a1 : f32
    %a2, %p2 = gpu.shuffle xor %s1, %i8, %i32 : f32
    %s2 = arith.addf %s1, %a2 : f32
    %a3, %p3 = gpu.shuffle xor %s2, %i4, %i32 : f32
    %s3 = arith.addf %s2, %a3 : f32
    %a4, %p4 = gpu.shuffle xor %s3, %i2, %i32 : f32
    %s4 = arith.addf %s3, %a4 : f32
    %a5, %p5 = gpu.shuffle xor %s4, %i1, %i32 : f32
    %s5 = arith.addf %s4, %a5 : f32
    scf.if %first {
      memref.store %s5, %shared[%warp] : memref<16xf32, #gpu.address_space<workgroup>>
    }
    gpu.barrier
    %zero = arith.constant 0.0 : f32
    %sum = scf.for %w = %c0 to %c8 step %c1 iter_args(%acc = %zero) -> f32 {
      %part = memref.load %shared[%w] : memref<16xf32, #gpu.address_space<workgroup>>
      %next = arith.addf %acc, %part : f32
      scf.yield %next : f32
    }
    %all = vector.broadcast %sum : f32 to vector<4xf32>
    %z = arith.divf %e, %all : vector<4xf32>
    vector.store %z, %y[%r, %column] {alignment = 16 : i64} : memref<4096x1024xf32>, vector<4xf32>
    gpu.return
  }
})";

/// Shared memory of a size known at the launch, beside that of a known size.
constexpr const char *kShared = R"(
gpu.module @kernels {
  gpu.func @shared(%y: memref<f32>) workgroup(%fixed : memref<32xf32, #gpu.address_space<workgroup>>) kernel {
    %c0 = arith.constant 0 : index
    %t = gpu.thread_id x
    %bytes = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %open = memref.view %bytes[%c0][] : memref<?xi8, #gpu.address_space<workgroup>>
        to memref<64xf32, #gpu.address_space<workgroup>>
    %one = arith.constant 1.0 : f32
    memref.store %one, %fixed[%t] : memref<32xf32, #gpu.address_space<workgroup>>
    memref.store %one, %open[%t] : memref<64xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    %0 = memref.load %fixed[%c0] : memref<32xf32, #gpu.address_space<workgroup>>
    %1 = memref.load %open[%c0] : memref<64xf32, #gpu.address_space<workgroup>>
    %2 = arith.addf %0, %1 : f32
    memref.store %2, %y[] : memref<f32>
    gpu.return
  }
})";

class KernelCodeTest : public testing::Test {
protected:
  KernelCodeTest() {
    DialectRegistry registry;
    registerKernelDialects(registry);
    registry.insert<arith::ArithDialect, func::FuncDialect, math::MathDialect,
                    memref::MemRefDialect, scf::SCFDialect, vector::VectorDialect>();
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The PTX of the kernels in `text`.
  std::string compile(const char *text, StringRef arch) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    PassManager passes(&context);
    buildKernelCodeStage(passes);
    if (!module || failed(passes.run(*module)))
      return "error: no code";
    llvm::Expected<std::string> ptx =
        emitPtx(*module->getOps<gpu::GPUModuleOp>().begin(), *GpuTarget::forArch(arch));
    return ptx ? *ptx : "error: " + llvm::toString(ptx.takeError());
  }

  MLIRContext context;
};

TEST(SharedMemory, isWhatAllHaveThatRunTheCode) {
  auto most = [](const char *arch) { return mostSharedBytes(*GpuTarget::forArch(arch)); };
  EXPECT_EQ(most("sm_80"), 99 << 10);
  EXPECT_EQ(most("sm_90"), 99 << 10);
  EXPECT_EQ(most("sm_90a"), 227 << 10);
  EXPECT_EQ(most("sm_120a"), 99 << 10);
}

TEST_F(KernelCodeTest, NamesTheKernelAndTheGpu) {
  std::string ptx = compile(kMath, "sm_90a");
  EXPECT_THAT(ptx, HasSubstr(".target sm_90a"));
  EXPECT_THAT(ptx, HasSubstr(".visible .entry math("));
  EXPECT_THAT(ptx, HasSubstr(".maxntid 256"));
}

/// The same bits as on the CPU: products and sums are rounded one by one, and no library is called.
TEST_F(KernelCodeTest, RoundsAsTheCpuDoes) {
  std::string ptx = compile(kMath, "sm_80");
  EXPECT_THAT(ptx, Not(HasSubstr("__nv_")));
  EXPECT_THAT(ptx, Not(HasSubstr("call")));
  EXPECT_THAT(ptx, Not(HasSubstr("mul.f32")));
  EXPECT_THAT(ptx, Not(HasSubstr("add.f32")));
  EXPECT_THAT(ptx, Not(HasSubstr(".approx")));
  EXPECT_THAT(ptx, Not(HasSubstr(".ftz")));
  EXPECT_THAT(ptx, HasSubstr("fma.rn.f32"));
  EXPECT_THAT(ptx, HasSubstr("sqrt.rn.f32"));
  EXPECT_THAT(ptx, HasSubstr("div.rn.f32"));
  EXPECT_THAT(ptx, HasSubstr("max.NaN.f32"));
}

TEST_F(KernelCodeTest, PutsSharedMemoryOfOpenSizeBehindTheRest) {
  std::string ptx = compile(kShared, "sm_80");
  EXPECT_THAT(ptx, HasSubstr(".extern .shared .align 1024"));
}

TEST_F(KernelCodeTest, VectorsStayWhole) {
  std::string ptx = compile(kSoftmax, "sm_80");
  EXPECT_THAT(ptx, HasSubstr("ld.global.v4"));
  EXPECT_THAT(ptx, HasSubstr("st.global.v4"));
  EXPECT_THAT(ptx, HasSubstr("shfl.sync.bfly.b32"));
}

/// A gate for each architecture that there are kernels for.
class PtxasTest : public KernelCodeTest, public testing::WithParamInterface<const char *> {
protected:
  void SetUp() override {
    ptxas = Ptxas::find();
    if (!ptxas)
      GTEST_SKIP() << "no ptxas in PATH, CUDA_HOME or /usr/local/cuda";
  }
  AssembledKernels assemble(const char *text) {
    llvm::Expected<AssembledKernels> result =
        ptxas->assemble(compile(text, GetParam()), *GpuTarget::forArch(GetParam()));
    if (result)
      return *result;
    ADD_FAILURE() << llvm::toString(result.takeError());
    return {};
  }
  std::optional<Ptxas> ptxas;
};

TEST_P(PtxasTest, TakesFewRegisters) {
  for (auto [text, name, most] :
       {std::tuple(kMath, "math", 48u), std::tuple(kSoftmax, "softmax", 32u),
        std::tuple(kShared, "shared", 16u)}) {
    AssembledKernels code = assemble(text);
    ASSERT_EQ(code.kernels.size(), 1u);
    EXPECT_EQ(code.kernels[0].name, name);
    EXPECT_GT(code.kernels[0].registers, 0u);
    EXPECT_LE(code.kernels[0].registers, most) << name;
    EXPECT_EQ(code.kernels[0].spillStores + code.kernels[0].spillLoads, 0u) << name;
    EXPECT_THAT(code.warnings, IsEmpty());
    EXPECT_EQ(code.cubin.substr(1, 3), "ELF");
  }
}

TEST_P(PtxasTest, CountsSharedMemory) {
  AssembledKernels code = assemble(kSoftmax);
  ASSERT_EQ(code.kernels.size(), 1u);
  EXPECT_GE(code.kernels[0].sharedBytes, 64u);
  EXPECT_EQ(code.kernels[0].barriers, 1u);
}

INSTANTIATE_TEST_SUITE_P(Architectures, PtxasTest, testing::Values("sm_80", "sm_90a", "sm_100a"));

/// A kernel that spills because two blocks are to be on a multiprocessor goes alone; one that does not stays.
TEST_F(KernelCodeTest, GivesRegistersToWhatSpills) {
  std::string ptx =
      ".entry first(\n)\n.maxntid 256\n.minnctapersm 2\n{\n}\n"
      ".entry second(\n)\n.maxntid 256\n.minnctapersm 2\n{\n}\n"
      ".entry third(\n)\n.maxntid 256\n{\n}\n.entry fourth(\n)\n.minnctapersm 2\n{\n}\n";
  std::vector<KernelResources> kernels(4);
  const char *names[] = {"first", "second", "third", "fourth"};
  for (auto [kernel, name] : llvm::zip(kernels, names))
    kernel.name = name;
  EXPECT_FALSE(giveRegisters(ptx, kernels));
  kernels[1].spillStores = kernels[2].spillLoads = 8;
  EXPECT_TRUE(giveRegisters(ptx, kernels));
  EXPECT_EQ(ptx,
            ".entry first(\n)\n.maxntid 256\n.minnctapersm 2\n{\n}\n"
            ".entry second(\n)\n.maxntid 256\n\n{\n}\n"
            ".entry third(\n)\n.maxntid 256\n{\n}\n.entry fourth(\n)\n.minnctapersm 2\n{\n}\n");
  EXPECT_FALSE(giveRegisters(ptx, kernels));
}

TEST_F(KernelCodeTest, TellsWhatPtxasSays) {
  std::optional<Ptxas> ptxas = Ptxas::find();
  if (!ptxas)
    GTEST_SKIP() << "no ptxas in PATH, CUDA_HOME or /usr/local/cuda";
  llvm::Expected<AssembledKernels> result =
      ptxas->assemble(".version 7.0\n.target sm_80\nnonsense", *GpuTarget::forArch("sm_80"));
  ASSERT_FALSE(bool(result));
  EXPECT_THAT(llvm::toString(result.takeError()), HasSubstr("line 3"));
}

TEST_F(KernelCodeTest, FindsNoPtxasWhereTheEnvironmentSaysSo) {
  setenv("NNC_PTXAS", "", 1);
  EXPECT_FALSE(Ptxas::find());
  setenv("NNC_PTXAS", "/nowhere/ptxas", 1);
  std::optional<Ptxas> ptxas = Ptxas::find();
  unsetenv("NNC_PTXAS");
  ASSERT_TRUE(bool(ptxas));
  llvm::Expected<AssembledKernels> result = ptxas->assemble("", *GpuTarget::forArch("sm_80"));
  ASSERT_FALSE(bool(result));
  EXPECT_THAT(llvm::toString(result.takeError()), HasSubstr("/nowhere/ptxas"));
}

} // namespace
} // namespace nnc
