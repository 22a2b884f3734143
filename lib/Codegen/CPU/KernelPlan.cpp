//===- KernelPlan.cpp - How one operation's loops run ---------------------===//
//
// Chooses the vector dimension by how the operands lie in memory, then the tile by how many
// registers the target has. Nothing here writes code.
//
//===----------------------------------------------------------------------===//
#include "KernelPlan.h"

#include "../KernelCost.h"
#include "KernelBody.h"
#include "WordProduct.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {

std::optional<int64_t> findStep(AffineMap map, Type type, unsigned dim) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || !map.isFunctionOfDim(dim))
    return 0;
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(memref.getStridesAndOffset(strides, offset)))
    return std::nullopt;
  MLIRContext *context = map.getContext();
  AffineExpr here = getAffineDimExpr(dim, context);
  int64_t step = 0;
  for (auto [expr, stride] : llvm::zip(map.getResults(), strides)) {
    if (!expr.isFunctionOfDim(dim))
      continue;
    AffineExpr moved = expr.replace(here, here + 1) - expr;
    auto constant = dyn_cast<AffineConstantExpr>(
        simplifyAffineExpr(moved, map.getNumDims(), map.getNumSymbols()));
    if (!constant || ShapedType::isDynamic(stride))
      return std::nullopt;
    step += constant.getValue() * stride;
  }
  return step;
}

Access classifyAccess(AffineMap map, Type type, unsigned dim) {
  if (!isa<MemRefType>(type) || !map.isFunctionOfDim(dim))
    return Access::Uniform;
  return findStep(map, type, dim) == 1 ? Access::Contiguous : Access::Strided;
}

std::optional<LanePattern> findPattern(AffineMap map, Type type, unsigned dim, unsigned lanes) {
  constexpr int64_t kMostStep = 4;
  SmallVector<unsigned> moving;
  for (auto [axis, expr] : llvm::enumerate(map.getResults()))
    if (expr.isFunctionOfDim(dim))
      moving.push_back(axis);
  auto memref = dyn_cast<MemRefType>(type);
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!memref || moving.size() != 1 || failed(memref.getStridesAndOffset(strides, offset)) ||
      strides.back() != 1)
    return std::nullopt;
  // The rows of a matrix of few columns are one row: what lies between two of them is loaded anyway.
  LanePattern pattern{unsigned(strides.size() - 1)};
  std::optional<int64_t> step = findStep(map, type, dim);
  if (step && *step >= 2 && *step <= kMostStep && (*step == 2 || 2 * *step <= lanes)) {
    pattern.step = *step;
    return pattern;
  }
  if (pattern.axis != moving.front())
    return std::nullopt;
  auto quotient = dyn_cast<AffineBinaryOpExpr>(map.getResult(moving.front()));
  if (!quotient || quotient.getKind() != AffineExprKind::FloorDiv ||
      quotient.getLHS() != getAffineDimExpr(dim, map.getContext()))
    return std::nullopt;
  auto divisor = dyn_cast<AffineConstantExpr>(quotient.getRHS());
  // Vectors start at multiples of their length.
  if (!divisor || divisor.getValue() >= lanes || lanes % divisor.getValue() != 0)
    return std::nullopt;
  pattern.repeat = divisor.getValue();
  return pattern;
}

bool isReused(linalg::GenericOp op, AffineMap map, unsigned vectorDim) {
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (dim != vectorDim && sizes[dim] != 1 && !map.isFunctionOfDim(dim) &&
        op.getIteratorTypesArray()[dim] == utils::IteratorType::parallel)
      return true;
  return false;
}

Operation *findCombiner(linalg::GenericOp op, unsigned index) {
  BlockArgument old = op.getRegionOutputArgs()[index];
  Operation *yield = op.getBody()->getTerminator();
  Operation *combiner = yield->getOperand(index).getDefiningOp();
  if (!combiner || !old.hasOneUse() || *old.user_begin() != combiner ||
      combiner->getNumOperands() != 2 || !arith::getNeutralElement(combiner))
    return nullptr;
  // Nothing else may look at partial results.
  SmallVector<Operation *> atEnd = epilogueBody(op);
  bool isSeen = llvm::any_of(combiner->getUses(), [&](OpOperand &use) {
    return use.getOwner() == yield
               ? use.getOperandNumber() != index && !isEpilogue(op, use.getOperandNumber())
               : !llvm::is_contained(atEnd, use.getOwner());
  });
  return isSeen ? nullptr : combiner;
}

