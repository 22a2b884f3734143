//===- RandomProgram.cpp - Random functions of nn ops ---------------------===//
//
// Ops are proposed at random: a name, operands among the values so far, attributes. Shape inference
// decides whether they fit, and the interpreter whether their values are wanted; if not, the op is
// erased and another one proposed. So the generator knows almost nothing of any op.
//
//===----------------------------------------------------------------------===//
#include "nnc/Reference/RandomProgram.h"
#include "nnc/IR/Inference.h"
#include "nnc/Reference/DrawInputs.h"

#include "mlir/IR/Verifier.h"

#include <cmath>
#include <random>

using namespace mlir;

namespace nnc {
namespace {

constexpr double largestValue = 50;
constexpr int64_t largestSize = 2000;

enum class Operands { Float, FloatPair, IntegerPair, BoolPair, Bool, Choice, Indexed, Integer };

struct Candidate {
  const char *name;
  Operands operands;
  unsigned weight;
};

/// What is proposed and how often.
const Candidate candidates[] = {
    {"neg", Operands::Float, 1},
    {"abs", Operands::Float, 1},
    {"square", Operands::Float, 2},
    {"relu", Operands::Float, 2},
    {"exp", Operands::Float, 2},
    {"expm1", Operands::Float, 1},
    {"log", Operands::Float, 1},
    {"log1p", Operands::Float, 1},
    {"sqrt", Operands::Float, 1},
    {"rsqrt", Operands::Float, 1},
    {"reciprocal", Operands::Float, 1},
    {"sin", Operands::Float, 2},
    {"cos", Operands::Float, 1},
    {"tanh", Operands::Float, 3},
    {"sigmoid", Operands::Float, 3},
    {"softplus", Operands::Float, 1},
    {"erf", Operands::Float, 1},
    {"add", Operands::FloatPair, 5},
    {"sub", Operands::FloatPair, 4},
    {"mul", Operands::FloatPair, 5},
    {"div", Operands::FloatPair, 2},
    {"pow", Operands::FloatPair, 1},
    {"maximum", Operands::FloatPair, 1},
    {"minimum", Operands::FloatPair, 1},
    {"add", Operands::IntegerPair, 1},
    {"mul", Operands::IntegerPair, 1},
    {"floor_divide", Operands::IntegerPair, 1},
    {"mod", Operands::IntegerPair, 1},
    {"less", Operands::IntegerPair, 2},
    {"equal", Operands::IntegerPair, 1},
    {"greater_equal", Operands::IntegerPair, 1},
    {"logical_and", Operands::BoolPair, 1},
    {"logical_or", Operands::BoolPair, 1},
    {"logical_not", Operands::Bool, 1},
    {"any", Operands::Bool, 1},
    {"all", Operands::Bool, 1},
    {"where", Operands::Choice, 4},
    {"cast", Operands::Integer, 2},
    {"sum", Operands::Float, 4},
    {"sum", Operands::Integer, 1},
    {"prod", Operands::Float, 1},
    {"mean", Operands::Float, 3},
    {"max", Operands::Float, 2},
    {"min", Operands::Float, 1},
    {"logsumexp", Operands::Float, 1},
    {"argmax", Operands::Integer, 1},
    {"argmin", Operands::Integer, 1},
    {"softmax", Operands::Float, 2},
    {"log_softmax", Operands::Float, 1},
    {"matmul", Operands::FloatPair, 10},
    {"matmul", Operands::IntegerPair, 4},
    {"einsum", Operands::FloatPair, 4},
    {"cumsum", Operands::Float, 2},
    {"cumsum", Operands::Integer, 1},
    {"sort", Operands::Integer, 1},
    {"argsort", Operands::Integer, 1},
    {"reshape", Operands::Float, 2},
    {"broadcast_to", Operands::Float, 2},
    {"transpose", Operands::Float, 3},
    {"transpose", Operands::Integer, 1},
    {"expand_dims", Operands::Float, 2},
    {"squeeze", Operands::Float, 1},
    {"slice", Operands::Float, 4},
    {"slice_update", Operands::FloatPair, 3},
    {"concat", Operands::FloatPair, 3},
    {"pad", Operands::Float, 2},
    {"reverse", Operands::Float, 2},
    {"gather", Operands::Indexed, 4},
    {"scatter_add", Operands::Indexed, 3},
    {"one_hot", Operands::Integer, 1},
    {"iota", Operands::Integer, 1},
    {"full", Operands::Float, 2},
    {"constant", Operands::Float, 2},
    {"scan", Operands::FloatPair, 6},
};

class Generator {
public:
  Generator(MLIRContext &context, uint64_t seed, const RandomProgramOptions &options)
      : builder(&context), loc(builder.getUnknownLoc()), options(options), seed(seed), random(seed),
        f64(builder.getF64Type()), i64(builder.getI64Type()) {}

