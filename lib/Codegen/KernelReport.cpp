//===- KernelReport.cpp - What each kernel does ---------------------------===//
//
// Counts: a FLOP is one addition, multiplication, division, extremum or mathematical function on
// floating-point numbers, or an addition or multiplication in a product of integers, and a fused
// multiply-add two. Bytes are those of the buffers that a kernel touches, each once, as if what it
// reads again came out of the nearest cache.
//
// Slots are the time that the vector unit needs, an FMA being one. In the time of an FMA a processor also
// loads a vector or two numbers that lie apart, stores half a vector, compares or selects twice, and does
// all of it twice with half a vector; what needs the result of an addition waits four. A matrix unit does
// sixteen FMAs. These are the round numbers of today's cores, and rather too good than too bad.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/KernelReport.h"

#include "CPU/KernelBody.h"
#include "CPU/KernelParts.h"
#include "ConcreteSizes.h"
#include "KernelFills.h"
#include "KernelOrder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {
namespace {

/// Slots between an addition and one that needs its result.
constexpr double kLatency = 4;
/// Slots in which the matrix unit multiplies a row of pairs by a vector of them, two FMAs.
constexpr double kMatrixPair = 0.125;

bool isFloat(Operation &op) {
  return op.getNumResults() == 1 && isa<FloatType>(getElementTypeOrSelf(op.getResult(0).getType()));
}

int64_t flopsOf(Operation &op) {
  if (!isFloat(op))
    return 0;
  if (isa<math::FmaOp>(op))
    return 2;
  if (isa<math::AbsFOp, math::CopySignOp>(op))
    return 0;
  return isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::RemFOp,
             arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp>(op) ||
         isa<math::MathDialect>(op.getDialect());
}

/// Slots of one vector operation. What is longer than one is the length of the polynomial, or what
/// the divider of a processor takes.
double slotsOf(Operation &op) {
  return llvm::TypeSwitch<Operation *, double>(&op)
      .Case<arith::DivFOp, math::SqrtOp, math::RsqrtOp>([](auto) { return 5; })
      .Case<arith::RemFOp, arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(
          [](auto) { return 20; })
      .Case<math::ExpOp, math::Exp2Op>([](auto) { return 14; })
      .Case<math::LogOp, math::ExpM1Op, math::Log1pOp, math::TanhOp, math::ErfOp>(
          [](auto) { return 24; })
      .Case<math::SinOp, math::CosOp, math::PowFOp>([](auto) { return 50; })
      .Case<arith::MulFOp>([](arith::MulFOp mul) {
        bool fuses = mul->hasOneUse() && isa<arith::AddFOp, arith::SubFOp>(*mul->user_begin());
        return fuses ? 0 : 1;
      })
      .Case<arith::ConstantOp, arith::IndexCastOp, arith::IndexCastUIOp, linalg::IndexOp>(
          [](auto) { return 0; })
      .Case<arith::CmpFOp, arith::CmpIOp, arith::SelectOp, arith::AndIOp, arith::OrIOp,
            arith::ExtUIOp, arith::ExtSIOp, arith::TruncIOp, arith::NegFOp, math::AbsFOp>(
          [](auto) { return 0.5; })
      .Default([](Operation *) { return 1; });
}

StringRef shortName(Operation &op) {
  StringRef name = op.getName().stripDialect();
  if (isa<arith::ArithDialect>(op.getDialect()) && name.size() > 3 && name.back() == 'f')
    name = name.drop_back();
  return name;
}

class Reporter {
public:
  Reporter(linalg::LinalgOp linalgOp, const ConcreteSizes &known, const TargetDescription &host,
           int64_t partGrain)
      : op(linalgOp), sizes(known), target(host), grain(partGrain) {}

  KernelReport report(int64_t number);

private:
  void describeLoops();
  bool areUnread(OpOperand &operand);
  void describeOperands();
  void describeOperations(linalg::GenericOp generic);
  int64_t countResults();
  void describePlan(linalg::GenericOp generic);
  double slotsOfVector(linalg::GenericOp generic, const KernelPlan &plan);
  std::string kindOf(linalg::GenericOp generic);
  bool isContraction(linalg::GenericOp generic);
  int64_t countRuns();