bool wantsOtherSigns(IntegerProducts instruction, ShortKind left, ShortKind right) {
  return (instruction == IntegerProducts::MixedBytes && left == right) ||
         (instruction == IntegerProducts::LikeBytes && left != right);
}

int64_t wordsPerStep(int64_t count) {
  int64_t words = std::min(kMatrixWords, count);
  while (count % words != 0)
    --words;
  return words;
}

namespace {

class Planner {
public:
  Planner(linalg::GenericOp generic, const TargetDescription &description)
      : op(generic), target(description), sizes(op.getStaticLoopRanges()) {}

  KernelPlan plan();

private:
  bool isReduction(unsigned dim) {
    return op.getIteratorTypesArray()[dim] == utils::IteratorType::reduction;
  }
  Access access(OpOperand &operand, unsigned dim) {
    return classifyAccess(op.getMatchingIndexingMap(&operand), operand.get().getType(), dim);
  }
  bool hasVectorBody();
  unsigned elementBits();
  bool masksRest();
  unsigned lanesOf(unsigned dim);
  std::optional<unsigned> loadCost(unsigned dim);
  std::optional<unsigned> chooseVectorDim();
  std::optional<unsigned> fullerReduction(unsigned dim);
  std::optional<unsigned> chooseRowDim(unsigned vectorDim);
  unsigned bodyCost();
  unsigned mostRows(unsigned vectorDim, unsigned rowDim);
  unsigned sharedSteps(unsigned vectorDim, unsigned rowDim, Access along);
  void chooseSlidingTile(KernelPlan &plan, unsigned steps);
  void chooseTile(KernelPlan &plan);
  void chooseBlocks(KernelPlan &plan, unsigned budget);
  void chooseLaneRows(KernelPlan &plan, unsigned most, unsigned budget);
  void chooseTurning(KernelPlan &plan);
  bool chooseMatrix(KernelPlan &plan);
  void chooseWords(KernelPlan &plan);
  double inputBytes(function_ref<double(unsigned)> extent);
  void chooseOuterReductions(KernelPlan &plan);
  void takeGivenTile(KernelPlan &plan);
  std::pair<unsigned, unsigned> findRowLoop(const KernelPlan &plan);
  int64_t countNearRows(const KernelPlan &plan, unsigned rowLoop, unsigned unit);
  void chooseParts(KernelPlan &plan);

  linalg::GenericOp op;
  const TargetDescription &target;
  SmallVector<int64_t> sizes;
};

bool Planner::hasVectorBody() {
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (isa<linalg::IndexOp>(inner))
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&inner) && !inner.hasTrait<OpTrait::ConstantLike>())
      return false;
  }
  return true;
}

/// The widest element decides how many lanes there are; bytes do not get more lanes than floats.
unsigned Planner::elementBits() {
  unsigned bits = 32;
  for (OpOperand &operand : op->getOpOperands()) {
    Type type = getElementTypeOrSelf(operand.get().getType());
    bits = std::max(bits, type.isIndex() ? 64u : type.getIntOrFloatBitWidth());
  }
  return bits;
}

/// Whether what is left of a row can be loaded and stored in one go.
bool Planner::masksRest() {
  return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    return !type || target.canMask(type.getElementType());
  });
}

unsigned Planner::lanesOf(unsigned dim) {
  unsigned lanes = target.lanes(elementBits());
  if (ShapedType::isDynamic(sizes[dim]))
    return lanes;
  unsigned most =
      masksRest() ? llvm::PowerOf2Ceil(sizes[dim]) : llvm::bit_floor(unsigned(sizes[dim]));
  return std::min(lanes, std::max(most, 1u));
}