  RandomProgram generate();

private:
  using Attributes = SmallVector<NamedAttribute>;

  //===-- Choices ---------------------------------------------------------===//
  int64_t below(int64_t limit) { return limit <= 0 ? 0 : int64_t(random() % uint64_t(limit)); }
  bool chance(unsigned percent) { return below(100) < percent; }
  const Candidate &chooseCandidate();
  /// A value of that element type, later ones more often; null if there is none.
  Value choose(Type elementType);
  SmallVector<Value> chooseOperands(Operands kind);
  Dim chooseDim();
  /// A number that folders know, or another.
  double chooseConstant();
  SmallVector<int64_t> chooseAxes(int64_t rank);
  SmallVector<int64_t> choosePermutation(int64_t rank);

  //===-- Proposals -------------------------------------------------------===//
  void createFunction();
  void proposeOp();
  Operation *propose(const Candidate &candidate, ValueRange operands);
  Operation *proposeByteProduct(ValueRange operands);
  Operation *proposeScan(ValueRange operands);
  Attributes chooseAttributes(StringRef name, ValueRange operands);
  Attributes chooseReshape(ArrayRef<Dim> sizes);
  Attributes choosePart(ArrayRef<Dim> sizes);
  std::string chooseEquation(int64_t leftRank, int64_t rightRank);
  void finish();
  bool isWanted(Operation *op);

  NamedAttribute integersAttr(StringRef name, ArrayRef<int64_t> numbers) {
    return builder.getNamedAttr(name, builder.getDenseI64ArrayAttr(numbers));
  }
  NamedAttribute integerAttr(StringRef name, int64_t value) {
    return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
  }
  NamedAttribute shapeAttr(StringRef name, ArrayRef<Dim> sizes) {
    return builder.getNamedAttr(name, toAttr(builder.getContext(), sizes));
  }
  NamedAttribute typeAttr(StringRef name, Type value) {
    return builder.getNamedAttr(name, TypeAttr::get(value));
  }

