//===- MatrixPermission.cpp - Whether the system lets a process use tiles -===//
//
// Linux saves the registers of AMX, 8 KiB a thread, only for processes that asked: arch_prctl, which the C
// library has no function for. The answer holds for all threads, so that it does not matter if several ask at once.
//
//===----------------------------------------------------------------------===//
#include "MatrixPermission.h"

using namespace mlir;

namespace nnc {

constexpr StringLiteral kFunction = "nnc.matrix_permission", kAnswer = "nnc.matrix_answer";
/// asm/unistd_64.h, asm/prctl.h, and the number of the component in the state that XSAVE writes.
constexpr int64_t kArchPrctl = 158, kRequestPermission = 0x1023, kTileData = 18;
/// Nobody asked yet.
constexpr int32_t kUnknown = 0, kGranted = 1, kRefused = 2;

LLVM::LLVMFuncOp matrixPermission(ModuleOp module) {
  if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(kFunction))
    return known;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = module.getLoc();
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  auto systemCall = module.lookupSymbol<LLVM::LLVMFuncOp>("syscall");
  if (!systemCall)
    systemCall = LLVM::LLVMFuncOp::create(
        b, loc, "syscall", LLVM::LLVMFunctionType::get(i64, {i64}, /*isVarArg=*/true));
  auto answer = LLVM::GlobalOp::create(b, loc, i32, /*isConstant=*/false, LLVM::Linkage::Internal,
                                       kAnswer, b.getI32IntegerAttr(kUnknown));
  auto function = LLVM::LLVMFuncOp::create(
      b, loc, kFunction, LLVM::LLVMFunctionType::get(b.getI1Type(), {}), LLVM::Linkage::Internal);
  Block *start = function.addEntryBlock(b);
  Block *ask = b.createBlock(&function.getBody());
  Block *finish = b.createBlock(&function.getBody(), {}, i32, loc);
  auto number = [&](Type type, int64_t value) {
    return LLVM::ConstantOp::create(b, loc, type, value).getResult();
  };

  b.setInsertionPointToStart(start);
  Value place = LLVM::AddressOfOp::create(b, loc, answer);
  auto known = LLVM::LoadOp::create(b, loc, i32, place, /*alignment=*/4);
  known.setOrdering(LLVM::AtomicOrdering::monotonic);
  Value isUnknown =
      LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, known, number(i32, kUnknown));
  LLVM::CondBrOp::create(b, loc, isUnknown, ask, ValueRange(), finish, ValueRange(known));

  b.setInsertionPointToStart(ask);
  auto call = LLVM::CallOp::create(
      b, loc, systemCall,
      ValueRange{number(i64, kArchPrctl), number(i64, kRequestPermission), number(i64, kTileData)});
  Value isGranted =
      LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, call.getResult(), number(i64, 0));
  Value found =
      LLVM::SelectOp::create(b, loc, isGranted, number(i32, kGranted), number(i32, kRefused));
  auto store = LLVM::StoreOp::create(b, loc, found, place, /*alignment=*/4);
  store.setOrdering(LLVM::AtomicOrdering::monotonic);
  LLVM::BrOp::create(b, loc, found, finish);

  b.setInsertionPointToStart(finish);
  LLVM::ReturnOp::create(b, loc,
                         LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq,
                                              finish->getArgument(0), number(i32, kGranted)));
  return function;
}

} // namespace nnc