/// What loading costs if `dim` goes across lanes: 8 for each input that would have to be gathered, 1
/// where a shuffle does; those not counted that are worth packing first. None if it cannot.
std::optional<unsigned> Planner::loadCost(unsigned dim) {
  if (sizes[dim] == 1)
    return std::nullopt;
  for (auto [index, output] : llvm::enumerate(op.getDpsInitsMutable())) {
    if (isReduction(dim) ? !findCombiner(op, index) : access(output, dim) != Access::Contiguous)
      return std::nullopt;
  }
  unsigned cost = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    bool packs = !isReduction(dim) && op.getNumReductionLoops() != 0 &&
                 isReused(op, op.getMatchingIndexingMap(input), dim);
    if (access(*input, dim) != Access::Strided || packs)
      continue;
    bool isShuffled =
        findPattern(op.getMatchingIndexingMap(input), input->get().getType(), dim, lanesOf(dim))
            .has_value();
    cost += isShuffled ? 1 : 8;
  }
  return cost;
}

/// A parallel dimension where nothing is gathered; else a reduction such; else what gathers least.
std::optional<unsigned> Planner::chooseVectorDim() {
  std::optional<unsigned> best;
  auto score = [&](unsigned dim) {
    bool tiny = !ShapedType::isDynamic(sizes[dim]) && sizes[dim] < 4;
    return *loadCost(dim) + tiny * 4 + isReduction(dim) * 2;
  };
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (loadCost(dim) && (!best || score(dim) <= score(*best)))
      best = dim;
  return best && !isReduction(*best) ? fullerReduction(*best).value_or(*best) : best;
}

/// A long sum along which nothing is gathered and whose vectors are so much fuller than those along `dim` that it
/// pays to add up their lanes: that over the pixels of an image, for a gradient of a kernel of few weights.
std::optional<unsigned> Planner::fullerReduction(unsigned dim) {
  constexpr double kFewestTerms = 1024;
  double terms = 1, least = elementCost(op, dim, target);
  for (unsigned loop = 0; loop < sizes.size(); ++loop)
    terms *= isReduction(loop) ? double(typicalSize(sizes[loop])) : 1;
  std::optional<unsigned> best;
  for (unsigned loop = 0; loop < sizes.size(); ++loop) {
    if (!isReduction(loop) || loadCost(loop) != 0 || terms < kFewestTerms)
      continue;
    double cost = elementCost(op, loop, target);
    if (cost < least) {
      best = loop;
      least = cost;
    }
  }
  return best;
}

unsigned Planner::bodyCost() {
  unsigned cost = 0;
  for (Operation *inner : repeatedBody(op))
    cost += isa<math::MathDialect>(inner->getDialect()) ? 16 : 1;
  return cost;
}

/// The parallel dimension whose rows share the most vector loads; of equals one along which an input lies, that
/// of a panel of rows, then one that has enough rows, and the innermost of these.
std::optional<unsigned> Planner::chooseRowDim(unsigned vectorDim) {
  constexpr int64_t kEnoughRows = 8;
  std::optional<unsigned> best;
  int64_t bestScore = 0;
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    if (dim == vectorDim || isReduction(dim) || sizes[dim] == 1)
      continue;
    int64_t shared = 0, isPanel = 0;
    for (OpOperand *input : repeatedInputs(op)) {
      Access along = access(*input, dim);
      if (access(*input, vectorDim) == Access::Contiguous)
        shared += along == Access::Uniform;
      else
        isPanel |= along == Access::Contiguous;
    }
    int64_t rows = ShapedType::isDynamic(sizes[dim]) ? kEnoughRows : sizes[dim];
    isPanel &= 2 * rows >= kEnoughRows;
    int64_t score = (2 * shared + isPanel) * kEnoughRows + std::min(rows, kEnoughRows) - 1;
    if (!best || score >= bestScore) {
      best = dim;
      bestScore = score;
    }
  }
  return best;
}

/// Rows that lie a multiple of 4 KiB apart fall into the same few lines of a first-level cache, which has at
/// least eight of them: no more rows then, or each step of the reduction would evict the others' lines.
unsigned Planner::mostRows(unsigned vectorDim, unsigned rowDim) {
  constexpr int64_t kPeriodBytes = 4096;
  constexpr unsigned kWays = 8;
  for (OpOperand *input : repeatedInputs(op)) {
    Type type = input->get().getType();
    std::optional<int64_t> step = findStep(op.getMatchingIndexingMap(input), type, rowDim);
    Type element = getElementTypeOrSelf(type);
    if (!step || *step == 0 || !element.isIntOrFloat() ||
        access(*input, vectorDim) != Access::Uniform)
      continue;
    int64_t bytes = *step * element.getIntOrFloatBitWidth() / 8;
    if (bytes % kPeriodBytes == 0)
      return kWays;
  }
  return std::numeric_limits<unsigned>::max();
}

