//===- Elaborate.h - From a syntax tree to a program ------------*- C++ -*-===//
//
// Resolves names, inlines fragments, infers types, inserts promotions, and builds the functions and
// plans of Program.h. The prelude, the fragments that ship as .nn text, is in scope unless a file
// declares the same name.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_ELABORATE_H
#define NNC_SYNTAX_ELABORATE_H

#include "nnc/Support/Diagnostics.h"
#include "nnc/Syntax/AST.h"
#include "nnc/Syntax/Program.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/MLIRContext.h"

#include <functional>

namespace nnc {

struct ElaborateOptions {
  /// The types of the fields that a pipeline yields, in order, asked where the plan alone does not
  /// tell them (npy, npz); `plans` are the data that it may be made from. None: they must be
  /// written, `train m on d(x: f32[N, 3])`.
  std::function<std::optional<std::vector<mlir::RankedTensorType>>(
      const DataPlan &plan, const std::vector<DataPlan> &plans)>
      fieldTypes;
};

/// The program, or none with diagnostics. Ops have locations file:line:column.
std::optional<Program> elaborate(const ast::File &file, mlir::MLIRContext &context,
                                 DiagnosticEngine &diagnostics,
                                 const ElaborateOptions &options = {});

/// Writes the types that elaboration found into `file`, the tree that `program` was made from.
void writeTypes(ast::File &file, const Program &program);

/// The function as a `func` declaration, one op a line, types written out; it parses back.
std::string printFunction(mlir::Operation *function);

} // namespace nnc

#endif // NNC_SYNTAX_ELABORATE_H
