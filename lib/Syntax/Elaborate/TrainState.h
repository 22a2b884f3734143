//===- TrainState.h - A train block being elaborated ------------*- C++ -*-===//
#ifndef NNC_SYNTAX_ELABORATE_TRAINSTATE_H
#define NNC_SYNTAX_ELABORATE_TRAINSTATE_H

#include "Elaborator.h"

namespace nnc {

/// Names some of a model's parameters: `net.conv1`, with all that begins so, or "*.b".
struct ParameterPattern {
  std::string text;
  SourceRange range;
  bool isGlob = false;
  /// Whether it names `parameter`, of the model `model`.
  bool matches(llvm::StringRef model, llvm::StringRef parameter) const;
};

/// `optimizer = adam(…, only = […])`: for the parameters that the list names, or for all others.
struct TrainOptimizer {
  const ast::CallExpr *call;
  const ast::FragmentDecl *decl;
  std::optional<std::vector<ParameterPattern>> only;
  SourceRange range;
};

struct TrainState {
  TrainPlan plan;
  std::optional<mlir::Value> loss;
  std::vector<TrainOptimizer> optimizers;
  std::optional<std::vector<ParameterPattern>> frozen;
  std::optional<Operand> clipNorm, clipValue, average;
  /// What the loss is multiplied by: a number, or the state of a layer.
  std::optional<Operand> fixedScale;
  const ast::CallExpr *scaleCall = nullptr;
  const ast::FragmentDecl *scaleDecl = nullptr;
  SourceRange lossScaleRange;
  bool scalesLoss() const { return fixedScale || scaleDecl; }
  int64_t accumulate = 1;
  /// Whether the validation sees the averages of the parameters.
  bool evaluatesAverages = false;
  /// The names of the metrics.
  std::vector<std::string> metrics;
  /// Where each setting is given.
  std::map<std::string, SourceRange> settings;
  /// What `validation` says.
  const ast::Expr *validation = nullptr;
  /// Where `keep` names what it looks at.
  SourceRange keepRange;
};

} // namespace nnc

#endif // NNC_SYNTAX_ELABORATE_TRAINSTATE_H