/// How many iterations of the innermost reduction are unrolled and read, but the first, what another row reads in
/// another iteration, `along` the vectors: a convolution along its rows. Such values stay in registers.
unsigned Planner::sharedSteps(unsigned vectorDim, unsigned rowDim, Access along) {
  std::optional<unsigned> innermost;
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (isReduction(dim))
      innermost = dim;
  if (!innermost || ShapedType::isDynamic(sizes[*innermost]) || sizes[*innermost] > kUnrollLimit)
    return 0;
  for (OpOperand *input : repeatedInputs(op)) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (access(*input, vectorDim) == along && map.isFunctionOfDim(rowDim) &&
        map.isFunctionOfDim(*innermost))
      for (AffineExpr expr : map.getResults())
        if (expr.isFunctionOfDim(rowDim) && expr.isFunctionOfDim(*innermost))
          return sizes[*innermost] - 1;
  }
  return 0;
}

/// A processor that looks some hundred instructions ahead does not see the next iteration of a body this long while
/// this one waits for its operands.
constexpr unsigned kLongBody = 100;

/// Fewer rows where that leaves no rest, which would be another body of code, as long as the tile hides
/// the latency of its additions.
static unsigned evenRows(unsigned most, int64_t size, unsigned columns) {
  constexpr unsigned kHidesLatency = 10;
  if (ShapedType::isDynamic(size))
    return most;
  for (unsigned rows = most; 2 * rows > most && rows * columns >= kHidesLatency; --rows)
    if (size % rows == 0)
      return rows;
  return most;
}

/// An input that vectors would gather, but that lies along another parallel dimension, is loaded that way,
/// a square tile at a time.
void Planner::chooseTurning(KernelPlan &plan) {
  constexpr int64_t kFewestRows = 4;
  auto hasAtLeast = [&](unsigned dim, int64_t size) {
    return ShapedType::isDynamic(sizes[dim]) || sizes[dim] >= size;
  };
  // Lanes that are not there are masked when they are stored.
  if (plan.lanes == 1 || (!plan.masksRest && !hasAtLeast(*plan.vectorDim, plan.lanes)))
    return;
  for (OpOperand *input : repeatedInputs(op)) {
    if (access(*input, *plan.vectorDim) != Access::Strided)
      continue;
    for (unsigned dim = 0; dim < sizes.size(); ++dim) {
      if (dim == *plan.vectorDim || !hasAtLeast(dim, plan.masksRest ? kFewestRows : plan.lanes) ||
          access(*input, dim) != Access::Contiguous)
        continue;
      plan.rowDim = dim;
      plan.rows = hasAtLeast(dim, plan.lanes) ? plan.lanes : sizes[dim];
      plan.turnsInputs = true;
      return;
    }
  }
}

/// Two tiles by two, if the operation is written for the matrix unit: its rows lie evenly spaced, and whole
/// vectors of words one after the other.
bool Planner::chooseMatrix(KernelPlan &plan) {
  std::optional<WordProduct> product =
      target.hasMatrixUnit && plan.rowDim ? matchWordProduct(op) : std::nullopt;
  if (!product || product->leftKind == ShortKind::Int16 || product->isLeftMoved)
    return false;
  OpOperand *first = product->left.front();
  AffineMap left = op.getMatchingIndexingMap(first),
            right = op.getMatchingIndexingMap(product->right);
  Type leftType = first->get().getType(), rightType = product->right->get().getType();
  int64_t size = sizes[*plan.vectorDim];
  std::optional<int64_t> rowStep = findStep(left, leftType, *plan.rowDim);
  if (ShapedType::isDynamic(size) || !rowStep || *rowStep <= 0 ||
      left.isFunctionOfDim(*plan.vectorDim) || right.isFunctionOfDim(*plan.rowDim))
    return false;
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    if (!isReduction(dim) || ShapedType::isDynamic(sizes[dim]) ||
        findStep(left, leftType, dim) != countInWord(product->leftKind))
      continue;
    std::optional<int64_t> wordStep = findStep(right, rightType, dim);
    if (!wordStep || *wordStep < int64_t(llvm::alignTo(size, kMatrixColumns)))
      continue;
    plan.matrix = {dim, wordsPerStep(sizes[dim])};
    plan.rows = 2 * kMatrixRows;
    plan.columns = size >= 2 * kMatrixColumns ? 2 : 1;
    return true;
  }
  return false;
}