  linalg::LinalgOp op;
  const ConcreteSizes &sizes;
  const TargetDescription &target;
  int64_t grain;
  KernelReport result{0, op->getLoc(), {}, {}, {}, {}, {}};
};

void Reporter::describeLoops() {
  SmallVector<int64_t> known = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) {
    std::optional<int64_t> size;
    if (!ShapedType::isDynamic(known[dim]))
      size = known[dim];
    for (OpOperand &operand : op->getOpOperands()) {
      AffineMap map = op.getMatchingIndexingMap(&operand);
      std::optional<unsigned> place =
          map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
      if (!size && place)
        size = sizes.extentOf(operand.get(), *place);
    }
    result.isExact &= size.has_value();
    result.loops.push_back({size.value_or(1), kinds[dim] == utils::IteratorType::reduction});
    result.iterations *= size.value_or(1);
  }
}

/// Whether `operand` is for sums that are never stored.
bool Reporter::areUnread(OpOperand &operand) {
  auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
  return generic && generic.isDpsInit(&operand) &&
         areSumsUnread(generic, operand.getOperandNumber() - generic.getNumDpsInputs());
}

void Reporter::describeOperands() {
  llvm::SmallPtrSet<void *, 8> inputs;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()) || areUnread(operand))
      continue;
    if (!op.isDpsInit(&operand) && !inputs.insert(operand.get().getAsOpaquePointer()).second)
      continue;
    KernelOperand described;
    described.isWritten = op.isDpsInit(&operand);
    described.isRead =
        op.payloadUsesValueFromOperand(&operand) && !(described.isWritten && findFill(op, operand));
    if (!described.isRead && !described.isWritten)
      continue; // It is there for its sizes alone.
    described.name = nameOfBuffer(operand.get());
    described.type = sizes.typeOf(operand.get());
    described.isTemporary = operand.get().getDefiningOp() != nullptr;
    described.bytes =
        sizes.elementsOf(operand.get(), result.isExact) * elementBytes(operand.get().getType());
    result.bytesRead += described.isRead ? described.bytes : 0;
    result.bytesWritten += described.isWritten ? described.bytes : 0;
    result.operands.push_back(std::move(described));
  }
}

void Reporter::describeOperations(linalg::GenericOp generic) {
  bool isProduct = isContraction(generic);
  auto describe = [&](Operation *inner, int64_t times) {
    int64_t flops = flopsOf(*inner);
    if (isProduct && isa<arith::AddIOp, arith::MulIOp>(inner))
      flops = 1;
    result.flops += flops * times;
    result.work.push_back({inner->getLoc(), flops * times});
    std::string name = shortName(*inner).str();
    bool isPlain = isa<arith::ConstantOp, arith::IndexCastOp, linalg::IndexOp>(inner);
    if (!isPlain && !llvm::is_contained(result.operations, name))
      result.operations.push_back(name);
  };
  for (Operation *inner : repeatedBody(generic))
    describe(inner, result.iterations);
  for (Operation *inner : epilogueBody(generic))
    describe(inner, countResults());
}

/// The iterations of the loops that do not reduce.
int64_t Reporter::countResults() {
  int64_t count = 1;
  for (const KernelLoop &loop : result.loops)
    count *= loop.isReduction ? 1 : loop.size;
  return count;
}

/// Whether it adds up products of what it reads from different places.
bool Reporter::isContraction(linalg::GenericOp generic) {
  Operation *combiner = findCombiner(generic, 0);
  if (!isa_and_present<arith::AddFOp, arith::AddIOp>(combiner))
    return false;
  bool multiplies = llvm::any_of(repeatedBody(generic), [](Operation *inner) {
    return isa<arith::MulFOp, arith::MulIOp>(inner) && inner->getOperand(0) != inner->getOperand(1);
  });
  llvm::SmallPtrSet<Attribute, 4> places;
  for (OpOperand *input : repeatedInputs(generic))
    if (generic.payloadUsesValueFromOperand(input))
      places.insert(AffineMapAttr::get(generic.getMatchingIndexingMap(input)));
  return multiplies && places.size() > 1;
}

std::string Reporter::kindOf(linalg::GenericOp generic) {
  if (isa<linalg::FillOp>(op.getOperation()))
    return "fill";
  bool gathers = llvm::any_of(*generic.getBody(), [](Operation &inner) {
    return isa<memref::LoadOp>(inner) || inner.getNumRegions() != 0;
  });
  if (gathers)
    return "gather";
  if (generic.getNumReductionLoops() != 0)
    return isContraction(generic) ? "contraction" : "reduction";
  return result.operations.empty() ? "copy" : "elementwise";
}

