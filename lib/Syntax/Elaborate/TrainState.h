//===- TrainState.h - A train block being elaborated ------------*- C++ -*-===//
#ifndef NNC_SYNTAX_ELABORATE_TRAINSTATE_H
#define NNC_SYNTAX_ELABORATE_TRAINSTATE_H

#include "Elaborator.h"

namespace nnc {

struct Elaborator::TrainState {
  TrainPlan plan;
  const ast::CallExpr *optimizer = nullptr;
  std::optional<mlir::Value> loss;
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