/// Whether there is an instruction for the words that the operation is written in, and vectors as wide as these.
void Planner::chooseWords(KernelPlan &plan) {
  constexpr unsigned kFewestLanes = 4;
  std::optional<WordProduct> product = matchWordProduct(op);
  if (!product || product->leftKind == ShortKind::BFloat16 || plan.lanes < kFewestLanes)
    return;
  IntegerProducts instruction = target.integerProducts;
  bool isPairs = product->leftKind == ShortKind::Int16;
  if (instruction == IntegerProducts::None || isPairs != (instruction == IntegerProducts::Pairs))
    return;
  bool moves = wantsOtherSigns(instruction, product->leftKind, product->rightKind);
  if (moves && product->isLeftMoved)
    return;
  // The factors of a word lie next to each other.
  OpOperand *left = product->left.front();
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (isReduction(dim) && findStep(op.getMatchingIndexingMap(left), left->get().getType(), dim) ==
                                countInWord(product->leftKind))
      plan.words = {instruction, moves || product->isLeftMoved, moves};
}

void Planner::chooseTile(KernelPlan &plan) {
  std::optional<unsigned> vectorDim = hasVectorBody() ? chooseVectorDim() : std::nullopt;
  if (!vectorDim)
    return;
  plan.vectorDim = vectorDim;
  plan.reducesLanes = isReduction(*vectorDim);
  plan.lanes = lanesOf(*vectorDim);
  int64_t size = sizes[*vectorDim];
  if (op.getNumReductionLoops() == 0)
    return chooseTurning(plan);

  // The accumulators take all registers but a few, less when the body itself needs them.
  chooseWords(plan);
  unsigned outputs = countAccumulators(op);
  unsigned budget = bodyCost() > 8 && !plan.words
                        ? 1
                        : std::max(1u, (target.vectorRegisters - target.freeRegisters) / outputs);
  auto limit = [&](unsigned wanted, unsigned perTile, int64_t extent) {
    wanted = std::max(1u, std::min(wanted, budget / perTile));
    if (!ShapedType::isDynamic(extent))
      wanted = std::min<unsigned>(wanted, std::max<int64_t>(1, extent));
    return wanted;
  };
  int64_t vectors = size;
  if (!ShapedType::isDynamic(size))
    vectors = plan.masksRest && !plan.reducesLanes ? llvm::divideCeilSigned(size, plan.lanes)
                                                   : size / plan.lanes;
  plan.rowDim = chooseRowDim(*vectorDim);
  if (plan.reducesLanes) {
    plan.words.reset();
    if (plan.rowDim)
      chooseLaneRows(plan, limit(4, 1, sizes[*plan.rowDim]), budget);
    if (plan.blockDim)
      return;
    plan.columns = limit(target.vectorRegisters / 8, plan.rows, vectors);
    if (bodyCost() > kLongBody && plan.rows == 1) {
      plan.columns = target.vectorRegisters > 16 ? 3 : 2;
      plan.interleaves = true;
    }
    return;
  }
  if (chooseMatrix(plan)) {
    plan.words.reset();
    return;
  }
  plan.columns = limit(plan.rowDim ? 2 : 4, 1, vectors);
  if (plan.rowDim) {
    unsigned most = std::min(budget / plan.columns, mostRows(*vectorDim, *plan.rowDim));
    if (plan.words && plan.words->takesOff)
      most = std::max(1u, most - 1);
    if (unsigned shared = sharedSteps(*vectorDim, *plan.rowDim, Access::Uniform))
      most = std::min(most, (target.vectorRegisters - plan.columns - shared) / (plan.columns + 1));
    plan.rows =
        evenRows(limit(most, plan.columns, sizes[*plan.rowDim]), sizes[*plan.rowDim], plan.columns);
    if (unsigned shared = sharedSteps(*vectorDim, *plan.rowDim, Access::Contiguous))
      chooseSlidingTile(plan, shared + 1);
  }
  bool canSplit = true;
  for (unsigned index = 0; index < outputs; ++index)
    canSplit &= findCombiner(op, index) != nullptr;
  if (canSplit)
    plan.chains = limit(llvm::divideCeil(8, plan.rows * plan.columns), plan.rows * plan.columns,
                        ShapedType::kDynamic);
  if (plan.chains > 1 && plan.rowDim && !plan.slides && !plan.words)
    chooseBlocks(plan, budget);
}

