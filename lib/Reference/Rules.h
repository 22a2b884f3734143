//===- Rules.h - How the interpreter finds the rule of an op ----*- C++ -*-===//
//
// A rule computes the results of one op from the tensors of its operands. Each family of ops has a
// file that registers its rules here.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_REFERENCE_RULES_H
#define NNC_LIB_REFERENCE_RULES_H

#include "nnc/IR/NN.h"
#include "nnc/Reference/Interpreter.h"

#include "llvm/ADT/StringMap.h"

namespace nnc {

using Tensors = llvm::SmallVector<HostTensor>;

/// What the error of a floating-point op is relative to, in whatever order it is computed.
enum class Rounding {
  None,     ///< it moves or chooses elements, there is no error
  OfResult, ///< to each element of the result
  OfTerms   ///< to the sum of the terms' magnitudes: the op's result where operands are positive
};

/// A function being interpreted: the tensors of the values computed so far.
class Frame {
public:
  Frame(SymbolValues symbols, const InterpretOptions &options)
      : symbols(std::move(symbols)), options(options) {}

  const HostTensor &get(mlir::Value value) const;
  void set(mlir::Value value, HostTensor tensor) { values[value] = std::move(tensor); }

  /// The value of a dimension; an error if it has a symbol without a value.
  llvm::Expected<int64_t> resolve(const Dim &dim) const;
  llvm::Expected<llvm::SmallVector<int64_t>> resolve(llvm::ArrayRef<Dim> shape) const;

  /// Runs the ops of `block`, whose arguments are set, and returns its terminator's operands.
  llvm::Expected<Tensors> run(mlir::Block &block);

private:
  llvm::Error runOp(mlir::Operation &op);
  llvm::Error checkResults(mlir::Operation &op, llvm::ArrayRef<HostTensor> results) const;
  /// Moves `results` as rounding might.
  llvm::Error addNoise(mlir::Operation &op, const struct Rule &rule, Tensors &results);

  SymbolValues symbols;
  const InterpretOptions &options;
  llvm::DenseMap<mlir::Value, HostTensor> values;
  /// How many results noise was added to.
  int64_t numNoisy = 0;
};

struct Rule {
  std::function<llvm::Expected<Tensors>(mlir::Operation *op, Frame &frame)> compute;
  Rounding rounding;
};

class Registry {
public:
  /// Adds a rule for an op of one result: `HostTensor rule(OpTy, Frame &)`, or the same with
  /// llvm::Expected<HostTensor> where the op can fail.
  template <typename OpTy, typename Function>
  void add(Function rule, Rounding rounding = Rounding::OfResult) {
    auto compute = [rule](mlir::Operation *op, Frame &frame) -> llvm::Expected<Tensors> {
      llvm::Expected<HostTensor> result = rule(mlir::cast<OpTy>(op), frame);
      if (!result)
        return result.takeError();
      return Tensors{std::move(*result)};
    };
    addRule<OpTy>({compute, rounding});
  }
  template <typename OpTy> void addRule(Rule rule) {
    bool isNew = rules.try_emplace(OpTy::getOperationName(), std::move(rule)).second;
    assert(isNew && "one rule an op");
    (void)isNew;
  }
  const Rule *lookup(llvm::StringRef name) const {
    auto found = rules.find(name);
    return found == rules.end() ? nullptr : &found->second;
  }

private:
  llvm::StringMap<Rule> rules;
};

void registerElementwise(Registry &registry);
void registerReduction(Registry &registry);
void registerLinear(Registry &registry);
void registerWindow(Registry &registry);
void registerShape(Registry &registry);
void registerOrder(Registry &registry);
void registerCreation(Registry &registry);
void registerControl(Registry &registry);

} // namespace nnc

#endif // NNC_LIB_REFERENCE_RULES_H