/// Slots that one vector of the innermost loop takes.
double Reporter::slotsOfVector(linalg::GenericOp generic, const KernelPlan &plan) {
  if (plan.matrix)
    return kMatrixPair;
  double arithmetic = 0, loads = 0, stores = 0;
  for (Operation *inner : repeatedBody(generic))
    arithmetic += slotsOf(*inner);
  SmallVector<OpOperand *> repeated = repeatedInputs(generic);
  for (OpOperand &operand : generic->getOpOperands()) {
    AffineMap map = generic.getMatchingIndexingMap(&operand);
    bool reduces = generic.getNumReductionLoops() != 0;
    if (generic.isDpsInit(&operand)) {
      stores += reduces ? 0 : 1; // Accumulators stay in registers.
      continue;
    }
    if (!generic.payloadUsesValueFromOperand(&operand) || !llvm::is_contained(repeated, &operand))
      continue;
    Access access = plan.vectorDim ? classifyAccess(map, operand.get().getType(), *plan.vectorDim)
                                   : Access::Uniform;
    // What is turned in registers is loaded as vectors, and shuffled as often.
    double cost = access != Access::Strided ? 1
                  : plan.turnsInputs        ? 2
                                            : std::max(1.0, plan.lanes / 2.0);
    if (access == Access::Uniform) // A number in all lanes.
      cost /= 2.0 * plan.columns;
    if (plan.rowDim && !map.isFunctionOfDim(*plan.rowDim))
      cost /= plan.rows;
    if (plan.blockDim && !map.isFunctionOfDim(*plan.blockDim))
      cost /= plan.blocks;
    loads += cost;
  }
  double waits = generic.getNumReductionLoops() == 0
                     ? 0
                     : kLatency / (plan.rows * plan.blocks * plan.columns * plan.chains);
  bool isNarrow = 2 * plan.lanes * result.elementBits <= 8 * target.vectorBytes;
  double work = std::max({arithmetic, loads, 2 * stores}) * (isNarrow ? 0.5 : 1);
  return std::max(work, waits);
}

void Reporter::describePlan(linalg::GenericOp generic) {
  KernelPlan plan = planKernel(generic, target);
  result.rows = plan.rows * plan.blocks;
  result.columns = plan.columns;
  result.lanes = plan.lanes;
  result.chains = plan.chains;
  result.reducesLanes = plan.reducesLanes;
  result.turnsInputs = plan.turnsInputs;
  result.usesMatrixUnit = plan.matrix.has_value();
  SmallVector<int64_t> extents;
  for (const KernelLoop &loop : result.loops)
    extents.push_back(loop.size);
  result.parts = countParts(generic.getContext(), plan, extents, grain);
  double slots = slotsOfVector(generic, plan) * double(result.iterations);
  for (Operation *inner : epilogueBody(generic))
    slots += slotsOf(*inner) * double(countResults());
  result.slots = slots / plan.lanes;
}

/// How often the loops around it run their body in one call of the function.
int64_t Reporter::countRuns() {
  int64_t runs = 1;
  for (Operation *parent = op->getParentOp(); parent; parent = parent->getParentOp()) {
    auto loop = dyn_cast<scf::ForOp>(parent);
    if (!loop)
      continue;
    std::optional<int64_t> lower = sizes.valueOf(loop.getLowerBound()),
                           upper = sizes.valueOf(loop.getUpperBound()),
                           step = sizes.valueOf(loop.getStep());
    if (lower && upper && step && *step > 0)
      runs *= std::max<int64_t>(0, (*upper - *lower + *step - 1) / *step);
    else
      result.isExact = false;
  }
  return runs;
}

KernelReport Reporter::report(int64_t number) {
  result.number = number;
  result.runs = countRuns();
  describeLoops();
  describeOperands();
  auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
  if (generic)
    describeOperations(generic);
  result.kind = kindOf(generic);
  for (OpOperand &operand : op->getOpOperands()) {
    Type type = getElementTypeOrSelf(operand.get().getType());
    result.elementBits =
        std::max(result.elementBits, type.isIndex() ? 64u : type.getIntOrFloatBitWidth());
  }
  if (generic) {
    describePlan(generic);
  } else { // A fill stores vectors.
    result.lanes = target.lanes(result.elementBits);
    result.slots = 2 * double(result.iterations) / result.lanes;
  }
  return result;
}

} // namespace

std::vector<KernelReport> reportKernels(func::FuncOp function, const CodegenOptions &options,
                                        const SizeValues &values, int64_t first) {
  std::optional<TargetDescription> target = TargetDescription::forCpu(options.cpu);
  ConcreteSizes sizes(function, values);
  std::vector<KernelReport> reports;
  for (linalg::LinalgOp op : kernelsIn(function))
    reports.push_back(
        Reporter(op, sizes, *target, options.grain).report(first + int64_t(reports.size())));
  return reports;
}

} // namespace nnc