/// As few blocks of rows as hide latency, along the innermost dimension that leaves no rest and where they share an
/// input: instead of chains, which share none.
void Planner::chooseBlocks(KernelPlan &plan, unsigned budget) {
  constexpr unsigned kHidesLatency = 8;
  unsigned accumulators = plan.rows * plan.columns;
  for (unsigned dim = sizes.size(); dim-- > 0;) {
    bool isShared = llvm::any_of(repeatedInputs(op), [&](OpOperand *input) {
      return !op.getMatchingIndexingMap(input).isFunctionOfDim(dim);
    });
    if (isReduction(dim) || dim == plan.vectorDim || dim == plan.rowDim || !isShared ||
        ShapedType::isDynamic(sizes[dim]))
      continue;
    for (unsigned count = 2; count * accumulators <= budget && count <= sizes[dim]; ++count)
      if (sizes[dim] % count == 0 && count * accumulators >= kHidesLatency) {
        plan.blockDim = dim;
        plan.blocks = count;
        plan.chains = 1;
        return;
      }
  }
}

/// At most so many rows, with blocks of them where there are any: each sum of products then shares both its factors
/// with others.
void Planner::chooseLaneRows(KernelPlan &plan, unsigned most, unsigned budget) {
  for (plan.rows = most; plan.rows > 1; --plan.rows) {
    chooseBlocks(plan, budget);
    if (!plan.blockDim)
      continue;
    plan.rows = evenRows(plan.rows, sizes[*plan.rowDim], plan.blocks);
    return;
  }
  plan.rows = most;
}

/// Rows go by one after the other, each with all steps of a window: beside the sums there are registers for the
/// vectors of one window, and for as many that all rows share.
void Planner::chooseSlidingTile(KernelPlan &plan, unsigned steps) {
  constexpr unsigned kFewestRows = 4;
  auto mostRows = [&](unsigned columns) {
    unsigned taken = 2 * steps * columns;
    return target.vectorRegisters > taken ? (target.vectorRegisters - taken) / columns : 0;
  };
  while (plan.columns > 1 && mostRows(plan.columns) < kFewestRows)
    --plan.columns;
  int64_t most = mostRows(plan.columns), size = sizes[*plan.rowDim];
  if (most == 0 || countAccumulators(op) != 1)
    return;
  if (!ShapedType::isDynamic(size))
    most = std::min(most, size);
  plan.rows = evenRows(most, size, plan.columns);
  plan.slides = true;
}

/// The memory that the inputs take if the loops run as long as `extent` says.
double Planner::inputBytes(function_ref<double(unsigned)> extent) {
  double bytes = 0;
  for (OpOperand *input : repeatedInputs(op)) {
    double count = getElementTypeOrSelf(input->get().getType()).isInteger(8) ? 1 : 4;
    for (unsigned dim = 0; dim < sizes.size(); ++dim)
      if (op.getMatchingIndexingMap(input).isFunctionOfDim(dim))
        count *= extent(dim);
    bytes += count;
  }
  return bytes;
}

/// Each tile goes through all that is reduced. Where that is more than a second-level cache holds, the next
/// tile would fetch all of it again from farther away.
void Planner::chooseOuterReductions(KernelPlan &plan) {
  const double kNear =
      plan.matrix ? 1 << 20 : std::max<int64_t>(384 << 10, target.secondCacheBytes * 3 / 8);
  if (!plan.vectorDim || plan.reducesLanes)
    return;
  auto sizeOf = [&](unsigned dim) { return double(typicalSize(sizes[dim])); };
  auto inTile = [&](unsigned dim) -> double {
    if (isReduction(dim))
      return llvm::is_contained(plan.outerReductions, dim) ? 1 : sizeOf(dim);
    if (dim == plan.vectorDim)
      return plan.columns * plan.lanes;
    return plan.rowDim == dim ? plan.rows : 1;
  };
  if (inputBytes(inTile) <= kNear)
    return;
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  if (plan.matrix) { // It takes its words in the tile.
    llvm::erase(reductions, plan.matrix->wordDim);
    reductions.push_back(plan.matrix->wordDim);
  }
  for (unsigned dim : reductions) {
    plan.outerReductions.push_back(dim);
    double bytes = inputBytes(inTile);
    if (bytes > kNear / 2)
      continue;
    // As many at once as fit, all blocks alike.
    double blocks = std::ceil(sizeOf(dim) / std::floor(kNear / 2 / bytes));
    plan.reductionBlock = std::ceil(sizeOf(dim) / blocks);
    if (plan.matrix && plan.matrix->wordDim == dim)
      plan.reductionBlock = llvm::alignTo(plan.reductionBlock, plan.matrix->words);
    return;
  }
}