  OpBuilder builder;
  Location loc;
  const RandomProgramOptions &options;
  uint64_t seed;
  std::mt19937_64 random;
  Type f64, i64;
  RandomProgram program;
  SymbolValues symbols;
  /// Sizes that shapes are made of.
  SmallVector<Dim> dims;
  /// What operands are chosen from.
  SmallVector<Value> values;
  unsigned depth = 0;
};

//===-- Choices -----------------------------------------------------------===//

const Candidate &Generator::chooseCandidate() {
  int64_t total = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  int64_t ticket = below(total);
  for (const Candidate &candidate : candidates)
    if ((ticket -= candidate.weight) < 0)
      return candidate;
  llvm_unreachable("tickets are below the total");
}

Value Generator::choose(Type elementType) {
  SmallVector<Value> fitting;
  for (Value value : values)
    if (nnc::getElementType(value) == elementType)
      fitting.push_back(value);
  if (fitting.empty())
    return nullptr;
  // Of two, the later: deep programs rather than wide ones.
  return fitting[std::max(below(fitting.size()), below(fitting.size()))];
}

SmallVector<Value> Generator::chooseOperands(Operands kind) {
  Type boolType = builder.getI1Type();
  switch (kind) {
  case Operands::Float:
    return {choose(f64)};
  case Operands::FloatPair:
    return {choose(f64), choose(f64)};
  case Operands::Integer:
    return {choose(i64)};
  case Operands::IntegerPair:
    return {choose(i64), choose(i64)};
  case Operands::Bool:
    return {choose(boolType)};
  case Operands::BoolPair:
    return {choose(boolType), choose(boolType)};
  case Operands::Choice:
    return {choose(boolType), choose(f64), choose(f64)};
  case Operands::Indexed:
    return {choose(f64), choose(i64)};
  }
  llvm_unreachable("all kinds");
}

Dim Generator::chooseDim() { return dims[below(dims.size())]; }

double Generator::chooseConstant() {
  const double numbers[] = {0, 1, -1, 2, 0.5, 1.25};
  return numbers[below(std::size(numbers))];
}

/// Some axes, in a random order, at times counted from the end.
SmallVector<int64_t> Generator::chooseAxes(int64_t rank) {
  SmallVector<int64_t> axes = choosePermutation(rank);
  if (!axes.empty())
    axes.truncate(1 + below(rank));
  return axes;
}

SmallVector<int64_t> Generator::choosePermutation(int64_t rank) {
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  for (int64_t last = rank - 1; last > 0; --last)
    std::swap(axes[last], axes[below(last + 1)]);
  for (int64_t &axis : axes)
    if (chance(20))
      axis -= rank;
  return axes;
}

//===-- Attributes --------------------------------------------------------===//

/// Two neighbouring axes made one, or everything in one axis.
Generator::Attributes Generator::chooseReshape(ArrayRef<Dim> sizes) {
  if (sizes.size() < 2 || chance(30))
    return {shapeAttr("shape", {Dim(-1)})};
  Shape merged(sizes);
  int64_t axis = below(sizes.size() - 1);
  merged[axis] = merged[axis] * merged[axis + 1];
  merged.erase(merged.begin() + axis + 1);
  return {shapeAttr("shape", merged)};
}

/// Random letters for the axes, of which the result has some, at times one of them twice.
std::string Generator::chooseEquation(int64_t leftRank, int64_t rightRank) {
  auto letters = [&](int64_t count) {
    std::string labels;
    for (int64_t axis = 0; axis < count; ++axis)
      labels += char('a' + below(4));
    return labels;
  };
  std::string left = letters(leftRank), right = letters(rightRank), result;
  for (char label : left + right)
    if (chance(50) && (result.find(label) == std::string::npos || chance(20)))
      result += label;
  return left + "," + right + "->" + result;
}

Generator::Attributes Generator::choosePart(ArrayRef<Dim> sizes) {
  Shape starts, stops;
  SmallVector<int64_t> steps;
  for (const Dim &dim : sizes) {
    starts.push_back(Dim(chance(50) ? 0 : below(3)));
    stops.push_back(dim - Dim(chance(50) ? 0 : below(2)));
    steps.push_back(chance(70) ? 1 : 2);
  }
  return {shapeAttr("starts", starts), shapeAttr("stops", stops), integersAttr("steps", steps)};
}

Generator::Attributes Generator::chooseAttributes(StringRef name, ValueRange operands) {
  Shape sizes = getShape(operands.front());
  int64_t rank = sizes.size();
  bool isReduction =
      llvm::is_contained({"sum", "prod", "mean", "max", "min", "logsumexp", "any", "all"}, name);
  if (isReduction || name == "argmax" || name == "argmin") {
    Attributes attributes = {builder.getNamedAttr("keepdims", builder.getBoolAttr(chance(40)))};
    if (!isReduction)
      attributes.push_back(integerAttr("axis", below(rank)));
    else if (chance(80))
      attributes.push_back(integersAttr("axis", chooseAxes(rank)));
    return attributes;
  }
  if (name == "softmax" || name == "log_softmax" || name == "concat" || name == "gather" ||
      name == "scatter_add")
    return {integerAttr("axis", below(rank) - (chance(30) ? rank : 0))};
  if (name == "einsum")
    return {builder.getNamedAttr(
        "equation", builder.getStringAttr(chooseEquation(rank, getShape(operands[1]).size())))};
  if (name == "cumsum")
    return {integerAttr("axis", below(rank) - (chance(30) ? rank : 0)),
            builder.getNamedAttr("reverse", builder.getBoolAttr(chance(50))),
            builder.getNamedAttr("exclusive", builder.getBoolAttr(chance(50)))};
  if (name == "sort" || name == "argsort")
    return {integerAttr("axis", below(rank)),
            builder.getNamedAttr("descending", builder.getBoolAttr(chance(50)))};
  if (name == "transpose")
    return chance(30) ? Attributes()
                      : Attributes{integersAttr("permutation", choosePermutation(rank))};
  if (name == "reverse")
    return {integersAttr("axis", chooseAxes(rank))};
  if (name == "expand_dims")
    return {integersAttr("axis", {below(rank + 1)})};
  if (name == "reshape")
    return chooseReshape(sizes);
  if (name == "slice" || name == "slice_update")
    return choosePart(sizes);
  if (name == "pad") {
    SmallVector<int64_t> low, high;
    for (int64_t axis = 0; axis < rank; ++axis) {
      low.push_back(below(3));
      high.push_back(below(3));
    }
    return {integersAttr("low", low), integersAttr("high", high),
            builder.getNamedAttr("value", builder.getF64FloatAttr(below(5) * 0.5))};
  }
  if (name == "broadcast_to") {
    sizes.insert(sizes.begin(), chooseDim());
    return {shapeAttr("shape", sizes)};
  }
  if (name == "one_hot")
    return {integerAttr("depth", 1 + below(4)), typeAttr("dtype", f64)};
  if (name == "cast")
    return {typeAttr("dtype", f64)};
  if (name == "full") {
    sizes.truncate(std::min<size_t>(sizes.size(), below(3)));
    return {shapeAttr("shape", sizes), typeAttr("dtype", f64),
            builder.getNamedAttr("value", builder.getF64FloatAttr(chooseConstant()))};
  }
  if (name == "iota") {
    Shape counted = {chooseDim(), chooseDim()};
    counted.truncate(1 + below(2));
    return {shapeAttr("shape", counted), integerAttr("axis", below(counted.size())),
            typeAttr("dtype", i64)};
  }
  return {};
}

//===-- Proposals ---------------------------------------------------------===//

Operation *Generator::propose(const Candidate &candidate, ValueRange operands) {
  StringRef name = candidate.name;
  if (name == "scan")
    return options.withLoops && depth == 0 ? proposeScan(operands) : nullptr;
  if (name == "constant")
    return createScalar(builder, loc, f64, chooseConstant()).getDefiningOp();
  if (name == "matmul" && candidate.operands == Operands::IntegerPair)
    return proposeByteProduct(operands);
  Attributes attributes = chooseAttributes(name, operands);
  SmallVector<Value> inputs(operands);
  if (name == "iota" || name == "full")
    inputs.clear();
  if (name == "scatter_add") {
    // Updates of the right shape are what gather reads.
    Operation *gathered = createInferred(builder, loc, "nn.gather", inputs, attributes);
    if (!gathered)
      return nullptr;
    inputs.push_back(gathered->getResult(0));
  }
  return createInferred(builder, loc, ("nn." + name).str(), inputs, attributes);
}

/// A product of the lowest bytes of two integers, with signs or without, summed in i32.
Operation *Generator::proposeByteProduct(ValueRange operands) {
  auto cast = [&](Value value, Type type) {
    return createInferred(builder, loc, "nn.cast", value, typeAttr("dtype", type))->getResult(0);
  };
  SmallVector<Value> factors;
  for (Value operand : operands) {
    auto sign = chance(50) ? IntegerType::Signless : IntegerType::Unsigned;
    Value bytes = cast(operand, IntegerType::get(builder.getContext(), 8, sign));
    factors.push_back(cast(bytes, builder.getI32Type()));
  }
  Operation *product = createInferred(builder, loc, "nn.matmul", factors);
  return product ? cast(product->getResult(0), i64).getDefiningOp() : nullptr;
}

/// A loop that carries the first operand and goes over the second. The body is made of random ops;
/// the next carried value is the last value of its type, made small.
Operation *Generator::proposeScan(ValueRange operands) {
  Shape sequence = getShape(operands[1]);
  if (sequence.empty())
    return nullptr;
  Type carried = operands[0].getType();
  auto scan = nn::ScanOp::create(builder, loc, sequence.front(), chance(30), operands[0],
                                 operands[1], {carried, carried});
  OpBuilder::InsertionGuard guard(builder);
  Block &body = scan.getBody().front();
  builder.setInsertionPointToEnd(&body);
  SmallVector<Value> outside = values;
  llvm::append_range(values, body.getArguments());
  ++depth;
  // Values are judged after the whole loop has been built, so the ops in it are those that keep
  // values small.
  for (unsigned count = 1 + below(4); count > 0; --count) {
    SmallVector<Value> pair = chooseOperands(Operands::FloatPair);
    const char *names[] = {"add", "sub", "mul", "matmul", "maximum"};
    if (Operation *op = createInferred(builder, loc, ("nn." + StringRef(names[below(5)])).str(),
                                       {pair[0], pair[1]}))
      values.push_back(create<nn::TanhOp>(builder, loc, op->getResult(0)));
  }
  --depth;
  auto last =
      llvm::find_if(llvm::reverse(values), [&](Value value) { return value.getType() == carried; });
  Value next = create<nn::SinOp>(builder, loc, *last);
  nn::YieldOp::create(builder, loc, ValueRange{next, *last});
  values = outside;
  Shape stacked = getShape(carried);
  stacked.insert(stacked.begin(), sequence.front());
  scan.getResult(1).setType(makeTensorType(stacked, f64));
  return scan;
}

/// Whether the operand of a function with a pole or an infinite slope at 0 keeps away from it.
bool isFarFromPole(Operation *op, const HostTensor &operand) {
  bool isLog1p = isa<nn::Log1pOp>(op);
  for (int64_t index = 0; index < operand.getNumElements(); ++index)
    if (std::fabs(operand.getFloat(index) + isLog1p) < 0.05)
      return false;
  return true;
}

Value getOperandWithPole(Operation *op) {
  if (isa<nn::LogOp, nn::Log1pOp, nn::SqrtOp, nn::RsqrtOp, nn::ReciprocalOp, nn::PowOp>(op))
    return op->getOperand(0);
  return isa<nn::DivOp>(op) ? op->getOperand(1) : Value();
}

/// Whether the program still verifies and the results of `op`, its last op, are finite and neither
/// large nor many.
bool Generator::isWanted(Operation *op) {
  if (failed(verify(op)))
    return false;
  bool isGood = true;
  InterpretOptions interpretOptions;
  interpretOptions.symbols = symbols;
  Value risky = getOperandWithPole(op);
  if (auto argument = dyn_cast_or_null<BlockArgument>(risky))
    isGood = isFarFromPole(op, program.arguments[argument.getArgNumber()]);
  interpretOptions.afterOp = [&](Operation *done, MutableArrayRef<HostTensor> results) {
    if (risky && risky.getDefiningOp() == done)
      isGood &= isFarFromPole(op, results[cast<OpResult>(risky).getResultNumber()]);
    for (const HostTensor &result : results) {
      isGood &= result.getNumElements() > 0 && result.getNumElements() <= largestSize;
      for (int64_t index = 0; isGood && index < result.getNumElements(); ++index)
        isGood &= std::fabs(result.getNumber(index)) <= largestValue;
    }
    return isGood ? llvm::Error::success() : llvm::createStringError("unwanted");
  };
  auto results = interpret(program.function, program.arguments, interpretOptions);
  isGood &= bool(results);
  llvm::consumeError(results.takeError());
  return isGood;
}

void Generator::proposeOp() {
  const Candidate &candidate = chooseCandidate();
  SmallVector<Value> operands = chooseOperands(candidate.operands);
  if (llvm::is_contained(options.without, candidate.name) ||
      llvm::any_of(operands, [](Value value) { return !value; }))
    return;
  Operation *before = builder.getInsertionPoint()->getPrevNode();
  Operation *op = propose(candidate, operands);
  if (op && isWanted(op)) {
    llvm::append_range(values, op->getResults());
    return;
  }
  // Whatever was built since.
  Operation *end = &*builder.getInsertionPoint();
  while (end->getPrevNode() != before)
    end->getPrevNode()->erase();
}

/// Two arguments that tell the symbols, two more of random shape, and two of integers.
void Generator::createFunction() {
  dims = {Dim(1), Dim(3), Dim(4)};
  for (StringRef name : {"N", "M"}) {
    const int64_t sizes[] = {2, 3, 5, 7, 16, 19};
    int64_t size = sizes[below(std::size(sizes))];
    dims.push_back(options.withSymbols ? Dim::symbol(name) : Dim(size));
    symbols[name.str()] = size;
  }
  std::vector<ExampleInput> inputs;
  for (unsigned number = 0; number < 6; ++number) {
    Shape dimensions;
    if (number < 2)
      dimensions.push_back(dims[3 + number]);
    for (int64_t more = below(3); more > 0; --more)
      dimensions.push_back(chooseDim());
    bool isFloat = number < 4;
    inputs.push_back({"x" + std::to_string(number), makeTensorType(dimensions, isFloat ? f64 : i64),
                      isFloat ? -1.5 : -2.0, isFloat ? 1.5 : 4.0});
  }
  program.arguments = drawInputs(inputs, seed, symbols);
  auto types = llvm::map_to_vector(inputs, [](auto &input) -> Type { return input.type; });

  program.module = ModuleOp::create(loc);
  builder.setInsertionPointToStart(program.module->getBody());
  program.function =
      func::FuncOp::create(builder, loc, "program", builder.getFunctionType(types, {}));
  Block *body = program.function.addEntryBlock();
  llvm::append_range(values, body->getArguments());
  for (auto [number, input] : llvm::enumerate(inputs))
    program.function.setArgAttr(number, nn::nameAttr, builder.getStringAttr(input.name));
  builder.setInsertionPointToEnd(body);
  builder.setInsertionPoint(func::ReturnOp::create(builder, loc));
}

/// Returns what is not used, and a floating-point value in any case.
void Generator::finish() {
  SmallVector<Value> results;
  for (Operation &op : program.function.front().without_terminator())
    if (op.use_empty())
      llvm::append_range(results, op.getResults());
  if (llvm::none_of(results, [&](Value value) { return nnc::getElementType(value) == f64; }))
    results.push_back(*llvm::find_if(
        llvm::reverse(values), [&](Value value) { return nnc::getElementType(value) == f64; }));
  program.function.front().getTerminator()->setOperands(results);
  auto type =
      builder.getFunctionType(program.function.getArgumentTypes(), ValueRange(results).getTypes());
  program.function.setFunctionType(type);
}

RandomProgram Generator::generate() {
  createFunction();
  size_t wanted = values.size() + options.numOps;
  // Bounded, should nothing fit any more.
  for (unsigned attempt = 0; values.size() < wanted && attempt < 100 * options.numOps; ++attempt)
    proposeOp();
  finish();
  return std::move(program);
}

} // namespace

RandomProgram buildRandomProgram(MLIRContext &context, uint64_t seed,
                                 const RandomProgramOptions &options) {
  context.loadDialect<nn::NNDialect, func::FuncDialect>();
  // Proposals that do not fit are no errors.
  ScopedDiagnosticHandler handler(&context, [](Diagnostic &) { return success(); });
  return Generator(context, seed, options).generate();
}

} // namespace nnc