void Planner::takeGivenTile(KernelPlan &plan) {
  auto given = op->getAttrOfType<DenseI64ArrayAttr>(kTileAttr);
  if (!given || given.size() != 3 || !canChooseTile(op, plan))
    return;
  auto within = [&](int64_t count, unsigned dim, int64_t unit) {
    int64_t size = sizes[dim];
    int64_t most = ShapedType::isDynamic(size) ? count : std::max<int64_t>(1, size / unit);
    return unsigned(std::clamp<int64_t>(count, 1, most));
  };
  plan.rows = within(given[0], *plan.rowDim, 1);
  plan.columns = within(given[1], *plan.vectorDim, plan.lanes);
  if (!plan.outerReductions.empty() && given[2] > 0)
    plan.reductionBlock = within(given[2], plan.outerReductions.back(), 1);
}

/// Parts by rows that all threads may share are no fewer.
constexpr int64_t kFewestParts = 8;

/// The loop over tiles of rows, and how many of its iterations a tile takes: that of the rows, or one over
/// panels of as many rows as a tile has.
std::pair<unsigned, unsigned> Planner::findRowLoop(const KernelPlan &plan) {
  if (sizes[*plan.rowDim] == plan.rows)
    for (OpOperand *input : repeatedInputs(op)) {
      AffineMap map = op.getMatchingIndexingMap(input);
      if (!map.isFunctionOfDim(*plan.rowDim) || map.isFunctionOfDim(*plan.vectorDim) ||
          !map.isProjectedPermutation() || access(*input, *plan.rowDim) != Access::Contiguous)
        continue;
      for (unsigned dim = 0; dim < sizes.size(); ++dim)
        if (map.isFunctionOfDim(dim) && !isReduction(dim) && dim != plan.rowDim)
          return {dim, plan.blockDim == dim ? plan.blocks : 1};
    }
  return {*plan.rowDim, plan.rows};
}

/// How many iterations of the loop over tiles of rows read what a second-level cache holds while the columns go
/// by, each of which reads it again; 0 if that is all of them, or nothing reads it again.
int64_t Planner::countNearRows(const KernelPlan &plan, unsigned rowLoop, unsigned unit) {
  constexpr double kNear = 512 << 10;
  constexpr int64_t kFewestReads = 4;
  int64_t size = sizes[rowLoop];
  if (ShapedType::isDynamic(size))
    return 0;
  auto inBlock = [&](unsigned dim) {
    bool isOuter = llvm::is_contained(plan.outerReductions, dim);
    bool isBlock = isOuter && dim == plan.outerReductions.back();
    return isOuter ? double(isBlock ? plan.reductionBlock : 1) : double(typicalSize(sizes[dim]));
  };
  double bytes = 0, reads = 1;
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (!isReduction(dim) && dim != rowLoop && dim != plan.rowDim)
      reads *= double(typicalSize(sizes[dim]));
  for (OpOperand *input : repeatedInputs(op)) {
    AffineMap map = op.getMatchingIndexingMap(input);
    Type element = getElementTypeOrSelf(input->get().getType());
    if (!map.isFunctionOfDim(rowLoop) || !element.isIntOrFloat())
      continue;
    double count = element.getIntOrFloatBitWidth() / 8.0;
    for (unsigned dim = 0; dim < sizes.size(); ++dim) {
      if (!map.isFunctionOfDim(dim) || dim == rowLoop)
        continue;
      if (!isReduction(dim) && dim != plan.rowDim) // It does not stay while that loop runs.
        return 0;
      count *= inBlock(dim);
    }
    bytes += count;
  }
  if (bytes * double(size) <= 2 * kNear || reads < double(kFewestReads * plan.columns * plan.lanes))
    return 0;
  // The matrix unit is done with a block sooner than its columns come from a far cache.
  int64_t parts = plan.matrix ? kFewestParts / 2 : kFewestParts,
          rows = std::min(int64_t(kNear / bytes), llvm::divideCeilSigned(size, parts));
  // Somewhat more, for parts that go by fours.
  int64_t count = llvm::divideCeilSigned(size, std::max<int64_t>(rows, 1));
  if (count >= kFewestParts)
    rows = llvm::divideCeilSigned(size, llvm::alignDown(count, 4));
  return std::max<int64_t>(llvm::alignDown(rows, unit), unit);
}

/// The outermost loop that has enough units for many threads, else the outermost whose size is
/// known when it runs, else the one with the most units.
void Planner::chooseParts(KernelPlan &plan) {
  constexpr int64_t kEnough = 16, kUnknown = kEnough - 1;
  // In the order of the loops: columns and rows are innermost.
  SmallVector<std::pair<unsigned, unsigned>> units;
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (!isReduction(dim) && plan.vectorDim != dim && plan.rowDim != dim)
      units.push_back({dim, plan.blockDim == dim ? plan.blocks : 1});
  if (plan.vectorDim && !plan.reducesLanes)
    units.push_back({*plan.vectorDim, plan.columns * plan.lanes});
  if (plan.rowDim)
    units.push_back({*plan.rowDim, plan.rows});
  // Two parts never write the same element.
  auto isWritten = [&](unsigned dim) {
    return llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &output) {
      return op.getMatchingIndexingMap(&output).isFunctionOfDim(dim);
    });
  };
  int64_t most = 1;
  for (auto [dim, unit] : units) {
    if (!isWritten(dim))
      continue;
    bool isKnown = !ShapedType::isDynamic(sizes[dim]);
    int64_t count =
        isKnown ? std::min(kEnough, llvm::divideCeilSigned(sizes[dim], unit)) : kUnknown;
    if (count <= most)
      continue;
    most = count;
    plan.partDim = dim;
    plan.partUnit = unit;
  }
  if (plan.rowDim && plan.vectorDim && !plan.reducesLanes) {
    auto [rowLoop, unit] = findRowLoop(plan);
    int64_t rows = isWritten(rowLoop) ? countNearRows(plan, rowLoop, unit) : 0;
    plan.partsAreBlocks = rows != 0;
    // Each part goes through all blocks of the sum once more.
    if (rows == 0 && plan.partDim == rowLoop && !plan.outerReductions.empty() &&
        !ShapedType::isDynamic(sizes[rowLoop]))
      rows = llvm::alignTo(llvm::divideCeilSigned(sizes[rowLoop], kFewestParts), unit);
    if (rows != 0) {
      plan.partDim = rowLoop;
      plan.partUnit = rows;
    }
  }
  // Sums of products, which share what they load, take an instruction for each; what does not waits for memory.
  constexpr unsigned kMemory = 4;
  plan.cost = plan.matrix || plan.words ? 1 : bodyCost();
  if (op.getNumReductionLoops() == 0 || plan.rows == 1)
    plan.cost += kMemory * op->getNumOperands();
  else if (plan.reducesLanes)
    plan.cost += kMemory * repeatedInputs(op).size();
}

KernelPlan Planner::plan() {
  KernelPlan plan;
  plan.masksRest = masksRest();
  chooseTile(plan);
  chooseOuterReductions(plan);
  takeGivenTile(plan);
  chooseParts(plan);
  return plan;
}

} // namespace

bool canChooseTile(linalg::GenericOp op, const KernelPlan &plan) {
  // More chains would be another order of a sum.
  return op.getNumReductionLoops() != 0 && plan.vectorDim && plan.rowDim && !plan.reducesLanes &&
         !plan.matrix && !plan.turnsInputs && plan.chains == 1 && !plan.blockDim;
}

KernelPlan planKernel(linalg::GenericOp op, const TargetDescription &target) {
  return Planner(op, target).plan();
}

} // namespace nnc
